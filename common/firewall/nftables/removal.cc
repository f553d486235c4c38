// removal.cc: taking elements and rules of ours away.
//
// Theory of operation. An element is removed by its key, but a dead owner's may have been replaced
// since by the key's next owner. So all are read first, in one send with the rule set's generation,
// and the transaction that removes those which are the owner's carries it: if anybody changed
// anything in between, the kernel refuses it, and all is read again.
#include "common/firewall/nftables/removal.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <functional>
#include <iterator>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "common/firewall/nftables/conditions.h"
#include "common/firewall/nftables/deadline.h"
#include "common/firewall/nftables/inventory.h"
#include "common/firewall/nftables/plan.h"
#include "common/firewall/nftables/ports.h"
#include "common/firewall/nftables/schema.h"
#include "common/firewall/nftables/stored_rule.h"
#include "common/firewall/nftables/structure.h"
#include "common/firewall/nftables/translation.h"

namespace cnm::firewall::nftables {
namespace {

/// What to remove, and the generation at which it was there.
struct Doomed {
  uint32_t generation = 0;
  std::vector<Element> elements = {};
  std::vector<ConditionalRule> rules = {};
};

Doomed FindDoomed(netlink::Channel& channel, const Rules& rules) {
  Doomed doomed;
  std::vector<Element> elements = ElementsOf(rules);
  const Found found = Find(channel, elements);
  doomed.generation = found.generation;
  for (size_t i = 0; i < elements.size(); ++i) {
    const auto& stored = found.elements[i];
    if (!stored || !IsSame(*stored, elements[i])) continue;
    if (!elements[i].shared && OwnerOf(stored->comment) != rules.owner) continue;
    doomed.elements.push_back(std::move(elements[i]));
  }
  if (HasConditions(rules.publication)) doomed.rules = FindConditional(channel, rules.owner);
  return doomed;
}

Doomed FindDoomed(netlink::Channel& channel, std::string_view owner) {
  Doomed doomed{.generation = ReadGeneration(channel)};
  for (const Table table : kTables) {
    std::vector<Element> owned = FindOwned(channel, table, owner);
    std::move(owned.begin(), owned.end(), std::back_inserter(doomed.elements));
  }
  doomed.rules = FindConditional(channel, owner);
  return doomed;
}

/// @returns how many were there
size_t Remove(netlink::Channel& channel, std::string_view owner,
              const std::function<Doomed()>& find) {
  const std::string what = fmt::format("remove rules of {}", owner);
  for (const Deadline deadline;; deadline.Check(what)) {
    const Doomed doomed = find();
    const size_t count = doomed.elements.size() + doomed.rules.size();
    if (count == 0) return 0;
    Transaction transaction(doomed.generation);
    std::vector<const Element*> elements;
    for (const Element& element : doomed.elements) elements.push_back(&element);
    ForEachRun(elements, false, [&](size_t, auto run) { transaction.Add(RemoveElements(run)); });
    for (const auto& [chain, rule] : doomed.rules) transaction.Add(RemoveRule(chain, rule.handle));
    const std::vector<Refusal> refusals = std::move(transaction).Commit(channel);
    if (refusals.empty()) return count;
    if (refusals.front().error != ERESTART) ThrowRefused(what, refusals.front());
  }
}

/// The sets of these subnets that are there and hold no address.
std::vector<std::string> FindEmpty(netlink::Channel& channel,
                                   const std::vector<net::Prefix>& subnets) {
  std::vector<std::string> empty;
  for (const net::Prefix& subnet : subnets) {
    for (std::string& set : std::array{MasqueradeSet(subnet), HairpinSet(subnet)}) {
      if (!HasSet(channel, Table::kInet, set)) continue;
      if (ReadElements(channel, Table::kInet, set).empty()) empty.push_back(std::move(set));
    }
  }
  return empty;
}

/// Removes these sets and the rules that look into them.
void AddRemovalOfSets(netlink::Channel& channel, const std::vector<std::string>& sets,
                      Transaction& transaction) {
  const auto is_removed = [&](const std::string& set) {
    return std::find(sets.begin(), sets.end(), set) != sets.end();
  };
  for (const std::string_view name : {kPostrouting, kReflected}) {
    const ChainName chain = OurChain(Table::kInet, name);
    for (const StoredRule& rule : ReadRules(channel, chain)) {
      if (!std::any_of(rule.sets.begin(), rule.sets.end(), is_removed)) continue;
      transaction.Add(RemoveRule(chain, rule.handle));
    }
  }
  for (const std::string& set : sets) transaction.Add(RemoveSet(Table::kInet, set));
}

}  // namespace

void RemoveExactly(netlink::Channel& channel, const Rules& rules) {
  Remove(channel, rules.owner, [&] { return FindDoomed(channel, rules); });
}

size_t RemoveOwned(netlink::Channel& channel, std::string_view owner) {
  return Remove(channel, owner, [&] { return FindDoomed(channel, owner); });
}

/// Whoever adds an address meanwhile raises the generation.
void RemoveUnused(netlink::Channel& channel, const std::vector<net::Prefix>& subnets) {
  constexpr std::string_view kWhat = "remove the sets of subnets";
  for (const Deadline deadline;; deadline.Check(kWhat)) {
    const uint32_t generation = ReadGeneration(channel);
    const std::vector<std::string> sets = FindEmpty(channel, subnets);
    if (sets.empty()) return;
    Transaction transaction(generation);
    AddRemovalOfSets(channel, sets, transaction);
    const std::vector<Refusal> refusals = std::move(transaction).Commit(channel);
    if (refusals.empty()) return;
    if (refusals.front().error == EBUSY) return;  // a rule of the operator's looks into one
    if (refusals.front().error != ERESTART) ThrowRefused(kWhat, refusals.front());
  }
}

}  // namespace cnm::firewall::nftables
