// wire.cc: between our values and Beast's.
#include "common/http/wire.h"

#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <ctime>
#include <iterator>
#include <string>
#include <utility>

#include <fmt/format.h>
#include <boost/beast/core/string.hpp>
#include <boost/beast/http/error.hpp>

#include "common/http/listen.h"

namespace cnm::http {
namespace {

namespace beast_http = boost::beast::http;
using boost::beast::iequals;

std::string Text(boost::beast::string_view text) {
  return {text.data(), text.size()};
}

/// RFC 9110 §5.6.7, without the locale.
std::string HttpDate(std::time_t now) {
  constexpr std::array kDays = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
  constexpr std::array kMonths = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                  "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  std::tm utc{};
  ::gmtime_r(&now, &utc);
  return fmt::format("{}, {:02} {} {} {:02}:{:02}:{:02} GMT",
                     kDays.at(static_cast<size_t>(utc.tm_wday)), utc.tm_mday,
                     kMonths.at(static_cast<size_t>(utc.tm_mon)), utc.tm_year + 1900, utc.tm_hour,
                     utc.tm_min, utc.tm_sec);
}

bool IsFieldText(std::string_view text) {
  return std::none_of(text.begin(), text.end(),
                      [](char c) { return c == '\r' || c == '\n' || c == '\0'; });
}

bool CanBeSent(const Response& response) {
  return response.status >= 200 && response.status <= 599 &&
         std::all_of(response.headers.begin(), response.headers.end(), [](const Header& header) {
           return !header.name.empty() && IsFieldText(header.name) && IsFieldText(header.value);
         });
}

/// "/path?query" of a target that names the server too (RFC 9112 §3.2.2).
std::string OriginForm(std::string target) {
  constexpr std::string_view kScheme = "http://";
  const boost::beast::string_view start(target.data(), std::min(target.size(), kScheme.size()));
  if (!iequals(start, {kScheme.data(), kScheme.size()})) return target;
  const size_t path = target.find_first_of("/?", kScheme.size());
  target.erase(0, std::min(path, target.size()));
  return target.starts_with('/') ? target : "/" + target;
}

}  // namespace

Peer PeerOf(int socket) {
  Peer peer;
  sockaddr_storage name{};
  socklen_t size = sizeof(name);
  if (::getpeername(socket, reinterpret_cast<sockaddr*>(&name), &size) != 0) return peer;
  peer.address = TcpText(name);
  if (name.ss_family == AF_UNIX) {
    ucred process{};
    size = sizeof(process);
    if (::getsockopt(socket, SOL_SOCKET, SO_PEERCRED, &process, &size) != 0) return peer;
    peer.pid = process.pid;
    peer.uid = process.uid;
  }
  return peer;
}

std::optional<Response> Refusal(const beast_http::request_header<>& request) {
  const auto count = [&](beast_http::field field) {
    const auto [first, last] = request.equal_range(field);
    return std::distance(first, last);
  };
  const auto hosts = count(beast_http::field::host);
  if (hosts > 1) return TextResponse(400, "too many Host headers");
  if (hosts == 0 && request.version() >= 11) {
    return TextResponse(400, "missing required Host header");
  }
  const auto codings = count(beast_http::field::transfer_encoding);
  if (codings > 1 ||
      (codings == 1 && !iequals(request[beast_http::field::transfer_encoding], "chunked"))) {
    return TextResponse(501, "unsupported transfer encoding");
  }
  const auto expect = request.find(beast_http::field::expect);
  if (expect != request.end() && !iequals(expect->value(), "100-continue")) {
    return TextResponse(417, "unknown expectation");
  }
  return std::nullopt;
}

std::optional<Response> RefusalOf(const boost::system::error_code& error) {
  if (error == beast_http::error::end_of_stream) return std::nullopt;
  if (error == beast_http::error::header_limit || error == beast_http::error::buffer_overflow) {
    return TextResponse(431, "request header too large");
  }
  if (error == beast_http::error::body_limit) return TextResponse(413, "request body too large");
  if (error == beast_http::error::bad_version) {
    return TextResponse(505, "HTTP version not supported");
  }
  // Not of the parser's errors: the connection is lost.
  if (error.category() != beast_http::make_error_code(beast_http::error::bad_method).category()) {
    return std::nullopt;
  }
  return TextResponse(400, fmt::format("malformed request: {}", error.message()));
}

Request TakeRequest(beast_http::request<beast_http::string_body> request, const Peer& peer) {
  Request taken{.method = Text(request.method_string()),
                .target = OriginForm(Text(request.target())),
                .body = std::move(request.body()),
                .peer = peer};
  for (const auto& field : request) {
    taken.headers.push_back({Text(field.name_string()), Text(field.value())});
  }
  return taken;
}

beast_http::response<beast_http::string_body> MakeAnswer(const Response& response,
                                                         const AnswerForm& form) {
  if (!CanBeSent(response)) {
    return MakeAnswer(TextResponse(500, "the handler's answer cannot be sent"), form);
  }
  beast_http::response<beast_http::string_body> answer;
  answer.version(form.version);
  answer.result(response.status);
  for (const Header& header : response.headers) answer.insert(header.name, header.value);
  answer.set(beast_http::field::date, HttpDate(std::time(nullptr)));
  answer.keep_alive(form.keep_alive);
  // RFC 9110 §6.4.1: these have no content.
  if (response.status == 204 || response.status == 304) return answer;
  answer.content_length(response.body.size());
  if (!form.head) answer.body() = response.body;
  return answer;
}

}  // namespace cnm::http
