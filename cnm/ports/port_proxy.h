// port_proxy.h: published ports served in user space, where no packet filter leads connections on.
#pragma once

#include <cstdint>

#include "cnm/ports/bound_ports.h"
#include "common/base/fd.h"
#include "common/net/address.h"

namespace cnm {

/// Serves what reaches the host's own sockets: connections to [::1], and those over IPv6 to a
/// container that has IPv4 only. All functions may be called from several threads at once.
class PortProxy {
 public:
  virtual ~PortProxy() = default;
  /// Leads connections (tcp) or datagrams (udp) that arrive at the bound `socket` of `port` on to
  /// `target_port` of `target`, until Stop; other protocols, and one that is served, are left
  /// alone.
  /// @throws Error kKernel
  virtual void Serve(const HostPort& port, Fd socket, const net::Address& target,
                     uint16_t target_port) = 0;
  /// Closes the socket, and connections that came by it. Succeeds when it is not served.
  virtual void Stop(const HostPort& port) = 0;
};

}  // namespace cnm
