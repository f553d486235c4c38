// message.h: an HTTP request and its answer as values.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace cnm::http {

/// One header field. Names differ only by case are the same (RFC 9110 §5.1).
struct Header {
  std::string name;
  std::string value;
  bool operator==(const Header&) const = default;
};

/// The value of the first field of that name; nullopt without one.
std::optional<std::string_view> FindHeader(const std::vector<Header>& headers,
                                           std::string_view name);

/// Who asks, as the kernel says: for a unix socket the process that connected, else its address.
struct Peer {
  int pid = 0;          ///< 0: a TCP peer, or a process of another PID namespace
  unsigned uid = 0;     ///< of the process; meaningless for a TCP peer
  std::string address;  ///< "192.0.2.1:4711" or "[2001:db8::1]:4711"; "" for a unix socket
  bool tls = false;     ///< it has shown a certificate that we trust
};

/// A whole request. Its body is decoded (of chunks), not interpreted.
struct Request {
  std::string method = "GET";  ///< as sent: methods are case sensitive
  std::string target = "/";    ///< path and query as sent, without scheme and authority
  std::vector<Header> headers = {};
  std::string body = {};
  Peer peer = {};  ///< filled by the server
};

/// An answer. Content-Length, Date and Connection are the server's business.
struct Response {
  unsigned status = 200;
  std::vector<Header> headers = {};
  std::string body = {};
};

/// An answer for people: text/plain in UTF-8, the text and a newline.
Response TextResponse(unsigned status, std::string_view text);

}  // namespace cnm::http
