// firewalld.h: the packet filter backend that asks firewalld to trust addresses.
#pragma once

#include <memory>

#include "common/firewall/firewall.h"

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

/// Whether it runs: asks the bus, where HasFirewalld. Without cnm-firewalld that cannot be told: a
/// warning, and no.
bool FirewalldRuns();

}  // namespace cnm::firewall
