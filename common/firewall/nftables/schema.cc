// schema.cc: what our nftables tables hold besides elements.
//
// Theory of operation. A table is created with its schema chain and, in `inet cnm`, the hook that
// masquerades; each further part when the first element needs it, so that packets pay only for what
// is used. As `nft list ruleset` shows them, with one subnet and one endpoint:
//
//   table inet cnm {
//     chain schema_4 { }
//     set masquerade-192.0.2.0/24 { type ipv4_addr; elements = { 192.0.2.5 comment "OWNER NETWORK"
//     } } chain postrouting {
//       type nat hook postrouting priority srcnat; policy accept;
//       ct status dnat jump reflected
//       ip daddr 224.0.0.0/4 return
//       ip6 daddr ff00::/8 return
//       ip saddr @masquerade-192.0.2.0/24 ip daddr != 192.0.2.0/24 masquerade
//     }
//
// Published ports (the same with v6; the maps of ranges come with the first range):
//
//     map ports_v4 { type ipv4_addr . inet_proto . inet_service : ipv4_addr . inet_service }
//     map any_ports_v4 { type inet_proto . inet_service : ipv4_addr . inet_service }
//     map ranges_v4 { type ipv4_addr . inet_proto . inet_service : ipv4_addr; flags interval }
//     map any_ranges_v4 { type inet_proto . inet_service : ipv4_addr; flags interval }
//     chain prerouting, chain output {
//       type nat hook prerouting, output priority dstnat; policy accept;
//       meta nfproto ipv4 fib daddr type local goto published_v4
//     }
//     chain published_v4 {
//       jump conditional_v4            # rules of mappings under conditions, one each
//       dnat ip to ip daddr . meta l4proto . th dport map @ports_v4
//       jump address_ranges_v4         # dnat ip to ip daddr . ... map @ranges_v4
//       dnat ip to meta l4proto . th dport map @any_ports_v4
//       dnat ip to meta l4proto . th dport map @any_ranges_v4
//     }
//     chain reflected {
//       ip daddr @masquerade_all_v4 masquerade
//       ip saddr 192.0.2.0/24 ip daddr @hairpin-192.0.2.0/24 masquerade
//       ip saddr 127.0.0.0/8 ip daddr @hairpin-192.0.2.0/24 masquerade
//     }
//     chain martians {
//       type filter hook prerouting priority raw; policy accept;
//       iif != "lo" ip saddr 127.0.0.0/8 drop
//       iif != "lo" ip daddr 127.0.0.0/8 drop
//     }
//
// A mapping of one address may stand beside one of the same port of all addresses: the former wins.
// `fib daddr type local` keeps traffic to other hosts out (CVE-2025-67499). The martians are
// dropped because published ports on localhost need route_localnet.
//
// Forwarding and isolation:
//
//     chain user { }                   # the operator's: before our accepts and drops
//     chain forward {
//       type filter hook forward priority filter; policy accept;
//       jump user
//       iifname @isolated_bridges oifname @isolated_bridges iifname . oifname != @isolated_selves
//         drop
//       iifname @closed_bridges oifname @closed_bridges jump closed
//       ct state established,related ip daddr @forward_v4 accept
//       ip saddr @forward_v4 accept
//     }
//     set passages_v4 { type ipv4_addr . ipv4_addr . inet_proto . inet_service; }
//     chain closed {                   # of each table; in `bridge cnm` ARP returns too
//       icmpv6 type { nd-neighbor-solicit, nd-neighbor-advert } return      # two rules
//       ip saddr . ip daddr . meta l4proto . th dport @passages_v4 return   # and v6
//       tcp flags syn / syn,ack drop
//       ip daddr . ip saddr . meta l4proto . th sport @passages_v4 return   # and v6: answers
//       drop
//     }
//     chain internal {                 # with the first internal bridge
//       type filter hook forward priority filter; policy accept;
//       iifname @internal_bridges iifname . oifname != @isolated_selves drop
//       oifname @internal_bridges iifname . oifname != @isolated_selves drop
//     }
//   }
//   table bridge cnm {
//     chain schema_4 { }
//     set guarded_links { type ifname; elements = { "veth0" comment "..." } }
//     set guarded_pairs { type ifname . ether_addr; elements = { "veth0" . 02:00:5e:10:00:01
//     comment
//     "..." } }
//     chain prerouting {
//       type filter hook prerouting priority -300; policy accept;
//       iifname @guarded_links iifname . ether saddr != @guarded_pairs drop
//     }
//     chain forward {
//       type filter hook forward priority filter; policy accept;
//       meta ibrname @closed_bridges jump closed
//     }
//   }
//
// Passages look at single packets, because the bridge's hook has no connections to ask about
// without a module of its own; with a first fragment that passed, the others are dropped.
//
// A bridge is in isolated_selves because nft has no way to compare two names of a packet. Between
// ports of a closed bridge, packets are seen by the bridge's own hook, if the kernel can name the
// bridge there (NFT_BRIDGE_META), and by `inet` where bridge-nf-call-iptables is on.
//
// One set per subnet and plain elements, not one verdict map with `goto`: the kernel checks every
// verdict of a table for loops when one is added, which cost 8 to 12 ms at 20,000 endpoints, while
// adding to a plain set costs the same however many it holds. The price is one rule per subnet at
// the first packet of a flow. A subnet's set and rule never change, so they stay when its last
// endpoint goes, until its network does (ForgetSubnets) or the tables are rebuilt.
#include "common/firewall/nftables/schema.h"

#include <netinet/in.h>

#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>

#include <algorithm>
#include <array>
#include <charconv>

#include <fmt/format.h>

#include "common/firewall/nftables/expressions.h"
#include "common/firewall/nftables/ports.h"
#include "common/firewall/nftables/translation.h"

namespace cnm::firewall::nftables {
namespace {

using netlink::Request;

constexpr std::string_view kSchemaPrefix = "schema_";
constexpr Hook kPostroutingHook = {kPostrouting, "nat", NF_INET_POST_ROUTING, 100};

Request MakeMulticastRule(std::string_view multicast) {
  const net::Prefix subnet = net::Prefix::Parse(multicast).value();
  Request request = MakeRule(Table::kInet, kPostrouting);
  Expressions rule(request);
  const FamilyFields& fields = FieldsOf(subnet.address.family());
  MatchFamily(rule, fields);
  rule.CompareSubnet(fields.destination, NFT_CMP_EQ, subnet);
  rule.Verdict(NFT_RETURN);
  return request;
}

Request MakeMasqueradeRule(const net::Prefix& subnet) {
  Request request = MakeRule(Table::kInet, kPostrouting);
  Expressions rule(request);
  const FamilyFields& fields = FieldsOf(subnet.address.family());
  MatchFamily(rule, fields);
  rule.Load(fields.source, NFT_REG_1);
  rule.Lookup(MasqueradeSet(subnet));
  rule.CompareSubnet(fields.destination, NFT_CMP_NEQ, subnet);
  rule.Masquerade();
  return request;
}

/// Whether a chain of this name was made by some version of this file.
bool IsOurChain(std::string_view name) {
  static constexpr std::array kNames = {kPostrouting, kPrerouting, kOutput,    kForwardChain,
                                        kInternal,    kMartians,   kReflected, kClosedChain};
  static constexpr std::array kOfFamilies = {kPublished, kConditional, kAddressRanges};
  if (SchemaOf(name) > 0) return true;
  if (std::find(kNames.begin(), kNames.end(), name) != kNames.end()) return true;
  return std::any_of(kOfFamilies.begin(), kOfFamilies.end(), [&](std::string_view stem) {
    return name == FamilySet(stem, net::Family::kIpv4) ||
           name == FamilySet(stem, net::Family::kIpv6);
  });
}

bool IsOurSet(std::string_view name) {
  static constexpr std::array kNames = {kIsolatedBridges, kIsolatedSelves, kClosedBridges,
                                        kInternalBridges, kGuardedLinks,   kGuardedPairs};
  static constexpr std::array kOfFamilies = {kPorts,         kAnyPorts, kRanges,  kAnyRanges,
                                             kMasqueradeAll, kForward,  kPassages};
  if (name.starts_with("masquerade-") || name.starts_with("hairpin-")) return true;
  if (std::find(kNames.begin(), kNames.end(), name) != kNames.end()) return true;
  return std::any_of(kOfFamilies.begin(), kOfFamilies.end(), [&](std::string_view stem) {
    return name == FamilySet(stem, net::Family::kIpv4) ||
           name == FamilySet(stem, net::Family::kIpv6);
  });
}

}  // namespace

std::string SchemaChain(unsigned schema) {
  return fmt::format("{}{}", kSchemaPrefix, schema);
}

unsigned SchemaOf(std::string_view chain) {
  if (!chain.starts_with(kSchemaPrefix)) return 0;
  chain.remove_prefix(kSchemaPrefix.size());
  unsigned schema = 0;
  const auto [end, error] = std::from_chars(chain.data(), chain.data() + chain.size(), schema);
  return error == std::errc() && end == chain.data() + chain.size() ? schema : 0;
}

bool Structure::Holds(const Element& element) const {
  const auto contents = inventory_.find(element.table);
  return contents != inventory_.end() && contents->second.sets.contains(element.set);
}

/// Whether the part is to be built now, as the table is without its chain.
bool Structure::StartsWithChain(Table table, Part part, std::string_view chain) {
  if (!inventory_[table].chains.emplace(chain).second) return false;
  table_ = table;
  part_ = part;
  return true;
}

/// The same for a part of `inet cnm` that is known by a set.
bool Structure::StartsWithSet(Part part, std::string_view set) {
  if (inventory_[Table::kInet].sets.contains(set)) return false;
  table_ = Table::kInet;
  part_ = part;
  return true;
}

void Structure::AppendSet(std::string_view name, const SetType& type) {
  inventory_[table_].sets.emplace(name);
  Append(MakeSet(table_, name, type, static_cast<uint32_t>(messages_.size())));
}

void Structure::Rebuild(Table table) {
  table_ = table;
  part_.reset();
  const Contents old = std::exchange(inventory_[table], {});
  std::vector<std::string> chains;
  std::copy_if(old.chains.begin(), old.chains.end(), std::back_inserter(chains), IsOurChain);
  // First every rule, because chains and sets cannot go while rules refer to them.
  for (const std::string& chain : chains) Append(FlushChain(OurChain(table, chain)));
  for (const std::string& chain : chains) Append(RemoveChain(OurChain(table, chain)));
  for (const std::string& set : old.sets) {
    if (IsOurSet(set)) Append(RemoveSet(table, set));
  }
  Append(MakeTable(table));
  Append(MakeChain(table, SchemaChain(kSchema)));
  if (table == Table::kBridge) return;
  Append(MakeBaseChain(table, kPostroutingHook));
  Append(MakeMulticastRule("224.0.0.0/4"));
  Append(MakeMulticastRule("ff00::/8"));
}

void Structure::Need(const Element& element) {
  switch (element.part) {
    case Part::kMasquerade:
      return NeedMasquerade(element.subnet.value());
    case Part::kHairpin:
      return NeedHairpin(element.subnet.value());
    case Part::kPublication:
      return NeedPublication();
    case Part::kRanges:
      return NeedRanges();
    case Part::kForwarding:
    case Part::kPassages:
      return NeedForwarding();
    case Part::kInternal:
      return NeedInternal();
    case Part::kSpoofGuard:
      return NeedSpoofGuard();
    case Part::kClosed:
      return NeedClosed();
  }
}

void Structure::NeedMasquerade(const net::Prefix& subnet) {
  if (!StartsWithSet(Part::kMasquerade, MasqueradeSet(subnet))) return;
  AppendSet(MasqueradeSet(subnet), AddressType(subnet.address.family()));
  Append(MakeMasqueradeRule(subnet));
}

}  // namespace cnm::firewall::nftables
