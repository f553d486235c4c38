// nftables.h: the packet filter backend that speaks nf_tables over netlink.
#pragma once

#include <memory>

#include "common/firewall/firewall.h"
#include "common/netlink/channel.h"

namespace cnm::firewall {

/// Tables `inet cnm` and `bridge cnm`. The socket is opened at the first call, in the netns of that
/// moment.
std::unique_ptr<Firewall> MakeNftables(Ledger ledger);

/// Whether the kernel has nf_tables. One request.
bool HasNftables();
/// The same over a socket of NETLINK_NETFILTER.
bool HasNftables(netlink::Channel& netfilter);

}  // namespace cnm::firewall
