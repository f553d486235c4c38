// entry.h: a rule as the bytes of the kernel's older packet filter, and back. Internal to this
// program.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "common/firewall/iptables/rule.h"

namespace cnm::firewall::xtables {

/// struct ipt_entry (or ip6t_entry), its matches and its target. libiptc puts the right numbers in
/// for verdicts and chains, which are told by their names.
std::vector<uint8_t> EncodeEntry(const iptables::Rule& rule, net::Family family);

/// The rule of an entry whose target, if it is a verdict or a chain, has this name.
iptables::Rule DecodeEntry(std::span<const uint8_t> entry, const std::string& target,
                           net::Family family);

}  // namespace cnm::firewall::xtables
