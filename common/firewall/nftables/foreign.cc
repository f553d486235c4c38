// foreign.cc: what the reference plugins leave in nftables.
//
// Masquerading: rules of the chain masq_checks in `inet cni_plugins_masquerade` whose comment
// begins with "<16 hex of the network>-<16 hex of ifname:container>". Published ports: rules of
// `ip` and `ip6 cni_hostport` whose comment is the container's id. Spoof guard: in `bridge nat` a
// rule of PREROUTING with the comment "macspoofchk-<container>-<ifname>", and the two chains it
// leads to. Tables and base chains stay, as they do after the reference's own DEL.
#include "common/firewall/nftables/foreign.h"

#include <netinet/in.h>

#include <linux/netfilter.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "common/base/digest.h"
#include "common/firewall/nftables/deadline.h"
#include "common/firewall/nftables/inventory.h"
#include "common/firewall/nftables/plan.h"
#include "common/firewall/nftables/stored_rule.h"

namespace cnm::firewall::nftables {
namespace {

constexpr size_t kHashDigits = 16;

/// What one transaction is to remove.
struct Leavings {
  struct Rule {
    ChainName chain;
    uint64_t handle;
  };
  std::vector<Rule> rules = {};
  std::vector<std::string> spoof_chains = {};
};

void Collect(netlink::Channel& channel, const ChainName& chain,
             const std::function<bool(const std::string& comment)>& matches, Leavings& leavings) {
  for (const StoredRule& rule : ReadRules(channel, chain)) {
    if (matches(rule.comment)) leavings.rules.push_back({chain, rule.handle});
  }
}

void CollectMasquerade(netlink::Channel& channel, const Foreign& foreign, Leavings& leavings) {
  const std::string prefix = fmt::format(
      "{}-{}", Sha512Hex(foreign.network, kHashDigits),
      Sha512Hex(fmt::format("{}:{}", foreign.ifname, foreign.container_id), kHashDigits));
  Collect(
      channel, {NFPROTO_INET, "cni_plugins_masquerade", "masq_checks"},
      [&](const std::string& comment) { return comment.starts_with(prefix); }, leavings);
}

void CollectPublication(netlink::Channel& channel, const Foreign& foreign, Leavings& leavings) {
  for (const uint8_t family : {NFPROTO_IPV4, NFPROTO_IPV6}) {
    for (const std::string_view chain : {"hostports", "hostip_hostports", "masquerading"}) {
      Collect(
          channel, {family, "cni_hostport", chain},
          [&](const std::string& comment) { return comment == foreign.container_id; }, leavings);
    }
  }
}

void CollectSpoofGuard(netlink::Channel& channel, const Foreign& foreign, Leavings& leavings) {
  const std::string id = fmt::format("{}-{}", foreign.container_id, foreign.ifname);
  const std::string comment = fmt::format("macspoofchk-{}", id);
  Collect(
      channel, {NFPROTO_BRIDGE, "nat", "PREROUTING"},
      [&](const std::string& found) { return found == comment; }, leavings);
  // The one that refers to the other first.
  for (std::string chain : {"cni-br-iface-" + id, "cni-br-iface-" + id + "-mac"}) {
    if (!HasChain(channel, {NFPROTO_BRIDGE, "nat", chain}, false)) continue;
    leavings.spoof_chains.push_back(std::move(chain));
  }
}

Leavings FindLeavings(netlink::Channel& channel, const Foreign& foreign) {
  Leavings leavings;
  if (foreign.masquerade) CollectMasquerade(channel, foreign, leavings);
  if (foreign.publication) CollectPublication(channel, foreign, leavings);
  if (foreign.spoof_guard) CollectSpoofGuard(channel, foreign, leavings);
  return leavings;
}

}  // namespace

void RemoveLeavings(netlink::Channel& channel, const Foreign& foreign) {
  const std::string what = fmt::format("remove another plugin's rules of {}", foreign.container_id);
  for (const Deadline deadline;; deadline.Check(what)) {
    const uint32_t generation = ReadGeneration(channel);
    const Leavings leavings = FindLeavings(channel, foreign);
    if (leavings.rules.empty() && leavings.spoof_chains.empty()) return;
    Transaction transaction(generation);
    for (const auto& [chain, handle] : leavings.rules) transaction.Add(RemoveRule(chain, handle));
    for (const std::string& chain : leavings.spoof_chains) {
      transaction.Add(FlushChain({NFPROTO_BRIDGE, "nat", chain}));
    }
    for (const std::string& chain : leavings.spoof_chains) {
      transaction.Add(RemoveChain({NFPROTO_BRIDGE, "nat", chain}));
    }
    const std::vector<Refusal> refusals = std::move(transaction).Commit(channel);
    if (refusals.empty()) return;
    if (refusals.front().error != ERESTART) ThrowRefused(what, refusals.front());
  }
}

}  // namespace cnm::firewall::nftables
