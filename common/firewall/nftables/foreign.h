// foreign.h: what the reference plugins leave in nftables. Internal to this folder.
#pragma once

#include "common/firewall/firewall.h"
#include "common/netlink/channel.h"

namespace cnm::firewall::nftables {

/// See Firewall::RemoveForeign. Every chain is asked for only when its flag is set.
void RemoveLeavings(netlink::Channel& channel, const Foreign& foreign);

}  // namespace cnm::firewall::nftables
