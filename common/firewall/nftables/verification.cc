// verification.cc: comparing rules with what the kernel holds.
#include "common/firewall/nftables/verification.h"

#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <tuple>
#include <vector>

#include <fmt/format.h>

#include "common/base/error.h"
#include "common/firewall/nftables/conditions.h"
#include "common/firewall/nftables/inventory.h"
#include "common/firewall/nftables/ports.h"
#include "common/firewall/nftables/schema.h"
#include "common/firewall/nftables/stored_rule.h"
#include "common/firewall/nftables/translation.h"

namespace cnm::firewall::nftables {
namespace {

/// A chain that a part uses, and how many rules it has at least.
struct Used {
  Table table;
  std::string chain;
  bool base;
  size_t rules;
};

std::vector<Used> ChainsOf(Part part, net::Family family) {
  const Table inet = Table::kInet;
  const Used postrouting{inet, std::string(kPostrouting), true, 2};
  switch (part) {
    case Part::kMasquerade:
      return {postrouting};
    case Part::kHairpin:
      return {postrouting, {inet, std::string(kReflected), false, 1}};
    case Part::kPublication:
    case Part::kRanges:
      return {postrouting,
              {inet, std::string(kMartians), true, 2},
              {inet, std::string(kPrerouting), true, 2},
              {inet, std::string(kOutput), true, 2},
              {inet, std::string(kReflected), false, 2},
              {inet, FamilySet(kAddressRanges, family), false, 0},
              {inet, FamilySet(kPublished, family), false, 4}};
    case Part::kPassages:
      return {{inet, std::string(kForwardChain), true, 7},
              {inet, std::string(kClosedChain), false, 8}};
    case Part::kForwarding:
      return {{inet, std::string(kForwardChain), true, 7}};
    case Part::kInternal:
      return {{inet, std::string(kInternal), true, 2}};
    case Part::kSpoofGuard:
      return {{Table::kBridge, std::string(kPrerouting), true, 1}};
    case Part::kClosed:
      return {{Table::kBridge, std::string(kForwardChain), true, 1},
              {Table::kBridge, std::string(kClosedChain), false, 9}};
  }
  return {};
}

/// What chains were seen to hold, each asked for once.
class Chains {
 public:
  explicit Chains(netlink::Channel& channel) : channel_(channel) {}

  /// @throws Error naming the chain that is not as it was built
  void Verify(const Used& used) {
    if (!seen_.emplace(used.table, used.chain).second) return;
    const ChainName name = OurChain(used.table, used.chain);
    const std::string place =
        fmt::format("nftables chain {} {} {}", FamilyName(used.table), kTableName, used.chain);
    if (!HasChain(channel_, name, used.base)) {
      throw Error(Code::kKernel, fmt::format("{}: not there", place));
    }
    const std::vector<StoredRule> rules = ReadRules(channel_, name);
    if (rules.size() < used.rules) {
      throw Error(Code::kKernel,
                  fmt::format("{}: has {} rules of {}", place, rules.size(), used.rules));
    }
    for (const StoredRule& rule : rules) {
      for (const std::string& set : rule.sets) looked_up_.emplace(used.table, set);
    }
  }

  bool Use(const Element& element) const {
    return looked_up_.contains({element.table, element.set});
  }

 private:
  netlink::Channel& channel_;
  std::set<std::pair<Table, std::string>> seen_;
  std::set<std::pair<Table, std::string>> looked_up_;
};

net::Family FamilyOf(const Element& element) {
  const bool is_v6 =
      element.set.ends_with("_v6") || (element.subnet && !element.subnet->address.is_v4());
  return is_v6 ? net::Family::kIpv6 : net::Family::kIpv4;
}

void VerifyElement(const Element& element, const std::optional<Stored>& stored,
                   std::string_view owner) {
  if (!stored || !IsSame(*stored, element)) {
    throw Error(Code::kKernel,
                fmt::format("{}: not in nftables set {}", element.what, Place(element)));
  }
  if (element.shared) return;
  if (OwnerOf(stored->comment) != owner) {
    throw Error(Code::kKernel, fmt::format("{}: nftables set {} gives it to {}", element.what,
                                           Place(element), stored->comment));
  }
  if (stored->data != element.data) {
    throw Error(Code::kKernel,
                fmt::format("{}: nftables map {} leads elsewhere", element.what, Place(element)));
  }
}

void VerifyConditional(netlink::Channel& channel, const Rules& rules) {
  const size_t expected = CountConditional(rules.publication);
  if (expected == 0) return;
  const size_t found = FindConditional(channel, rules.owner).size();
  if (found == expected) return;
  throw Error(Code::kKernel,
              fmt::format("published ports under conditions: {} of {} nftables rules are there",
                          found, expected));
}

}  // namespace

void VerifyRules(netlink::Channel& channel, const Rules& rules) {
  std::vector<Element> elements = ElementsOf(rules);
  // A kernel that cannot have the part has no such set.
  std::erase_if(elements, [&](const Element& element) {
    return element.part == Part::kClosed && !HasSet(channel, element.table, element.set);
  });
  const Found found = Find(channel, elements);
  Chains chains(channel);
  for (size_t i = 0; i < elements.size(); ++i) {
    const Element& element = elements[i];
    VerifyElement(element, found.elements[i], rules.owner);
    for (const Used& used : ChainsOf(element.part, FamilyOf(element))) chains.Verify(used);
    if (chains.Use(element)) continue;
    throw Error(Code::kKernel,
                fmt::format("{}: no rule uses nftables set {}", element.what, Place(element)));
  }
  VerifyConditional(channel, rules);
}

}  // namespace cnm::firewall::nftables
