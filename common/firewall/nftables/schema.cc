// schema.cc: what our nftables tables hold besides elements.
//
// Theory of operation. Tables as `nft list ruleset` shows them, with one subnet and one endpoint in
// each:
//
//   table inet cnm {
//     chain schema_1 { }
//     set masquerade-192.0.2.0/24 { type ipv4_addr; elements = { 192.0.2.5 comment "OWNER NETWORK"
//     } } chain postrouting {
//       type nat hook postrouting priority srcnat; policy accept;
//       ip daddr 224.0.0.0/4 return
//       ip6 daddr ff00::/8 return
//       ip saddr @masquerade-192.0.2.0/24 ip daddr != 192.0.2.0/24 masquerade
//     }
//   }
//   table bridge cnm {
//     chain schema_1 { }
//     set guarded_links { type ifname; elements = { "veth0" comment "..." } }
//     set guarded_pairs { type ifname . ether_addr; elements = { "veth0" . 02:00:5e:10:00:01
//     comment "..." } } chain prerouting {
//       type filter hook prerouting priority -300; policy accept;
//       iifname @guarded_links iifname . ether saddr != @guarded_pairs drop
//     }
//   }
//
// One set per subnet and plain elements, not one verdict map with `goto`: the kernel checks every
// verdict of a table for loops when one is added, which cost 8 to 12 ms at 20,000 endpoints, while
// adding to a plain set costs the same however many it holds. The price is one rule per subnet at
// the first packet of a flow. A subnet's set and rule never change, so they stay when its last
// endpoint goes.
#include "common/firewall/nftables/schema.h"

#include <netinet/in.h>

#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter_bridge.h>

#include <array>
#include <charconv>

#include <fmt/format.h>

#include "common/firewall/nftables/expressions.h"
#include "common/netlink/attributes.h"

namespace cnm::firewall {
namespace {

using netlink::Nest;
using netlink::Request;

constexpr std::string_view kSchemaPrefix = "schema_";
constexpr std::string_view kPostrouting = "postrouting";
constexpr std::string_view kPrerouting = "prerouting";
constexpr int kCreate = NLM_F_CREATE | NLM_F_EXCL;
// Numbers of nft(8)'s own, kept in a set so that it can print the elements: types, 6 bits each, and
// byte orders.
constexpr uint32_t kTypeIpv4 = 7;
constexpr uint32_t kTypeIpv6 = 8;
constexpr uint32_t kTypeEther = 9;
constexpr uint32_t kTypeIfname = 41;
constexpr uint8_t kHostOrder = 1;
constexpr uint8_t kNetworkOrder = 2;

/// Where an address family keeps its addresses.
struct FamilyFields {
  uint8_t protocol;  // NFPROTO_*
  Field source;
  Field destination;
};
constexpr FamilyFields kIpv4Fields = {
    NFPROTO_IPV4, {NFT_PAYLOAD_NETWORK_HEADER, 12, 4}, {NFT_PAYLOAD_NETWORK_HEADER, 16, 4}};
constexpr FamilyFields kIpv6Fields = {
    NFPROTO_IPV6, {NFT_PAYLOAD_NETWORK_HEADER, 8, 16}, {NFT_PAYLOAD_NETWORK_HEADER, 24, 16}};
constexpr Field kEtherSource = {NFT_PAYLOAD_LL_HEADER, 6, 6};

const FamilyFields& FieldsOf(const net::Address& address) {
  return address.is_v4() ? kIpv4Fields : kIpv6Fields;
}

struct Hook {
  std::string_view chain;
  std::string_view type;
  uint32_t number;
  int32_t priority;
};
constexpr Hook kPostroutingHook = {kPostrouting, "nat", NF_INET_POST_ROUTING, 100};
constexpr Hook kPreroutingHook = {kPrerouting, "filter", NF_BR_PRE_ROUTING, -300};

Request MakeChain(Table table, std::string_view name) {
  Request request = MakeMessage("", NFT_MSG_NEWCHAIN, kCreate, table);
  netlink::PutText(request, NFTA_CHAIN_NAME, name);
  return request;
}

Request MakeBaseChain(Table table, const Hook& hook) {
  Request request = MakeChain(table, hook.chain);
  netlink::PutText(request, NFTA_CHAIN_TYPE, hook.type);
  Expressions::PutNumber(request, NFTA_CHAIN_POLICY, NF_ACCEPT);
  const Nest nest(request, NFTA_CHAIN_HOOK);
  Expressions::PutNumber(request, NFTA_HOOK_HOOKNUM, hook.number);
  Expressions::PutNumber(request, NFTA_HOOK_PRIORITY, static_cast<uint32_t>(hook.priority));
  return request;
}

struct SetType {
  uint32_t type;
  uint32_t bytes;
  uint8_t order;
};

/// `id` distinguishes the sets of one transaction.
Request MakeSet(Table table, std::string_view name, const SetType& type, size_t id) {
  Request request = MakeMessage("", NFT_MSG_NEWSET, kCreate, table);
  netlink::PutText(request, NFTA_SET_NAME, name);
  Expressions::PutNumber(request, NFTA_SET_FLAGS, 0);
  Expressions::PutNumber(request, NFTA_SET_KEY_TYPE, type.type);
  Expressions::PutNumber(request, NFTA_SET_KEY_LEN, type.bytes);
  Expressions::PutNumber(request, NFTA_SET_ID, static_cast<uint32_t>(id));
  // NFTNL_UDATA_SET_KEYBYTEORDER, 4 bytes
  const std::array<uint8_t, 6> order = {0, 4, type.order, 0, 0, 0};
  netlink::Put(request, NFTA_SET_USERDATA, order);
  return request;
}

Request MakeRule(Table table, std::string_view chain) {
  Request request = MakeMessage("", NFT_MSG_NEWRULE, NLM_F_CREATE | NLM_F_APPEND, table);
  netlink::PutText(request, NFTA_RULE_CHAIN, chain);
  return request;
}

void MatchFamily(Expressions& rule, const FamilyFields& fields) {
  rule.Meta(NFT_META_NFPROTO, NFT_REG_1);
  rule.Compare(NFT_CMP_EQ, {&fields.protocol, 1});
}

Request MakeMulticastRule(const net::Prefix& multicast) {
  Request request = MakeRule(Table::kInet, kPostrouting);
  Expressions rule(request);
  const FamilyFields& fields = FieldsOf(multicast.address);
  MatchFamily(rule, fields);
  rule.CompareSubnet(fields.destination, NFT_CMP_EQ, multicast);
  rule.Verdict(NFT_RETURN);
  return request;
}

Request MakeMasqueradeRule(const net::Prefix& subnet) {
  Request request = MakeRule(Table::kInet, kPostrouting);
  Expressions rule(request);
  const FamilyFields& fields = FieldsOf(subnet.address);
  MatchFamily(rule, fields);
  rule.Load(fields.source, NFT_REG_1);
  rule.Lookup(MasqueradeSet(subnet));
  rule.CompareSubnet(fields.destination, NFT_CMP_NEQ, subnet);
  rule.Masquerade();
  return request;
}

Request MakeSpoofRule() {
  Request request = MakeRule(Table::kBridge, kPrerouting);
  Expressions rule(request);
  rule.Meta(NFT_META_IIFNAME, NFT_REG_1);
  rule.Lookup(kGuardedLinks);
  rule.Meta(NFT_META_IIFNAME, NFT_REG_1);
  rule.Load(kEtherSource, NFT_REG_2);
  rule.Lookup(kGuardedPairs, true);
  rule.Verdict(NF_DROP);
  return request;
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

void AppendDeletion(Table table, Messages& messages) {
  // Created first, because deleting what is not there would fail the transaction.
  messages.push_back(MakeMessage("", NFT_MSG_NEWTABLE, NLM_F_CREATE, table));
  messages.push_back(MakeMessage("", NFT_MSG_DELTABLE, 0, table));
}

void AppendSkeleton(Table table, Messages& messages) {
  messages.push_back(MakeMessage("", NFT_MSG_NEWTABLE, kCreate, table));
  messages.push_back(MakeChain(table, SchemaChain(kSchema)));
  if (table == Table::kInet) {
    messages.push_back(MakeBaseChain(table, kPostroutingHook));
    messages.push_back(MakeMulticastRule(net::Prefix::Parse("224.0.0.0/4").value()));
    messages.push_back(MakeMulticastRule(net::Prefix::Parse("ff00::/8").value()));
    return;
  }
  messages.push_back(MakeSet(table, kGuardedLinks, {kTypeIfname, 16, kHostOrder}, messages.size()));
  messages.push_back(MakeSet(table, kGuardedPairs, {kTypeIfname << 6 | kTypeEther, 24, kHostOrder},
                             messages.size()));
  messages.push_back(MakeBaseChain(table, kPreroutingHook));
  messages.push_back(MakeSpoofRule());
}

void AppendSubnet(const net::Prefix& subnet, Messages& messages) {
  const bool is_v4 = subnet.address.is_v4();
  const SetType type = {is_v4 ? kTypeIpv4 : kTypeIpv6, is_v4 ? 4U : 16U, kNetworkOrder};
  messages.push_back(MakeSet(Table::kInet, MasqueradeSet(subnet), type, messages.size()));
  messages.push_back(MakeMasqueradeRule(subnet));
}

}  // namespace cnm::firewall
