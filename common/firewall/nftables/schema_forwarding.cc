// schema_forwarding.cc: what our nftables tables hold for forwarding, isolation and guarded links
// (see schema.cc).
#include <netinet/in.h>

#include <linux/netfilter.h>
#include <linux/netfilter/nf_conntrack_common.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter_bridge.h>

#include "common/firewall/nftables/expressions.h"
#include "common/firewall/nftables/ports.h"
#include "common/firewall/nftables/schema.h"
#include "common/firewall/nftables/translation.h"

namespace cnm::firewall::nftables {
namespace {

using netlink::Request;

constexpr Hook kForwardHook = {kForwardChain, "filter", NF_INET_FORWARD, 0};
constexpr Hook kInternalHook = {kInternal, "filter", NF_INET_FORWARD, 0};
constexpr Hook kGuardHook = {kPrerouting, "filter", NF_BR_PRE_ROUTING, -300};
constexpr Field kEtherSource = {NFT_PAYLOAD_LL_HEADER, 6, 6};
constexpr uint32_t kEstablished = 1U << (IP_CT_ESTABLISHED + 1);
constexpr uint32_t kRelated = 1U << (IP_CT_RELATED + 1);

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

/// From one isolated bridge to another.
Request MakeIsolationRule() {
  Request request = MakeRule(Table::kInet, kForwardChain);
  Expressions rule(request);
  rule.Meta(NFT_META_IIFNAME, NFT_REG_1);
  rule.Lookup(kIsolatedBridges);
  rule.Meta(NFT_META_OIFNAME, NFT_REG_1);
  rule.Lookup(kIsolatedBridges);
  rule.Meta(NFT_META_IIFNAME, NFT_REG_1);
  rule.Meta(NFT_META_OIFNAME, NFT_REG_2);
  rule.Lookup(kIsolatedSelves, true);
  rule.Verdict(NF_DROP);
  return request;
}

/// From an internal bridge to another link, or (`out`) the other way round.
Request MakeInternalRule(bool out) {
  Request request = MakeRule(Table::kInet, kInternal);
  Expressions rule(request);
  rule.Meta(out ? NFT_META_OIFNAME : NFT_META_IIFNAME, NFT_REG_1);
  rule.Lookup(kInternalBridges);
  rule.Meta(NFT_META_IIFNAME, NFT_REG_1);
  rule.Meta(NFT_META_OIFNAME, NFT_REG_2);
  rule.Lookup(kIsolatedSelves, true);
  rule.Verdict(NF_DROP);
  return request;
}

Request MakeUserRule() {
  Request request = MakeRule(Table::kInet, kForwardChain);
  Expressions(request).Verdict(NFT_JUMP, kUser);
  return request;
}

Request MakeForwardRule(const FamilyFields& fields, bool answers) {
  Request request = MakeRule(Table::kInet, kForwardChain);
  Expressions rule(request);
  if (answers) rule.Connection(NFT_CT_STATE, kEstablished | kRelated);
  MatchFamily(rule, fields);
  rule.Load(answers ? fields.destination : fields.source, NFT_REG_1);
  rule.Lookup(FamilySet(kForward, fields.family));
  rule.Verdict(NF_ACCEPT);
  return request;
}

}  // namespace

void Structure::NeedForwarding() {
  constexpr Table kTable = Table::kInet;
  if (!StartsWithChain(kTable, Part::kForwarding, kForwardChain)) return;
  SetType pair = kIfname;
  pair.type = kTypeIfname << 6 | kTypeIfname;
  pair.bytes *= 2;
  for (const net::Family family : net::kFamilies) {
    AppendSet(FamilySet(kForward, family), AddressType(family));
  }
  AppendSet(kIsolatedBridges, kIfname);
  AppendSet(kIsolatedSelves, pair);
  AppendClosedChain();
  Append(EnsureChain(kTable, kUser));
  Append(MakeBaseChain(kTable, kForwardHook));
  Append(MakeUserRule());
  Append(MakeIsolationRule());
  AppendClosedJump();
  for (const bool answers : {true, false}) {
    for (const net::Family family : net::kFamilies) {
      Append(MakeForwardRule(FieldsOf(family), answers));
    }
  }
}

void Structure::NeedInternal() {
  constexpr Table kTable = Table::kInet;
  NeedForwarding();
  if (!StartsWithChain(kTable, Part::kInternal, kInternal)) return;
  AppendSet(kInternalBridges, kIfname);
  Append(MakeBaseChain(kTable, kInternalHook));
  for (const bool out : {false, true}) Append(MakeInternalRule(out));
}

void Structure::NeedSpoofGuard() {
  constexpr Table kTable = Table::kBridge;
  if (!StartsWithChain(kTable, Part::kSpoofGuard, kPrerouting)) return;
  AppendSet(kGuardedLinks, kIfname);
  AppendSet(kGuardedPairs,
            {.type = kTypeIfname << 6 | kTypeEther, .bytes = 24, .order = kHostOrder});
  Append(MakeBaseChain(kTable, kGuardHook));
  Append(MakeSpoofRule());
}

}  // namespace cnm::firewall::nftables
