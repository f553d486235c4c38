// host_ports.h: the host's ports that published ports of this process's networks are chosen from.
#pragma once

#include <mutex>
#include <vector>

#include "cnm/engine/values.h"
#include "cnm/ports/port_allocator.h"

namespace cnm::local {

/// A PortAllocator that several threads and drivers share.
class HostPorts {
 public:
  /// `ephemeral`: where a binding without a host port looks; {0, 0} = the host's own range.
  explicit HostPorts(PortRange ephemeral = {});

  /// Takes a host port for each binding, or none at all. @returns the bindings with `host_ip` and
  /// `host_port` set, `host_port_end` the same as `host_port`
  /// @throws Error kConfig "invalid transport protocol: N"; kInUse, kExhausted of PortAllocator
  std::vector<engine::PortBinding> Take(const std::vector<engine::PortBinding>& wanted);
  /// Notes ports that are published already; those that are taken stay taken.
  void Note(const std::vector<engine::PortBinding>& bindings);
  void GiveBack(const std::vector<engine::PortBinding>& bindings);

 private:
  engine::PortBinding TakeOne(const engine::PortBinding& wanted);
  void GiveBackOne(const engine::PortBinding& binding);

  std::mutex mutex_;
  PortAllocator allocator_;
};

/// Its protocol. @throws Error kConfig "invalid transport protocol: 1"
firewall::Protocol ProtocolOf(const engine::PortBinding& binding);
/// Its host address; without one, every address of the host, of both families.
std::vector<net::Address> HostAddressesOf(const engine::PortBinding& binding);

}  // namespace cnm::local
