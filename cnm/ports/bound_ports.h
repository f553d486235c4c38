// bound_ports.h: ports of the host kept from other programs by sockets that are bound to them.
#pragma once

#include <compare>
#include <cstdint>
#include <map>
#include <string>

#include "common/base/fd.h"
#include "common/firewall/firewall.h"
#include "common/net/address.h"

namespace cnm {

/// A port of one address of the host; 0.0.0.0 and :: stand for all of their family.
struct HostPort {
  firewall::Protocol protocol = firewall::Protocol::kTcp;
  net::Address address = {};
  uint16_t port = 0;
  auto operator<=>(const HostPort&) const = default;  // NOLINT(modernize-use-nullptr): misread
};

/// "tcp 192.0.2.1:80", "udp [::]:53".
std::string ToString(const HostPort& port);

/// Sockets of the netns whose thread calls. Nothing listens: what a published port's packet filter
/// does not catch is refused, as it was before. They end with the process, so a daemon binds them
/// anew when it starts. Not thread safe.
class BoundPorts {
 public:
  /// Binds the port, so that nobody else can; one that is held already stays. An address that the
  /// host does not have (yet) is taken; a protocol or family that the kernel lacks is nobody's.
  /// @throws Error kInUse "listen tcp 0.0.0.0:80: bind: address already in use" (libnetwork.md §23)
  ///         when another program has it; kKernel
  void Hold(const HostPort& port);
  /// Another descriptor of the port's socket; none when there is no socket.
  Fd Duplicate(const HostPort& port) const;
  /// @returns false if it was not held
  bool LetGo(const HostPort& port) { return held_.erase(port) > 0; }

 private:
  std::map<HostPort, Fd> held_;
};

}  // namespace cnm
