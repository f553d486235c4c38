// listing.h: everything of ours that stands in nftables, for people. Internal to this folder.
#pragma once

#include <vector>

#include "common/firewall/firewall.h"
#include "common/netlink/channel.h"

namespace cnm::firewall::nftables {

/// See Firewall::List: elements table by table and set by set, then rules under conditions.
std::vector<Programmed> ListProgrammed(netlink::Channel& channel);

}  // namespace cnm::firewall::nftables
