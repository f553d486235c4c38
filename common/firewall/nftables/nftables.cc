// nftables.cc: the packet filter backend that speaks nf_tables over netlink.
//
// Theory of operation. On a running host an Add is one transaction of plain elements; nothing is
// looked up first. What the kernel refuses says what is missing, and the next attempt's plan
// supplies it: ENOENT = the set, so its subnet or the whole table is built in the same transaction;
// EEXIST = somebody has the element, so its comment is read and it is taken as ours, replaced, or
// respected. Plans that rest on something read (the schema, the ledger's live owners) carry the
// rule set's generation, so the kernel refuses them when anybody changed anything since; two
// processes that rebuild at once cannot lose each other's elements.
#include "common/firewall/nftables/nftables.h"

#include <linux/netlink.h>

#include <algorithm>
#include <cerrno>
#include <iterator>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "common/base/error.h"
#include "common/firewall/nftables/element.h"
#include "common/firewall/nftables/inventory.h"
#include "common/firewall/nftables/plan.h"
#include "common/firewall/transaction.h"
#include "common/netlink/channel.h"

namespace cnm::firewall {
namespace {

constexpr int kAttempts = 16;

[[noreturn]] void ThrowRefused(std::string_view what, const Refusal& refusal) {
  Error error = SystemError(Code::kKernel, what, refusal.error);
  if (refusal.words.empty()) throw error;
  throw Error(error.code(), fmt::format("{} ({})", error.message(), refusal.words));
}

class Nftables : public Firewall {
 public:
  explicit Nftables(Ledger ledger) : ledger_(std::move(ledger)) {}

  std::string_view name() const override { return "nftables"; }
  void Add(const Rules& rules) override;
  void Remove(const Rules& rules) override;
  size_t RemoveByOwner(std::string_view owner) override;
  void Verify(const Rules& rules) override;
  void Rebuild(std::span<const Rules> live) override;
  void RemoveForeign(const Foreign&) override {}
  std::vector<Programmed> List() override { return {}; }

 private:
  netlink::Channel& channel();
  size_t RemoveElements(std::vector<Element> elements);
  void Investigate(Plan& plan, std::string_view owner);
  void Settle(Plan& plan, const Step& step, const Refusal& refusal);
  void SettleClash(const Plan& plan, Wanted& wanted);

  Ledger ledger_;
  std::optional<netlink::Channel> channel_;
};

netlink::Channel& Nftables::channel() {
  if (!channel_) channel_ = netlink::Channel::Open(NETLINK_NETFILTER);
  return *channel_;
}

// ---- adding -------------------------------------------------------------------------------------

/// Learns what to build for the missing sets, and the generation all of that rests on.
void Nftables::Investigate(Plan& plan, std::string_view owner) {
  plan.generation = ReadGeneration(channel());
  plan.missing_tables.clear();
  for (const Wanted& wanted : plan.wanted) {
    const Table table = wanted.element.table;
    const bool missing = plan.missing_sets.contains(wanted.element.set);
    if (missing && !IsCurrent(channel(), table)) plan.missing_tables.insert(table);
  }
  plan.live.clear();
  if (plan.missing_tables.empty() || !ledger_.live) return;
  plan.live = ledger_.live(name());
  std::erase_if(plan.live, [&](const Rules& rules) { return rules.owner == owner; });
}

/// Changes the plan so that the next attempt fares better. @throws Error when it cannot
void Nftables::Settle(Plan& plan, const Step& step, const Refusal& refusal) {
  using Part = Step::Part;
  if (refusal.error == ERESTART) return;
  if (step.part == Part::kStructure) {
    if (refusal.error != EEXIST) ThrowRefused("build nftables tables", refusal);
    plan.missing_sets.clear();  // another process built it after we were refused
    plan.missing_tables.clear();
    return;
  }
  Wanted& wanted = plan.wanted.at(step.wanted);
  if (step.part == Part::kRemoval && refusal.error == ENOENT) {
    wanted.replace = false;  // it went by itself
  } else if (step.part == Part::kAddition && refusal.error == ENOENT) {
    plan.missing_sets.insert(wanted.element.set);
  } else if (step.part == Part::kAddition && refusal.error == EEXIST) {
    SettleClash(plan, wanted);
  } else {
    ThrowRefused("add " + wanted.element.what, refusal);
  }
}

/// Somebody has the element: it is ours, it may be replaced, or that is the end.
void Nftables::SettleClash(const Plan& plan, Wanted& wanted) {
  const Element& element = wanted.element;
  std::optional<std::string> holder = FindComment(channel(), element);
  // A transaction that refills a lost table can clash with its own contents.
  const Rules* const replayed = holder ? nullptr : FindHolder(plan, element);
  if (replayed != nullptr) holder = fmt::format("{} {}", replayed->owner, replayed->network);
  if (!holder) return;  // it has just gone
  const std::string_view owner = OwnerOf(*holder);
  wanted.present = owner == OwnerOf(element.comment);
  wanted.replace = !wanted.present && replayed == nullptr && ledger_.dead && ledger_.dead(owner);
  if (wanted.present || wanted.replace) return;
  throw Error(Code::kInUse, fmt::format("add {}: in use by {}", element.what, *holder),
              fmt::format("nftables set {}", Place(element)));
}

void Nftables::Add(const Rules& rules) {
  Plan plan;
  for (Element& element : ElementsOf(rules)) plan.wanted.push_back({std::move(element)});
  if (plan.wanted.empty()) return;
  for (int attempt = 0; attempt < kAttempts; ++attempt) {
    plan.generation.reset();
    if (!plan.missing_sets.empty()) Investigate(plan, rules.owner);
    Draft draft = MakeDraft(plan);
    if (draft.steps.empty()) return;
    const std::vector<Refusal> refusals = std::move(draft.transaction).Commit(channel());
    if (refusals.empty()) return;
    for (const Refusal& refusal : refusals) {
      if (!refusal.index && refusal.error != ERESTART) ThrowRefused("change nftables", refusal);
      Settle(plan, refusal.index ? draft.steps.at(*refusal.index) : Step{}, refusal);
    }
  }
  throw Error(Code::kTryAgain, fmt::format("add rules of {}: nftables changed {} times meanwhile",
                                           rules.owner, kAttempts));
}

void Nftables::Rebuild(std::span<const Rules> live) {
  Plan plan;
  plan.live.assign(live.begin(), live.end());
  plan.missing_tables.insert(Table::kInet);
  IsCurrent(channel(), Table::kInet);  // for its exception: a newer schema is left alone
  const bool guards = std::any_of(live.begin(), live.end(),
                                  [](const Rules& rules) { return rules.spoof_guard.has_value(); });
  // A kernel may be without nf_tables for bridges.
  if (guards || IsCurrent(channel(), Table::kBridge)) plan.missing_tables.insert(Table::kBridge);
  const std::vector<Refusal> refusals = MakeDraft(plan).transaction.Commit(channel());
  if (!refusals.empty()) ThrowRefused("rebuild nftables tables", refusals.front());
}

// ---- removing and checking ----------------------------------------------------------------------

/// @returns how many were there
size_t Nftables::RemoveElements(std::vector<Element> elements) {
  while (!elements.empty()) {
    Transaction transaction;
    for (const Element& element : elements) transaction.Add(RemoveElement(element));
    const std::vector<Refusal> refusals = std::move(transaction).Commit(channel());
    if (refusals.empty()) break;
    std::set<size_t> absent;
    for (const Refusal& refusal : refusals) {
      if (!refusal.index || refusal.error != ENOENT)
        ThrowRefused("remove nftables elements", refusal);
      absent.insert(*refusal.index);
    }
    size_t index = 0;
    std::erase_if(elements, [&](const Element&) { return absent.contains(index++); });
  }
  return elements.size();
}

void Nftables::Remove(const Rules& rules) {
  std::vector<Element> elements = ElementsOf(rules);
  // A dead owner's element may have been replaced since by the address's next owner.
  std::erase_if(elements, [&](const Element& element) {
    const std::optional<std::string> comment = FindComment(channel(), element);
    return !comment || OwnerOf(*comment) != rules.owner;
  });
  RemoveElements(std::move(elements));
}

size_t Nftables::RemoveByOwner(std::string_view owner) {
  std::vector<Element> elements;
  for (const Table table : kTables) {
    std::vector<Element> owned = FindOwned(channel(), table, owner);
    std::move(owned.begin(), owned.end(), std::back_inserter(elements));
  }
  return RemoveElements(std::move(elements));
}

void Nftables::Verify(const Rules& rules) {
  for (const Element& element : ElementsOf(rules)) {
    const std::optional<std::string> comment = FindComment(channel(), element);
    if (!comment) {
      throw Error(Code::kKernel,
                  fmt::format("{}: not in nftables set {}", element.what, Place(element)));
    }
    if (OwnerOf(*comment) != rules.owner) {
      throw Error(Code::kKernel, fmt::format("{}: nftables set {} gives it to {}", element.what,
                                             Place(element), *comment));
    }
  }
}

}  // namespace

bool HasNftables() {
  return true;
}

std::unique_ptr<Firewall> MakeNftables(Ledger ledger) {
  return std::make_unique<Nftables>(std::move(ledger));
}

}  // namespace cnm::firewall
