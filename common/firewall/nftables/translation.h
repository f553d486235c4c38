// translation.h: an owner's rules as elements of our sets. Internal to this folder.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "common/firewall/firewall.h"
#include "common/firewall/nftables/element.h"

namespace cnm::firewall::nftables {

/// Sets of the table `inet cnm`: links by name.
inline constexpr std::string_view kIsolatedBridges = "isolated_bridges";
inline constexpr std::string_view kIsolatedSelves = "isolated_selves";  ///< each with itself
inline constexpr std::string_view kClosedBridges = "closed_bridges";    ///< in `bridge cnm` too
inline constexpr std::string_view kInternalBridges = "internal_bridges";
/// One for each family: "forward_v4".
inline constexpr std::string_view kForward = "forward";
/// Ports that are reached on a closed bridge, in both tables: from . to . protocol . port, one for
/// each family.
inline constexpr std::string_view kPassages = "passages";
/// Sets of the table `bridge cnm`.
inline constexpr std::string_view kGuardedLinks = "guarded_links";
inline constexpr std::string_view kGuardedPairs = "guarded_pairs";

/// The first word of the comment of what has no one owner: "bridge cni0". Besides isolation, a
/// passage: each of its two endpoints may have asked for it.
inline constexpr std::string_view kSharedOwner = "bridge";

/// The set of the addresses that are masqueraded outside this subnet. Colons, which nft(8) does not
/// take in a name, are underscores.
std::string MasqueradeSet(const net::Prefix& subnet);

/// The elements that make up an owner's rules, each once. Published ports under conditions are not
/// among them (conditions.h).
/// @throws Error kInternal when a link's name is too long; kConfig for impossible ports
std::vector<Element> ElementsOf(const Rules& rules);

}  // namespace cnm::firewall::nftables
