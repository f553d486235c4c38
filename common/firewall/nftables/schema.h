// schema.h: what our nftables tables hold besides elements, and the messages that build it.
// Internal to this folder.
#pragma once

#include <string>
#include <vector>

#include "common/firewall/nftables/element.h"
#include "common/net/prefix.h"
#include "common/netlink/request.h"

namespace cnm::firewall {

/// The number in the name of the chain `schema_1` in each of our tables. Raise it with every change
/// of what this file builds, and then rename the sets too: a warm Add sends nothing but elements,
/// so it notices another schema by the sets it does not find.
inline constexpr unsigned kSchema = 1;

/// "schema_1".
std::string SchemaChain(unsigned schema);
/// The number in such a name; 0 if it is none.
unsigned SchemaOf(std::string_view chain);

/// Messages for one transaction, in order.
using Messages = std::vector<netlink::Request>;

/// Deletes the table, whether or not it is there.
void AppendDeletion(Table table, Messages& messages);
/// Builds the table with its schema chain, hooks and fixed sets.
void AppendSkeleton(Table table, Messages& messages);
/// The set of a subnet's masqueraded addresses and the rule that uses it. Fails with EEXIST when
/// another process was quicker.
void AppendSubnet(const net::Prefix& subnet, Messages& messages);

}  // namespace cnm::firewall
