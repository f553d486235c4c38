// inventory.h: what our nftables tables hold now. Internal to this folder.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/firewall/nftables/element.h"
#include "common/netlink/channel.h"

namespace cnm::firewall {

/// The number of the rule set: every transaction of anybody's raises it.
uint32_t ReadGeneration(netlink::Channel& channel);

/// Whether the table is there with our schema. @throws Error kTryAgain when it has a newer one
bool IsCurrent(netlink::Channel& channel, Table table);

/// The comment of this element; nullopt if it is not there.
std::optional<std::string> FindComment(netlink::Channel& channel, const Element& element);

/// Every element of the table whose comment begins with this owner.
std::vector<Element> FindOwned(netlink::Channel& channel, Table table, std::string_view owner);

}  // namespace cnm::firewall
