// schema_publication.cc: what our nftables tables hold for published ports (see schema.cc).
#include <netinet/in.h>

#include <linux/netfilter.h>
#include <linux/netfilter/nf_conntrack_common.h>
#include <linux/netfilter/nf_tables.h>

#include "common/firewall/nftables/expressions.h"
#include "common/firewall/nftables/ports.h"
#include "common/firewall/nftables/schema.h"

namespace cnm::firewall::nftables {
namespace {

using netlink::Request;

constexpr Table kTable = Table::kInet;
constexpr Hook kPreroutingHook = {kPrerouting, "nat", NF_INET_PRE_ROUTING, -100};
constexpr Hook kOutputHook = {kOutput, "nat", NF_INET_LOCAL_OUT, -100};
constexpr Hook kMartiansHook = {kMartians, "filter", NF_INET_PRE_ROUTING, -300};
constexpr uint32_t kLoopbackIfindex = 1;  // in every netns
constexpr Field kDestinationPort = {NFT_PAYLOAD_TRANSPORT_HEADER, 2, 2};
constexpr uint32_t kRegisterBytes = 4;

/// The quarter register that lies so many bytes behind the start of register 1.
uint32_t RegisterAt(uint32_t bytes) {
  return NFT_REG32_00 + bytes / kRegisterBytes;
}

uint32_t AddressBytes(net::Family family) {
  return AddressType(family).bytes;
}

SetType PortsType(net::Family family, bool with_address, bool ranges) {
  const SetType address = AddressType(family);
  SetType type{.type = kTypeProtocol << 6 | kTypeService,
               .bytes = 2 * kRegisterBytes,
               .data_type = address.type,
               .data_bytes = address.bytes,
               .data_order = kNetworkOrder};
  if (with_address) {
    type.type |= address.type << 12;
    type.bytes += address.bytes;
  }
  if (ranges) {
    type.fields = {1, 2};
    if (with_address) type.fields.insert(type.fields.begin(), address.bytes);
    return type;
  }
  type.data_type = address.type << 6 | kTypeService;
  type.data_bytes += kRegisterBytes;
  type.data_order = 0;
  return type;
}

Request MakeHookRule(std::string_view chain, const FamilyFields& fields) {
  Request request = MakeRule(kTable, chain);
  Expressions rule(request);
  MatchFamily(rule, fields);
  rule.ToThisHost();
  rule.Verdict(NFT_GOTO, FamilySet(kPublished, fields.family));
  return request;
}

Request MakeJump(std::string_view chain, std::string_view to) {
  Request request = MakeRule(kTable, chain);
  Expressions(request).Verdict(NFT_JUMP, to);
  return request;
}

/// dnat to what [address .] protocol . port leads to in the map
Request MakePortRule(std::string_view chain, std::string_view map, net::Family family) {
  Request request = MakeRule(kTable, chain);
  Expressions rule(request);
  const bool ranges = map == kRanges || map == kAnyRanges;
  const bool with_address = map == kPorts || map == kRanges;
  uint32_t offset = 0;
  if (with_address) {
    const FamilyFields& fields = FieldsOf(family);
    MatchFamily(rule, fields);
    rule.Load(fields.destination, NFT_REG_1);
    offset = AddressBytes(family);
  }
  rule.Meta(NFT_META_L4PROTO, RegisterAt(offset));
  rule.Load(kDestinationPort, RegisterAt(offset + kRegisterBytes));
  rule.LookupMap(FamilySet(map, family));
  const uint32_t port = RegisterAt(AddressBytes(family));
  rule.DestinationNat(family, ranges ? std::nullopt : std::optional(port));
  return request;
}

/// Connections that were redirected go to the subchain before anything else.
Request MakeReflectedJump() {
  Request request = MakeFirstRule(kTable, kPostrouting);
  Expressions rule(request);
  rule.Connection(NFT_CT_STATUS, IPS_DST_NAT);
  rule.Verdict(NFT_JUMP, kReflected);
  return request;
}

/// Masquerades what goes from `source`, if given, to the targets in the set.
Request MakeReflectedRule(const FamilyFields& fields, const std::optional<net::Prefix>& source,
                          std::string_view targets) {
  Request request = MakeRule(kTable, kReflected);
  Expressions rule(request);
  MatchFamily(rule, fields);
  if (source) rule.CompareSubnet(fields.source, NFT_CMP_EQ, *source);
  rule.Load(fields.destination, NFT_REG_1);
  rule.Lookup(targets);
  rule.Masquerade();
  return request;
}

net::Prefix Localhost() {
  return net::Prefix::Parse("127.0.0.0/8").value();
}

Request MakeMartianRule(const Field& address) {
  Request request = MakeRule(kTable, kMartians);
  Expressions rule(request);
  rule.Meta(NFT_META_IIF, NFT_REG_1);
  rule.CompareNumber(NFT_CMP_NEQ, kLoopbackIfindex);
  MatchFamily(rule, FieldsOf(net::Family::kIpv4));
  rule.CompareSubnet(address, NFT_CMP_EQ, Localhost());
  rule.Verdict(NF_DROP);
  return request;
}

}  // namespace

void Structure::AppendPublished(net::Family family) {
  const std::string published = FamilySet(kPublished, family);
  const std::string conditional = FamilySet(kConditional, family);
  const std::string ranges = FamilySet(kAddressRanges, family);
  const FamilyFields& fields = FieldsOf(family);
  AppendSet(FamilySet(kPorts, family), PortsType(family, true, false));
  AppendSet(FamilySet(kAnyPorts, family), PortsType(family, false, false));
  AppendSet(FamilySet(kMasqueradeAll, family), AddressType(family));
  for (const std::string& chain : {conditional, ranges, published}) {
    Append(MakeChain(kTable, chain));
  }
  Append(MakeJump(published, conditional));
  Append(MakePortRule(published, kPorts, family));
  Append(MakeJump(published, ranges));
  Append(MakePortRule(published, kAnyPorts, family));
  Append(MakeHookRule(kPrerouting, fields));
  Append(MakeHookRule(kOutput, fields));
  Append(MakeReflectedRule(fields, {}, FamilySet(kMasqueradeAll, family)));
}

void Structure::NeedPublication() {
  NeedForwarding();  // published ports pass the operator's chain, which is there
  if (!StartsWithChain(kTable, Part::kPublication, kReflected)) return;
  Append(MakeChain(kTable, kReflected));
  Append(MakeReflectedJump());
  Append(MakeBaseChain(kTable, kMartiansHook));
  const FamilyFields& ipv4 = FieldsOf(net::Family::kIpv4);
  Append(MakeMartianRule(ipv4.source));
  Append(MakeMartianRule(ipv4.destination));
  Append(MakeBaseChain(kTable, kPreroutingHook));
  Append(MakeBaseChain(kTable, kOutputHook));
  for (const net::Family family : net::kFamilies) AppendPublished(family);
}

void Structure::NeedRanges() {
  NeedPublication();
  if (!StartsWithSet(Part::kRanges, FamilySet(kRanges, net::Family::kIpv4))) return;
  for (const net::Family family : net::kFamilies) {
    AppendSet(FamilySet(kRanges, family), PortsType(family, true, true));
    AppendSet(FamilySet(kAnyRanges, family), PortsType(family, false, true));
    Append(MakePortRule(FamilySet(kAddressRanges, family), kRanges, family));
    Append(MakePortRule(FamilySet(kPublished, family), kAnyRanges, family));
  }
}

void Structure::NeedHairpin(const net::Prefix& subnet) {
  NeedPublication();
  const std::string set = HairpinSet(subnet);
  if (!StartsWithSet(Part::kHairpin, set)) return;
  const FamilyFields& fields = FieldsOf(subnet.address.family());
  AppendSet(set, AddressType(fields.family));
  Append(MakeReflectedRule(fields, subnet, set));
  if (subnet.address.is_v4()) Append(MakeReflectedRule(fields, Localhost(), set));
}

}  // namespace cnm::firewall::nftables
