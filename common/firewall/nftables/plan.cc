// plan.cc: what the next transaction is to do.
#include "common/firewall/nftables/plan.h"

#include <linux/netlink.h>

#include <utility>

#include <fmt/format.h>

#include "common/base/error.h"

namespace cnm::firewall::nftables {
namespace {

using Kind = Step::Kind;

Structure MakeStructure(const Plan& plan) {
  Structure structure(plan.inventory.value_or(Inventory()));
  if (!plan.inventory) return structure;
  for (const Table table : plan.rebuilt) structure.Rebuild(table);
  if (plan.publication) structure.NeedPublication();
  for (const Element& element : plan.replayed) structure.Need(element);
  for (const Wanted& wanted : plan.wanted) structure.Need(wanted.element);
  return structure;
}

}  // namespace

Draft MakeDraft(const Plan& plan) {
  Draft draft{Transaction(plan.generation)};
  const auto add = [&](const netlink::Request& message, Step step) {
    draft.transaction.Add(message);
    draft.steps.push_back(step);
  };
  const auto add_runs = [&](Kind kind, const std::vector<const Element*>& elements, int flags) {
    ForEachRun(elements, plan.detailed, [&](size_t first, auto run) {
      const bool removal = kind == Kind::kRemoval;
      const int exclusive = run.front()->shared ? 0 : flags;
      add(removal ? RemoveElements(run) : AddElements(run, exclusive),
          {.kind = kind, .index = first, .count = run.size()});
    });
  };
  const Structure structure = MakeStructure(plan);
  for (const Structure::Message& message : structure.messages()) {
    add(message.request, {.table = message.table, .part = message.part});
  }
  std::vector<const Element*> replayed;
  std::vector<const Element*> removals;
  std::vector<const Element*> wanted;
  for (const Element& element : plan.replayed) replayed.push_back(&element);
  for (const Element& element : plan.removals) {
    removals.push_back(plan.IsRebuilt(element) ? nullptr : &element);
  }
  for (const auto& [element, present] : plan.wanted) {
    wanted.push_back(present && !plan.IsRebuilt(element) ? nullptr : &element);
  }
  add_runs(Kind::kReplay, replayed, 0);
  add_runs(Kind::kRemoval, removals, 0);
  add_runs(Kind::kAddition, wanted, NLM_F_EXCL);
  return draft;
}

void ForEachRun(std::span<const Element* const> elements, bool single,
                const std::function<void(size_t, std::span<const Element* const>)>& visit) {
  for (size_t first = 0; first < elements.size();) {
    const Element* const head = elements[first];
    size_t end = first + 1;
    if (head != nullptr) {
      size_t bytes = BytesOf(*head);
      const auto continues = [&](const Element* next) {
        return !single && next != nullptr && next->table == head->table && next->set == head->set &&
               (bytes += BytesOf(*next)) <= kElementBytes;
      };
      while (end < elements.size() && continues(elements[end])) ++end;
      visit(first, elements.subspan(first, end - first));
    }
    first = end;
  }
}

bool IsDamaged(const Inventory& inventory, const Element& element) {
  Structure structure(inventory);
  structure.Need(element);
  return !structure.Holds(element);
}

void ThrowRefused(std::string_view what, const Refusal& refusal) {
  Error error = SystemError(Code::kKernel, what, refusal.error);
  if (refusal.words.empty()) throw error;
  throw Error(error.code(), fmt::format("{} ({})", error.message(), refusal.words));
}

}  // namespace cnm::firewall::nftables
