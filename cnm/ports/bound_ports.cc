// bound_ports.cc: ports of the host kept from other programs by sockets that are bound to them.
#include "cnm/ports/bound_ports.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstring>
#include <utility>

#include <fmt/format.h>

#include "common/base/error.h"

namespace cnm {
namespace {

using firewall::Protocol;

[[noreturn]] void Fail(const HostPort& port, int error) {
  if (error == EADDRINUSE) {
    throw Error(Code::kInUse,
                fmt::format("listen {}: bind: address already in use", ToString(port)),
                "another program of this host has it");
  }
  throw SystemError(Code::kKernel, fmt::format("bind {}", ToString(port)), error);
}

void SetOption(const Fd& fd, int level, int option, int value) {
  (void)::setsockopt(fd.get(), level, option, &value, sizeof value);
}

/// Without a descriptor when the kernel has no such sockets.
Fd OpenSocket(const HostPort& port) {
  const int type = port.protocol == Protocol::kUdp ? SOCK_DGRAM : SOCK_STREAM;
  const int family = port.address.is_v4() ? AF_INET : AF_INET6;
  Fd fd(::socket(family, type | SOCK_CLOEXEC | SOCK_NONBLOCK, static_cast<int>(port.protocol)));
  const bool lacking = errno == EAFNOSUPPORT || errno == EPROTONOSUPPORT;
  if (!fd && !lacking) Fail(port, errno);
  return fd;
}

int Bind(const Fd& fd, const HostPort& port) {
  const auto bytes = port.address.bytes();
  if (port.address.is_v4()) {
    sockaddr_in address{.sin_family = AF_INET, .sin_port = htons(port.port)};
    std::memcpy(&address.sin_addr, bytes.data(), bytes.size());
    return ::bind(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address);
  }
  sockaddr_in6 address{.sin6_family = AF_INET6, .sin6_port = htons(port.port)};
  std::memcpy(&address.sin6_addr, bytes.data(), bytes.size());
  return ::bind(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address);
}

/// Connections that just ended must not be in the way, so the address is reused; but then a second
/// program that reuses it could bind it too. Listening for a moment makes the kernel compare again,
/// and from then on it finds a socket that shares with nobody.
bool ListenOnce(const Fd& fd) {
  if (::listen(fd.get(), 1) != 0) return false;
  SetOption(fd, SOL_SOCKET, SO_REUSEADDR, 0);
  (void)::shutdown(fd.get(), SHUT_RDWR);
  return true;
}

}  // namespace

std::string ToString(const HostPort& port) {
  return fmt::format(fmt::runtime(port.address.is_v4() ? "{} {}:{}" : "{} [{}]:{}"),
                     firewall::NameOf(port.protocol), port.address.ToString(), port.port);
}

void BoundPorts::Hold(const HostPort& port) {
  if (held_.contains(port)) return;
  Fd fd = OpenSocket(port);
  if (!fd) return;
  const bool v4 = port.address.is_v4();
  SetOption(fd, v4 ? int{IPPROTO_IP} : int{IPPROTO_IPV6}, v4 ? IP_FREEBIND : IPV6_FREEBIND, 1);
  if (!v4) SetOption(fd, IPPROTO_IPV6, IPV6_V6ONLY, 1);
  const bool tcp = port.protocol == Protocol::kTcp;
  if (tcp) SetOption(fd, SOL_SOCKET, SO_REUSEADDR, 1);
  if (Bind(fd, port) != 0) Fail(port, errno);
  if (tcp && !ListenOnce(fd)) Fail(port, errno);
  held_.emplace(port, std::move(fd));
}

Fd BoundPorts::Duplicate(const HostPort& port) const {
  const auto held = held_.find(port);
  return held == held_.end() ? Fd() : Fd(::fcntl(held->second.get(), F_DUPFD_CLOEXEC, 0));
}

}  // namespace cnm
