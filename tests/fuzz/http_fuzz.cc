// http_fuzz.cc: the server's request path on arbitrary bytes, over a real socket pair: it must
// answer only whole requests, and always end with the connection closed.
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <string>
#include <utility>

#include <boost/asio/io_context.hpp>

#include "common/base/fd.h"
#include "common/http/connection.h"

namespace {

using cnm::Fd;
using cnm::http::Connection;
using cnm::http::ConnectionOwner;

constexpr size_t kHeaderLimit = 512;
constexpr size_t kBodyLimit = 256;

void Require(bool condition) {
  if (!condition) std::abort();
}

/// What every handler may rely on.
void CheckRequest(const cnm::http::Request& request) {
  Require(!request.method.empty() && request.method.size() <= kHeaderLimit);
  Require(!request.target.empty() && request.target.size() <= kHeaderLimit + 1);
  Require(request.body.size() <= kBodyLimit);
  for (const auto& header : request.headers) {
    Require(header.name.size() + header.value.size() <= kHeaderLimit);
    Require(header.value.find('\n') == std::string::npos);
  }
}

/// Serves the bytes as one connection; what the client then receives.
std::string Serve(const uint8_t* data, size_t size) {
  std::array<int, 2> pair{};
  Require(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair.data()) == 0);
  const Fd client(pair[0]);
  Require(::write(client.get(), data, size) == static_cast<ssize_t>(size));
  ::shutdown(client.get(), SHUT_WR);
  boost::asio::io_context io(1);
  auto owner = std::make_shared<ConnectionOwner>();
  owner->limits = {.header_bytes = kHeaderLimit, .body_bytes = kBodyLimit};
  owner->dispatch = [](const cnm::http::Request& request, const auto& done) {
    CheckRequest(request);
    done({.status = 200, .headers = {{"X-Target", request.target}}, .body = request.body});
  };
  bool closed = false;
  owner->closed = [&](Connection*) { closed = true; };
  Connection::Socket socket(io, {AF_UNIX, 0}, pair[1]);
  std::make_shared<Connection>(std::move(socket), owner)->Start();
  io.run();
  Require(closed);
  std::string received;
  std::array<char, 4096> bytes{};
  for (ssize_t n = 0; (n = ::read(client.get(), bytes.data(), bytes.size())) > 0;) {
    received.append(bytes.data(), static_cast<size_t>(n));
  }
  return received;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string answer = Serve(data, std::min<size_t>(size, 4096));
  Require(answer.empty() || answer.starts_with("HTTP/1."));
  return 0;
}
