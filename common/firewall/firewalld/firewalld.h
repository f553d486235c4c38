// firewalld.h: the packet filter backend that asks firewalld to trust addresses.
#pragma once

#include <memory>

#include "common/firewall/firewall.h"
#include "common/netlink/channel.h"

namespace cnm::firewall {

/// Forwarding only: each address becomes a source of the zone (runtime configuration, as the
/// reference's). firewalld keeps no owner, so what of it is ours only the ledger's records tell.
/// Nothing is opened; each call that has something to do runs cnm-firewalld once.
std::unique_ptr<Firewall> MakeFirewalld(Ledger ledger);

/// Whether firewalld may run here: it is installed and there is a system bus. At most two looks at
/// the file system, one where it is not installed.
bool HasFirewalld();

/// @throws Error kUnavailable when it does not run, or cannot be asked
void RequireFirewalld();

/// Whether it runs and drops what it was not told to forward: where HasFirewalld, one question to
/// the kernel (nullptr: it has no nf_tables); if its table is there, cnm-firewalld asks the bus.
/// Without that program it cannot be told: a warning, and no.
bool FirewalldMayDrop(netlink::Channel* netfilter);

}  // namespace cnm::firewall
