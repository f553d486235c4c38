// ports.h: published ports, normalised, and as elements of nftables maps. Internal to this folder.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/firewall/firewall.h"
#include "common/firewall/nftables/element.h"

namespace cnm::firewall::nftables {

/// Maps of the table `inet cnm`, one for each family: "ports_v4", "ports_v6".
inline constexpr std::string_view kPorts = "ports";         ///< address . protocol . port
inline constexpr std::string_view kAnyPorts = "any_ports";  ///< protocol . port
inline constexpr std::string_view kRanges = "ranges";       ///< the same for ranges
inline constexpr std::string_view kAnyRanges = "any_ranges";
/// Sets: "masquerade_all_v4".
inline constexpr std::string_view kMasqueradeAll = "masquerade_all";
/// The name of a family's set.
std::string FamilySet(std::string_view stem, net::Family family);
/// The set of the targets in this subnet whose neighbours and localhost are masqueraded:
/// "hairpin-192.0.2.0/24". Colons, which nft(8) does not take in a name, are underscores.
std::string HairpinSet(const net::Prefix& subnet);

/// A port of the host, or a range of ports that lead to ports of the same numbers.
struct Published {
  Protocol protocol = Protocol::kTcp;
  std::optional<net::Address> host_address = {};
  uint16_t first = 0;
  uint16_t last = 0;
  net::Prefix target;
  uint16_t target_port = 0;  ///< for `first`

  bool is_range() const { return last != first; }
};

/// Each port once: of duplicates the first counts. Neighbours with the numbers of their targets are
/// one range; a shifted range is single ports.
/// @throws Error kConfig for port 0, ports beyond 65535, and addresses of two families
std::vector<Published> Normalize(const std::vector<PortMapping>& mappings);

/// "192.0.2.1:8080/tcp", "[::]:8000-8010/udp"; an absent address is the family's unspecified one.
std::string Describe(const Published& published);

/// The elements of the maps, without those under conditions, and of the sets of masqueraded
/// targets.
/// @throws Error kConfig, as Normalize
std::vector<Element> PublicationElements(const Rules& rules);

/// Whether mappings to targets of this family are rules under conditions, not elements.
bool IsConditional(const Publication& publication, net::Family family);

/// What must not be in the way of this element: for each of its ports, a question to its rival set.
std::vector<Element> RivalQuestions(const Element& element);
/// A question for each of its keys in its own set.
std::vector<Element> OwnQuestions(const Element& element);

}  // namespace cnm::firewall::nftables
