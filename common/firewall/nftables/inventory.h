// inventory.h: what our nftables tables hold now. Internal to this folder.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "common/firewall/nftables/element.h"
#include "common/firewall/nftables/schema.h"
#include "common/netlink/channel.h"

namespace cnm::firewall::nftables {

/// The number of the rule set: every transaction of anybody's raises it.
uint32_t ReadGeneration(netlink::Channel& channel);

/// Whether the kernel answers that question: it has nf_tables.
bool HasGeneration(netlink::Channel& channel);

/// The names of a table's chains and sets; nothing if it is not there. Two dumps.
Contents ReadContents(netlink::Channel& channel, Table table);

/// @throws Error kTryAgain when a newer program built the table
void RefuseNewer(const Contents& contents, Table table);

/// Whether the table has this set. One request.
bool HasSet(netlink::Channel& channel, Table table, std::string_view set);

/// What stands where these elements would be, and the rule set's generation before any of it was
/// read.
struct Found {
  uint32_t generation = 0;
  std::vector<std::optional<Stored>> elements;  ///< as many as were asked for
};
/// Asks for each element, many in one send.
Found Find(netlink::Channel& channel, std::span<const Element> elements);

/// Every element of the set.
std::vector<Stored> ReadElements(netlink::Channel& channel, Table table, std::string_view set);

/// Every element of the table whose comment begins with this owner. Dumps the table.
std::vector<Element> FindOwned(netlink::Channel& channel, Table table, std::string_view owner);

}  // namespace cnm::firewall::nftables
