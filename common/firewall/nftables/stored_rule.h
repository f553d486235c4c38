// stored_rule.h: rules that a chain holds now. Internal to this folder.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/firewall/nftables/element.h"
#include "common/netlink/channel.h"

namespace cnm::firewall::nftables {

struct StoredRule {
  uint64_t handle = 0;
  std::string comment;
  std::vector<std::string> sets;  ///< that it looks things up in
};

/// The rules of one chain, in order; none if there is no such chain or table. One dump.
std::vector<StoredRule> ReadRules(netlink::Channel& channel, const ChainName& chain);

/// Deletes this one rule.
netlink::Request RemoveRule(const ChainName& chain, uint64_t handle);

/// Whether the chain is there; of a base chain: and hooked. One request.
bool HasChain(netlink::Channel& channel, const ChainName& chain, bool base);

}  // namespace cnm::firewall::nftables
