// client.h: an HTTP/1.1 client for one request at a time: Docker's plugins and our own API.
#pragma once

#include <chrono>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "common/http/message.h"
#include "common/http/tls.h"

namespace cnm::http {

/// Where a server listens: on a unix socket if `unix_path` is set, else on TCP.
struct ServerAddress {
  std::string unix_path = {};
  std::string host = {};  ///< an IP address or a name
  std::string port = {};  ///< a number
  std::optional<TlsFiles> tls =
      {};  ///< on TCP: shown to the server, whose certificate names `host`
  bool operator==(const ServerAddress&) const = default;
};

/// "unix:///run/docker/plugins/x.sock", "tcp://127.0.0.1:2385", "http://[2001:db8::1]:80". A path
/// behind a TCP address is ignored, as Docker does.
/// @throws Error kConfig "server address URL: reason"
ServerAddress ParseServerAddress(std::string_view url);

/// What a call may take.
struct CallLimits {
  /// From one attempt to connect to the end of the answer.
  std::chrono::milliseconds exchange{60'000};
  /// A server that cannot be connected to is tried again after 1, 2, 4, 8 and so on up to 30 s,
  /// while the next try would begin before this has passed since the first. 0: tried once. Docker
  /// gives plugins 30 s (docker/pkg/plugins), thus four retries in 15 s.
  std::chrono::milliseconds connect_retry{0};
  size_t header_bytes = size_t{64} << 10;
  size_t body_bytes = size_t{16} << 20;
};

/// Sends the request on a connection of its own and returns the answer, whatever its status. Host
/// and Content-Length are added; a POST has a Content-Length also without a body.
///
/// Only connecting is tried again: a request that was sent may have been done. The work is
/// asynchronous in an io_context of the calling thread, which the call blocks until the deadline at
/// the latest; looking up a host name (not an address) may take as long as the resolver does.
/// @throws Error kUnavailable "call unix:///run/x.sock: connect: Connection refused", "call ...: no
///         answer after 60 s", "call ...: TLS: reason", or what else cuts the exchange short;
///         kDecode "call ...: bad answer: reason", also for one beyond the limits
Response Call(const ServerAddress& server, const Request& request, const CallLimits& limits = {});

}  // namespace cnm::http
