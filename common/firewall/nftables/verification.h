// verification.h: comparing rules with what the kernel holds. Internal to this folder.
#pragma once

#include "common/firewall/firewall.h"
#include "common/netlink/channel.h"

namespace cnm::firewall::nftables {

/// See Firewall::Verify: the elements, and the chains and rules that use them.
void VerifyRules(netlink::Channel& channel, const Rules& rules);

}  // namespace cnm::firewall::nftables
