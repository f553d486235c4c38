// server_address.cc: reading where a server listens.
#include <algorithm>
#include <string_view>

#include <fmt/format.h>

#include "common/base/error.h"
#include "common/http/client.h"

namespace cnm::http {

ServerAddress ParseServerAddress(std::string_view url) {
  const auto fail = [&](std::string_view reason) {
    return Error(Code::kConfig, fmt::format("server address {}: {}", url, reason));
  };
  const size_t colon = url.find("://");
  if (colon == std::string_view::npos) throw fail("no scheme");
  const std::string_view scheme = url.substr(0, colon);
  std::string_view rest = url.substr(colon + 3);
  if (scheme == "unix") {
    if (!rest.starts_with('/')) throw fail("want an absolute path");
    return {.unix_path = std::string(rest)};
  }
  if (scheme != "tcp" && scheme != "http") throw fail("want unix, tcp or http");
  rest = rest.substr(0, rest.find('/'));
  const size_t last = rest.rfind(':');
  if (last == std::string_view::npos) throw fail("no port");
  std::string_view host = rest.substr(0, last);
  const std::string_view port = rest.substr(last + 1);
  if (host.starts_with('[') && host.ends_with(']')) {
    host = host.substr(1, host.size() - 2);
  } else if (host.find(':') != std::string_view::npos) {
    throw fail("an IPv6 address needs brackets");
  }
  const bool digits =
      std::all_of(port.begin(), port.end(), [](char c) { return c >= '0' && c <= '9'; });
  if (host.empty() || port.empty() || port.size() > 5 || !digits) throw fail("want HOST:PORT");
  return {.host = std::string(host), .port = std::string(port)};
}

}  // namespace cnm::http
