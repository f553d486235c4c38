// chapters.h: one kind of wish each, as operations on one family's table. Pure. Internal to this
// folder.
#pragma once

#include <vector>

#include "common/firewall/firewall.h"
#include "common/firewall/iptables/script.h"

namespace cnm::firewall::iptables {

using Operations = std::vector<Operation>;

/// Table nat. A chain for each container and network, jumped to from POSTROUTING once an address.
Operations AddMasquerades(const Rules& rules, net::Family family);
Operations RemoveMasquerades(const Rules& rules, net::Family family);

/// Table nat. A chain for each container and network, jumped to from the shared chain of published
/// ports once for each protocol and 15 ports; before that the claims on them.
/// @throws Error kConfig for ports beyond 65535
Operations AddPublication(const Rules& rules, net::Family family);
Operations RemovePublication(const Rules& rules, net::Family family);

/// Table raw. Connections from the host's localhost are published by letting packets with such
/// addresses be routed (route_localnet): those that come over a network must then be dropped,
/// before nat makes a container's address of them. Shared, and never removed.
Operations GuardLocalhost(const Publication& publication, net::Family family);

/// Table filter.
Operations AddForwarding(const Forwarding& forwarding, net::Family family);
Operations RemoveForwarding(const Forwarding& forwarding, net::Family family);

/// Table filter. The rules of the other policy for the same bridge go.
Operations AddIsolation(const Isolation& isolation);
/// Table filter, behind AddIsolation: what it drops passes.
Operations AddPassages(const std::vector<Passage>& passages, net::Family family);
Operations RemovePassages(const std::vector<Passage>& passages, net::Family family);

/// Both policies' rules for the bridge.
Operations RemoveIsolation(const Isolation& isolation);

}  // namespace cnm::firewall::iptables
