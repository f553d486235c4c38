// conditions.h: published ports that a packet reaches only under the operator's conditions.
// Internal to this folder.
#pragma once

#include <span>
#include <string_view>
#include <vector>

#include "common/firewall/firewall.h"
#include "common/firewall/nftables/stored_rule.h"
#include "common/netlink/channel.h"

namespace cnm::firewall::nftables {

/// Whether any of the mappings is subject to conditions.
bool HasConditions(const Publication& publication);

/// One rule for each mapping under conditions, in the chains conditional_v4 and conditional_v6,
/// which must be there; those the owner has there are replaced. Conditions are words of nft's
/// language, and only nft(8) knows that, so this runs it, once. Nothing without conditions.
/// @throws Error kUnavailable without nft(8); kConfig when it refuses the words
void AddConditional(netlink::Channel& channel, const Rules& rules);

/// The same for many owners, once each: one that is refused does not keep the others closed.
/// @throws Error of the first that failed, after the last, naming all that did
void AddAllConditional(netlink::Channel& channel, std::span<const Rules> all);

/// A rule under conditions.
struct ConditionalRule {
  ChainName chain;
  StoredRule rule;
};
/// Those of this owner; "" = of all. Two dumps of those chains.
std::vector<ConditionalRule> FindConditional(netlink::Channel& channel, std::string_view owner);

/// How many rules the publication makes.
size_t CountConditional(const Publication& publication);

}  // namespace cnm::firewall::nftables
