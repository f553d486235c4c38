// schema_closed.cc: what our nftables tables hold for bridges whose ports do not reach each other
// (see schema.cc). Both tables have the same chain: the bridge's own hook sees every packet from
// port to port, `inet` those that are routed back onto the bridge and, where
// bridge-nf-call-iptables is on, the others as well.
#include <arpa/inet.h>
#include <netinet/icmp6.h>
#include <netinet/in.h>

#include <linux/if_ether.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter_bridge.h>

#include <array>

#include "common/firewall/nftables/expressions.h"
#include "common/firewall/nftables/ports.h"
#include "common/firewall/nftables/schema.h"
#include "common/firewall/nftables/translation.h"

namespace cnm::firewall::nftables {
namespace {

using netlink::Request;

constexpr Hook kClosedHook = {kForwardChain, "filter", NF_BR_FORWARD, 0};
constexpr Field kSourcePort = {NFT_PAYLOAD_TRANSPORT_HEADER, 0, 2};
constexpr Field kDestinationPort = {NFT_PAYLOAD_TRANSPORT_HEADER, 2, 2};
constexpr Field kIcmpType = {NFT_PAYLOAD_TRANSPORT_HEADER, 0, 1};
constexpr Field kTcpFlags = {NFT_PAYLOAD_TRANSPORT_HEADER, 13, 1};
constexpr uint8_t kSyn = 0x02;
constexpr uint8_t kAck = 0x10;
constexpr uint32_t kRegisterBytes = 4;
constexpr std::array<uint8_t, 2> kNeighbourTypes = {ND_NEIGHBOR_SOLICIT, ND_NEIGHBOR_ADVERT};

/// from . to . protocol . port
SetType PassageType(net::Family family) {
  const SetType address = AddressType(family);
  return {
      .type = address.type << 18 | address.type << 12 | kTypeProtocol << 6 | kTypeService,
      .bytes = 2 * address.bytes + 2 * kRegisterBytes,
  };
}

/// Goes on if the packet is of this protocol of layer 3: the bridge's hook knows it by another
/// number than `inet`.
void MatchLayer3(Expressions& rule, Table table, net::Family family) {
  if (table == Table::kInet) return MatchFamily(rule, FieldsOf(family));
  const uint16_t type = htons(family == net::Family::kIpv4 ? ETH_P_IP : ETH_P_IPV6);
  rule.Meta(NFT_META_PROTOCOL, NFT_REG_1);
  rule.Compare(NFT_CMP_EQ, {reinterpret_cast<const uint8_t*>(&type), sizeof type});
}

void MatchLayer4(Expressions& rule, uint8_t protocol) {
  rule.Meta(NFT_META_L4PROTO, NFT_REG_1);
  rule.Compare(NFT_CMP_EQ, {&protocol, 1});
}

Request MakeArpRule() {
  Request request = MakeRule(Table::kBridge, kClosedChain);
  Expressions rule(request);
  const uint16_t type = htons(ETH_P_ARP);
  rule.Meta(NFT_META_PROTOCOL, NFT_REG_1);
  rule.Compare(NFT_CMP_EQ, {reinterpret_cast<const uint8_t*>(&type), sizeof type});
  rule.Verdict(NFT_RETURN);
  return request;
}

Request MakeNeighbourRule(Table table, uint8_t type) {
  Request request = MakeRule(table, kClosedChain);
  Expressions rule(request);
  MatchLayer3(rule, table, net::Family::kIpv6);
  MatchLayer4(rule, IPPROTO_ICMPV6);
  rule.Load(kIcmpType, NFT_REG_1);
  rule.Compare(NFT_CMP_EQ, {&type, 1});
  rule.Verdict(NFT_RETURN);
  return request;
}

/// What opens a connection is no answer.
Request MakeOpeningRule(Table table) {
  Request request = MakeRule(table, kClosedChain);
  Expressions rule(request);
  MatchLayer4(rule, IPPROTO_TCP);
  rule.CompareBits(kTcpFlags, kSyn | kAck, kSyn);
  rule.Verdict(NF_DROP);
  return request;
}

Request MakePassageRule(Table table, net::Family family, bool answers) {
  Request request = MakeRule(table, kClosedChain);
  Expressions rule(request);
  const FamilyFields& fields = FieldsOf(family);
  const auto at = [](uint32_t bytes) { return NFT_REG32_00 + bytes / kRegisterBytes; };
  const uint32_t bytes = AddressType(family).bytes;
  MatchLayer3(rule, table, family);
  rule.Load(answers ? fields.destination : fields.source, at(0));
  rule.Load(answers ? fields.source : fields.destination, at(bytes));
  rule.Meta(NFT_META_L4PROTO, at(2 * bytes));
  rule.Load(answers ? kSourcePort : kDestinationPort, at(2 * bytes + kRegisterBytes));
  rule.Lookup(FamilySet(kPassages, family));
  rule.Verdict(NFT_RETURN);
  return request;
}

Request MakeDropRule(Table table) {
  Request request = MakeRule(table, kClosedChain);
  Expressions(request).Verdict(NF_DROP);
  return request;
}

Request MakeBridgeJump() {
  Request request = MakeRule(Table::kBridge, kForwardChain);
  Expressions rule(request);
  rule.Meta(NFT_META_BRI_IIFNAME, NFT_REG_1);
  rule.Lookup(kClosedBridges);
  rule.Verdict(NFT_JUMP, kClosedChain);
  return request;
}

Request MakeInetJump() {
  Request request = MakeRule(Table::kInet, kForwardChain);
  Expressions rule(request);
  for (const uint32_t link : {NFT_META_IIFNAME, NFT_META_OIFNAME}) {
    rule.Meta(link, NFT_REG_1);
    rule.Lookup(kClosedBridges);
  }
  rule.Verdict(NFT_JUMP, kClosedChain);
  return request;
}

}  // namespace

/// The chain and its sets, in the table that is being built.
void Structure::AppendClosedChain() {
  AppendSet(kClosedBridges, kIfname);
  for (const net::Family family : net::kFamilies) {
    AppendSet(FamilySet(kPassages, family), PassageType(family));
  }
  Append(MakeChain(table_, kClosedChain));
  if (table_ == Table::kBridge) Append(MakeArpRule());
  for (const uint8_t type : kNeighbourTypes) Append(MakeNeighbourRule(table_, type));
  for (const bool answers : {false, true}) {
    for (const net::Family family : net::kFamilies) {
      Append(MakePassageRule(table_, family, answers));
    }
    if (!answers) Append(MakeOpeningRule(table_));
  }
  Append(MakeDropRule(table_));
}

/// In `inet`, to be appended to its chain `forward`.
void Structure::AppendClosedJump() {
  Append(MakeInetJump());
}

void Structure::NeedClosed() {
  constexpr Table kTable = Table::kBridge;
  if (!StartsWithChain(kTable, Part::kClosed, kForwardChain)) return;
  AppendClosedChain();
  Append(MakeBaseChain(kTable, kClosedHook));
  Append(MakeBridgeJump());
}

}  // namespace cnm::firewall::nftables
