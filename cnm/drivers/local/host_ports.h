// host_ports.h: the host's ports that published ports of this process's networks are chosen from.
#pragma once

#include <memory>
#include <mutex>
#include <vector>

#include "cnm/engine/values.h"
#include "cnm/ports/bound_ports.h"
#include "cnm/ports/port_allocator.h"
#include "cnm/ports/port_proxy.h"

namespace cnm::local {

/// A PortAllocator that several threads and drivers share.
class HostPorts {
 public:
  /// `ephemeral`: where a binding without a host port looks; {0, 0} = the host's own range.
  /// `bound`: ports that are taken are bound, so that other programs cannot have them; `proxy`
  /// serves them, unless it is nullptr.
  explicit HostPorts(PortRange ephemeral = {}, bool bound = false,
                     std::shared_ptr<PortProxy> proxy = nullptr);

  /// Takes a host port for each binding, or none at all; where there is a choice, one that no other
  /// program has. @returns the bindings with `host_ip` and `host_port` set, `host_port_end` the
  /// same as `host_port`
  /// @throws Error kConfig "invalid transport protocol: N"; kInUse, kExhausted of PortAllocator;
  ///         kInUse of BoundPorts
  std::vector<engine::PortBinding> Take(const std::vector<engine::PortBinding>& wanted);
  /// Notes ports that are published already; those that are taken stay taken. One that another
  /// program got hold of meanwhile is named on stderr: it is published all the same.
  void Note(const std::vector<engine::PortBinding>& bindings,
            const std::vector<net::Address>& targets = {});
  /// Has the proxy lead them on to one of these addresses, of their own family if there is any.
  /// @throws Error kKernel
  void Serve(const std::vector<engine::PortBinding>& bindings,
             const std::vector<net::Address>& targets);
  void GiveBack(const std::vector<engine::PortBinding>& bindings);

 private:
  engine::PortBinding TakeOne(const engine::PortBinding& wanted);
  void NoteOne(const engine::PortBinding& binding, const std::vector<net::Address>& targets);
  void ServeOne(const engine::PortBinding& binding, const std::vector<net::Address>& targets);
  void Bind(const engine::PortBinding& binding);
  void GiveBackOne(const engine::PortBinding& binding);

  std::mutex mutex_;
  PortAllocator allocator_;
  bool bound_;
  BoundPorts sockets_;
  std::shared_ptr<PortProxy> proxy_;
};

/// Whether they can be published, before anything is recorded of them.
/// @throws Error kConfig "invalid transport protocol: 1", "invalid port: 0" of the container,
///         "invalid port range: 2-1"
void CheckBindings(const std::vector<engine::PortBinding>& bindings);

/// Its protocol. @throws Error kConfig "invalid transport protocol: 1"
firewall::Protocol ProtocolOf(const engine::PortBinding& binding);
/// Its host address; without one, every address of the host, of both families.
std::vector<net::Address> HostAddressesOf(const engine::PortBinding& binding);

}  // namespace cnm::local
