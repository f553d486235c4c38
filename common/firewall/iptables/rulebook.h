// rulebook.h: what owners want, as the reference plugins' chains and rules. Pure. Internal to this
// folder.
#pragma once

#include <span>
#include <vector>

#include "common/firewall/firewall.h"
#include "common/firewall/iptables/script.h"

namespace cnm::firewall::iptables {

/// What adds the rules.
/// @throws Error kConfig for what iptables cannot hold
std::vector<Script> AddScripts(const Rules& rules);
/// What must be there when they stand: the same without the claims; of rules without an owner,
/// which the reference plugins made, without the guard of localhost.
std::vector<Script> StandingScripts(const Rules& rules);
/// What removes them. The chains that all owners share stay, as the reference leaves them.
std::vector<Script> RemoveScripts(const Rules& rules);
/// What removes whatever the reference, or we, made for a container without a record: of all its
/// interfaces on the network, whose chains are one.
std::vector<Script> RemoveForeignScripts(const Foreign& foreign);
/// What adds the rules of all these, and puts the shared jumps out of FORWARD first again.
std::vector<Script> RebuildScripts(std::span<const Rules> live);

}  // namespace cnm::firewall::iptables
