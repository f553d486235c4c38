// iptables.h: the packet filter backend that speaks iptables, with the reference plugins' chain
// names and rule texts.
#pragma once

#include <memory>

#include "common/firewall/firewall.h"
#include "common/netlink/channel.h"

namespace cnm::firewall {

/// Opens nothing yet: a call finds out which variant (nft or legacy) the host's iptables is.
std::unique_ptr<Firewall> MakeIptables(Ledger ledger);

/// Whether any table of either variant is in use: without one there is nothing of anybody's. No
/// exec.
bool HasIptablesTables();

/// Whether the host's FORWARD chain drops what nobody accepts, or Docker's chains exist; either
/// family. No exec unless legacy tables are loaded.
bool IptablesMayDrop(netlink::Channel& netfilter);

/// @throws Error kUnavailable when the host has no iptables
void RequireIptables();

}  // namespace cnm::firewall
