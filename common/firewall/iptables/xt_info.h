// xt_info.h: matches and targets of iptables as the kernel holds them: a name, a revision and a C
// struct of linux/netfilter/. Internal to the iptables backend and its helper program.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "common/firewall/iptables/rule.h"

namespace cnm::firewall::iptables {

/// One match or target.
struct XtInfo {
  std::string name;
  uint8_t revision = 0;
  std::vector<uint8_t> bytes = {};  ///< the struct, without padding to XT_ALIGN
};

/// The matches of the rule, in the order in which the reference plugins name them.
/// @throws Error kConfig when the rule has further conditions
std::vector<XtInfo> MatchesOf(const Rule& rule);
/// The target of a rule with one of the kernel's modules: MARK, MASQUERADE, DNAT; no name for
/// verdicts and chains.
XtInfo TargetOf(const Rule& rule, net::Family family);

/// Writes what the match says into the rule. @returns false for what the rule has no place for
bool DecodeMatch(const std::string& name, uint8_t revision, std::span<const uint8_t> bytes,
                 Rule& rule);
/// The same for a target, whose name is kept in any case.
bool DecodeTarget(const std::string& name, uint8_t revision, std::span<const uint8_t> bytes,
                  net::Family family, Rule& rule);

}  // namespace cnm::firewall::iptables
