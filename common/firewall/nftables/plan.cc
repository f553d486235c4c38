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
  const Structure structure = MakeStructure(plan);
  for (const Structure::Message& message : structure.messages()) {
    add(message.request, {.table = message.table, .part = message.part});
  }
  for (size_t i = 0; i < plan.replayed.size(); ++i) {
    add(AddElement(plan.replayed[i], 0), {.kind = Kind::kReplay, .index = i});
  }
  for (size_t i = 0; i < plan.removals.size(); ++i) {
    if (plan.IsRebuilt(plan.removals[i])) continue;
    add(RemoveElement(plan.removals[i]), {.kind = Kind::kRemoval, .index = i});
  }
  for (size_t i = 0; i < plan.wanted.size(); ++i) {
    const auto& [element, present] = plan.wanted[i];
    if (present && !plan.IsRebuilt(element)) continue;
    add(AddElement(element, element.shared ? 0 : NLM_F_EXCL),
        {.kind = Kind::kAddition, .index = i});
  }
  return draft;
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
