// assembly.cc: bringing our nftables tables to hold what is wanted.
//
// Theory of operation. On a running host an Add is one transaction of plain elements; nothing is
// looked up first. What the kernel refuses says what is missing, and the next attempt's plan
// supplies it: ENOENT = the set, so the part of the schema or the whole table is built in the same
// transaction; EEXIST = somebody has the element, so it is read and taken as ours, replaced, or
// respected. Plans that rest on something read (what the tables hold, the ledger's live owners, a
// dead owner's element) carry the rule set's generation, so the kernel refuses them when anybody
// changed anything since; two processes that rebuild, or replace a dead owner, at once cannot lose
// each other's elements.
//
// A published port and a range that holds it lie in two maps, which the kernel does not compare;
// nor does it mind a range around another. Where the host has ranges at all, each is looked up
// where the kernel does not look, before its transaction and again after it: of two that arrive at
// once, at least one sees the other and retreats.
#include "common/firewall/nftables/assembly.h"

#include <linux/netlink.h>

#include <algorithm>
#include <cerrno>
#include <iterator>
#include <map>
#include <string>
#include <utility>

#include <fmt/format.h>

#include "common/base/error.h"
#include "common/firewall/nftables/conditions.h"
#include "common/firewall/nftables/deadline.h"
#include "common/firewall/nftables/inventory.h"
#include "common/firewall/nftables/ports.h"
#include "common/firewall/nftables/removal.h"
#include "common/firewall/nftables/translation.h"

namespace cnm::firewall::nftables {
namespace {

/// How a kernel refuses a part that it was built without.
bool IsInability(int error) {
  return error == EOPNOTSUPP || error == EPROTONOSUPPORT || error == EAFNOSUPPORT ||
         error == ENOENT || error == EINVAL;
}

/// The same claim, not only the same key.
bool IsSameClaim(const Element& a, const Element& b) {
  return a.table == b.table && a.set == b.set && a.key == b.key && a.comment == b.comment;
}

/// Whether it is this element as it is wanted.
bool IsOwn(const Stored& stored, const Element& element) {
  return IsSame(stored, element) && stored.data == element.data &&
         OwnerOf(stored.comment) == OwnerOf(element.comment);
}

[[noreturn]] void ThrowInUse(const Element& wanted, const Element& place,
                             std::string_view comment) {
  throw Error(Code::kInUse, fmt::format("add {}: in use by {}", wanted.what, comment),
              fmt::format("nftables set {}", Place(place)));
}

}  // namespace

void Assembly::Add(const Rules& rules) {
  rules_ = &rules;
  const bool conditions = HasConditions(rules.publication);
  plan_.publication = conditions;
  for (Element& element : ElementsOf(rules)) plan_.wanted.push_back({std::move(element)});
  if (plan_.wanted.empty() && !conditions) return;
  // No element says that a chain is missing.
  investigate_ = conditions;
  UnseatRivals();
  Commit();
  RetreatFromRivals();
  if (!plan_.publication) return;
  try {
    AddAllConditional(channel_, live_);
    AddConditional(channel_, rules);
  } catch (const Error&) {
    RemoveExactly(channel_, rules);
    throw;
  }
}

void Assembly::Rebuild() {
  investigate_ = true;
  Commit();
  AddAllConditional(channel_, live_);
}

void Assembly::Commit() {
  const std::string what =
      rules_ ? fmt::format("add rules of {}", rules_->owner) : "rebuild nftables tables";
  for (const Deadline deadline;; deadline.Check(what)) {
    plan_.generation.reset();
    if (investigate_) Investigate();
    if (!plan_.removals.empty()) plan_.generation = unseated_at_;  // the older of the two
    Draft draft = MakeDraft(plan_);
    if (draft.steps.empty()) return;
    const std::vector<Refusal> refusals = std::move(draft.transaction).Commit(channel_);
    if (refusals.empty()) return;
    Settle(draft, refusals);
  }
}

// ---- what to build ------------------------------------------------------------------------------

/// Learns what is there, what to build, and the generation all of that rests on.
void Assembly::Investigate() {
  plan_.generation = ReadGeneration(channel_);
  plan_.inventory.emplace();
  for (const Table table : kTables) (*plan_.inventory)[table] = ReadContents(channel_, table);
  ChooseRebuilt();
  ChooseReplayed();
}

void Assembly::ChooseRebuilt() {
  const Inventory& inventory = *plan_.inventory;
  std::set<Table> needed;
  plan_.rebuilt.clear();
  for (const auto& [element, present] : plan_.wanted) {
    if (inventory.at(element.table).sets.contains(element.set)) continue;
    needed.insert(element.table);
    if (IsDamaged(inventory, element)) plan_.rebuilt.insert(element.table);
  }
  if (plan_.publication) needed.insert(Table::kInet);
  if (rules_ == nullptr) {
    needed.insert(Table::kInet);
    if (inventory.at(Table::kBridge).schema > 0) needed.insert(Table::kBridge);
  }
  for (const Table table : needed) {
    RefuseNewer(inventory.at(table), table);
    if (inventory.at(table).schema < kSchema || rules_ == nullptr) plan_.rebuilt.insert(table);
  }
}

/// The elements of all live owners in the tables that are rebuilt. They are asked for after the
/// generation, so of who comes or goes since, either they know or the kernel does.
void Assembly::ChooseReplayed() {
  plan_.replayed.clear();
  live_.clear();
  if (rules_ != nullptr && plan_.rebuilt.empty()) return;
  live_ = ledger_.ReadLive("nftables");
  if (rules_ != nullptr) {
    // What is being added has a record too, which must not take anybody's place.
    std::erase(live_, *rules_);
    std::stable_partition(live_.begin(), live_.end(),
                          [&](const Rules& live) { return live.owner != rules_->owner; });
  }
  for (const Rules& live : live_) {
    for (Element& element : ElementsOf(live)) Replay(std::move(element));
    if (HasConditions(live.publication) && plan_.rebuilt.contains(Table::kInet)) {
      plan_.publication = true;
    }
  }
}

void Assembly::Replay(Element element) {
  const auto same = [&](const Element& other) { return IsSameClaim(other, element); };
  if (impossible_.contains(element.part)) return;
  if (std::any_of(disputed_.begin(), disputed_.end(), same)) return;
  // A kernel may be without nf_tables for bridges: only who needs it asks for it.
  if (rules_ == nullptr) plan_.rebuilt.insert(element.table);
  if (!plan_.IsRebuilt(element)) return;
  const auto clashes = [&](const Wanted& wanted) { return Clash(wanted.element, element); };
  const auto wanted = std::find_if(plan_.wanted.begin(), plan_.wanted.end(), clashes);
  if (wanted == plan_.wanted.end()) return plan_.replayed.push_back(std::move(element));
  if (element.shared || OwnerOf(element.comment) == rules_->owner) return;
  ThrowInUse(wanted->element, element, element.comment);
}

// ---- what was refused ---------------------------------------------------------------------------

/// Changes the plan so that the next attempt fares better. @throws Error when it cannot
void Assembly::Settle(const Draft& draft, std::span<const Refusal> refusals) {
  for (const Refusal& refusal : refusals) {
    if (refusal.error == ERESTART) return LookAgain();
    if (!refusal.index) ThrowRefused("change nftables", refusal);
    const Step& step = draft.steps.at(*refusal.index);
    if (step.count > 1) {
      plan_.detailed = true;  // one of them: the next attempt tells which
      return;
    }
    // What follows from it will be refused again if it does not.
    if (step.kind == Step::Kind::kStructure) return SettleStructure(step, refusal);
  }
  // From the back, as a removal that is settled is erased.
  for (auto refusal = refusals.rbegin(); refusal != refusals.rend(); ++refusal) {
    const Step& step = draft.steps.at(*refusal->index);
    if (step.kind == Step::Kind::kReplay) {
      SettleReplay(plan_.replayed.at(step.index), *refusal);
    } else if (step.kind == Step::Kind::kAddition) {
      SettleAddition(plan_.wanted.at(step.index), *refusal);
    } else {
      if (refusal->error != ENOENT) ThrowRefused("remove a dead owner's rule", *refusal);
      // It went by itself.
      plan_.removals.erase(plan_.removals.begin() + static_cast<ptrdiff_t>(step.index));
    }
  }
}

/// A kernel may be unable to close bridges, or to filter on bridges at all: `inet cnm` does then
/// what it can.
void Assembly::SettleStructure(const Step& step, const Refusal& refusal) {
  const auto guards = [](const Element& element) { return element.part == Part::kSpoofGuard; };
  const bool guarded = std::any_of(plan_.replayed.begin(), plan_.replayed.end(), guards) ||
                       std::any_of(plan_.wanted.begin(), plan_.wanted.end(),
                                   [&](const Wanted& wanted) { return guards(wanted.element); });
  const bool dispensable =
      step.part == Part::kClosed || (step.table == Table::kBridge && !step.part && !guarded);
  if (!dispensable || !IsInability(refusal.error)) {
    ThrowRefused("build nftables tables", refusal);
  }
  impossible_.insert(Part::kClosed);
  std::erase_if(plan_.wanted, [](const Wanted& w) { return w.element.part == Part::kClosed; });
}

void Assembly::SettleReplay(const Element& element, const Refusal& refusal) {
  if (refusal.error != EEXIST && refusal.error != EBUSY && refusal.error != ENOTEMPTY) {
    ThrowRefused("rebuild " + element.what, refusal);
  }
  disputed_.push_back(element);
}

void Assembly::SettleAddition(Wanted& wanted, const Refusal& refusal) {
  if (refusal.error == ENOENT) {
    investigate_ = true;
  } else if (refusal.error == EEXIST || refusal.error == ENOTEMPTY || refusal.error == EBUSY) {
    SettleClash(wanted);
  } else {
    ThrowRefused("add " + wanted.element.what, refusal);
  }
}

/// Somebody has the element or, of a range, part of it: it is ours, it may be replaced, or that is
/// the end.
void Assembly::SettleClash(Wanted& wanted) {
  const Element& element = wanted.element;
  const std::vector<Element> questions = OwnQuestions(element);
  const Found found = Find(channel_, questions);
  for (size_t i = 0; i < questions.size(); ++i) {
    if (!found.elements[i]) continue;  // it has just gone
    const Stored& stored = *found.elements[i];
    wanted.present = IsOwn(stored, element);
    if (wanted.present) return;
    Unseat({&element, questions[i], stored, found.generation});
  }
}

bool Assembly::MayUnseat(std::string_view comment) {
  const std::string_view owner = OwnerOf(comment);
  return owner == rules_->owner || (ledger_.dead && ledger_.dead(owner));
}

/// Removes what stands there in the same transaction, if its owner is dead or ours.
void Assembly::Unseat(const Rival& rival) {
  const auto& [wanted, place, stored, generation] = rival;
  if (!MayUnseat(stored.comment)) ThrowInUse(*wanted, place, stored.comment);
  const auto same = [&](const Element& other) {
    return other.set == rival.place.set && other.key == rival.stored.key;
  };
  if (std::any_of(plan_.removals.begin(), plan_.removals.end(), same)) return;
  if (plan_.removals.empty()) unseated_at_ = generation;
  Element removal = place;
  removal.key = stored.key;
  removal.key_end = stored.key_end;
  plan_.removals.push_back(std::move(removal));
}

/// Somebody changed something: what was a dead owner's may have a new one.
void Assembly::LookAgain() {
  if (plan_.removals.empty()) return;
  plan_.removals.clear();
  UnseatRivals();
}

// ---- ports and ranges ---------------------------------------------------------------------------

std::vector<Assembly::Rival> Assembly::FindRivals() {
  std::map<std::string, bool> there;
  std::vector<Element> questions;
  std::vector<const Element*> askers;
  const auto ask = [&](const Element& element, std::vector<Element> more) {
    askers.insert(askers.end(), more.size(), &element);
    std::move(more.begin(), more.end(), std::back_inserter(questions));
  };
  for (const Wanted& wanted : plan_.wanted) {
    const Element& element = wanted.element;
    if (element.rival.empty()) continue;
    const auto [set, fresh] = there.try_emplace(element.rival, false);
    if (fresh) set->second = HasSet(channel_, element.table, element.rival);
    if (set->second) ask(element, RivalQuestions(element));
    // Of another range inside it the kernel would say nothing.
    if (!element.key_end.empty()) ask(element, OwnQuestions(element));
  }
  std::vector<Rival> rivals;
  if (questions.empty()) return rivals;
  Found found = Find(channel_, questions);
  for (size_t i = 0; i < questions.size(); ++i) {
    if (!found.elements[i]) continue;
    if (questions[i].set == askers[i]->set && IsOwn(*found.elements[i], *askers[i])) continue;
    rivals.push_back(
        {askers[i], std::move(questions[i]), std::move(*found.elements[i]), found.generation});
  }
  return rivals;
}

void Assembly::UnseatRivals() {
  for (const Rival& rival : FindRivals()) Unseat(rival);
}

void Assembly::RetreatFromRivals() {
  for (const Rival& rival : FindRivals()) {
    if (MayUnseat(rival.stored.comment)) continue;
    RemoveExactly(channel_, *rules_);
    ThrowInUse(*rival.wanted, rival.place, rival.stored.comment);
  }
}

}  // namespace cnm::firewall::nftables
