// removal.h: taking elements and rules of ours away. Internal to this folder.
#pragma once

#include <cstddef>
#include <string_view>
#include <vector>

#include "common/firewall/firewall.h"
#include "common/net/prefix.h"
#include "common/netlink/channel.h"

namespace cnm::firewall::nftables {

/// See Firewall::Remove.
void RemoveExactly(netlink::Channel& channel, const Rules& rules);
/// See Firewall::RemoveByOwner. @returns how many elements and rules
size_t RemoveOwned(netlink::Channel& channel, std::string_view owner);
/// See Firewall::ForgetSubnets.
void RemoveUnused(netlink::Channel& channel, const std::vector<net::Prefix>& subnets);

}  // namespace cnm::firewall::nftables
