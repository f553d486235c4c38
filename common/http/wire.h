// wire.h: between our values and Beast's, and what is refused before any handler sees it; private
// to the server.
#pragma once

#include <optional>

#include <boost/beast/http/message.hpp>
#include <boost/beast/http/string_body.hpp>
#include <boost/system/error_code.hpp>

#include "common/http/message.h"

namespace cnm::http {

/// Who is at the other end of a connected socket.
Peer PeerOf(int socket);

/// The answer to a request of which the header suffices to refuse it: no Host field in HTTP/1.1 or
/// several (RFC 9112 §3.2; an empty one is right, and Docker's habit), a transfer coding other than
/// chunked, an expectation other than 100-continue.
std::optional<Response> Refusal(const boost::beast::http::request_header<>& request);

/// The answer to a request that could not be read; nullopt if nobody is there to read it.
std::optional<Response> RefusalOf(const boost::system::error_code& error);

/// Our value of a request that was read.
Request TakeRequest(boost::beast::http::request<boost::beast::http::string_body> request,
                    const Peer& peer);

/// What of the request decides the form of the answer.
struct AnswerForm {
  unsigned version = 11;
  bool keep_alive = false;
  bool head = false;
};

/// The message to write. A response that cannot be one (status, line breaks in a field) becomes
/// 500.
boost::beast::http::response<boost::beast::http::string_body> MakeAnswer(const Response& response,
                                                                         const AnswerForm& form);

}  // namespace cnm::http
