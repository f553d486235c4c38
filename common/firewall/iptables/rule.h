// rule.h: one rule of a chain of iptables, as a value: the part of the language that our rules, and
// the reference plugins', are written in. Internal to the iptables backend and its helper program.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/firewall/firewall.h"
#include "common/net/prefix.h"

namespace cnm::firewall::iptables {

/// Ports from `first` to `last`, host order.
struct PortRange {
  uint16_t first = 0;
  uint16_t last = 0;
  auto operator<=>(const PortRange&) const = default;  // NOLINT(modernize-use-nullptr): misread
};

/// A link's name that must (or, negated, must not) be the packet's; "br+" is any that begins so.
struct LinkMatch {
  std::string name;
  bool negated = false;
  bool operator==(const LinkMatch&) const = default;
};

/// A subnet that the packet's address must (or, negated, must not) lie in.
struct SubnetMatch {
  net::Prefix subnet;
  bool negated = false;
  bool operator==(const SubnetMatch&) const = default;
};

/// Where DNAT sends a connection.
struct Destination {
  net::Address address;
  std::optional<PortRange> ports = {};  ///< none = the port stays
  /// The port that becomes ports->first; 0 = any of `ports`.
  uint16_t base = 0;
  bool operator==(const Destination&) const = default;
};

/// Stands, as `-m conditions`, for words that this struct has no place for.
inline constexpr std::string_view kSomeConditions = "conditions";

/// What a packet must be, and what happens to it.
struct Rule {
  std::optional<SubnetMatch> source = {};
  std::optional<SubnetMatch> destination = {};
  std::optional<LinkMatch> in = {};
  std::optional<LinkMatch> out = {};
  std::optional<uint8_t> protocol = {};     ///< IP protocol number
  std::optional<PortRange> port = {};       ///< destination port; needs the protocol
  std::vector<PortRange> ports = {};        ///< multiport: any of these (at most 15)
  std::optional<uint8_t> icmpv6_type = {};  ///< needs the protocol 58
  std::string comment = {};
  std::optional<uint32_t> mark = {};  ///< these bits of the packet's mark are set
  bool to_local = false;              ///< addrtype: the destination is one of the host's addresses
  bool established = false;           ///< conntrack: RELATED,ESTABLISHED
  bool translated = false;            ///< conntrack: DNAT; not both
  /// Further words of iptables' own language. A rule read from the kernel that has what this struct
  /// cannot hold has {"-m", "conditions"}.
  std::vector<std::string> conditions = {};

  std::string target = {};             ///< "ACCEPT", "MASQUERADE", "MARK", "DNAT" or a chain's name
  uint32_t set_mark = 0;               ///< of MARK: these bits are set
  std::optional<Destination> to = {};  ///< of DNAT

  bool operator==(const Rule&) const = default;
};

/// The rule as iptables-save prints it, without "-A CHAIN": "-s 192.0.2.1/32 -j ACCEPT".
std::string ToText(const Rule& rule);
/// The inverse, of ToText and of iptables-save within the same limits.
/// @throws Error kDecode naming the word it does not know
Rule ParseRule(std::string_view text);

/// Whether the rule in the kernel is the wanted one. `any_comment`: whatever it says. Conditions
/// cannot be compared; a wanted rule that has some is known by its comment, ports and target.
bool Matches(const Rule& wanted, const Rule& present, bool any_comment);

/// "tcp", "udp", "sctp", or the number.
std::string ProtocolText(uint8_t protocol);

}  // namespace cnm::firewall::iptables
