// plan.cc: what the next transaction is to do.
#include "common/firewall/nftables/plan.h"

#include <linux/netlink.h>

#include <algorithm>
#include <utility>

#include "common/firewall/nftables/schema.h"

namespace cnm::firewall {
namespace {

/// What a transaction builds before its elements, each thing once.
class Structure {
 public:
  void Rebuild(Table table) {
    AppendDeletion(table, messages_);
    AppendSkeleton(table, messages_);
  }
  void Need(const Element& element) {
    if (element.subnet && sets_.insert(element.set).second) {
      AppendSubnet(*element.subnet, messages_);
    }
  }
  const Messages& messages() const { return messages_; }

 private:
  Messages messages_;
  std::set<std::string> sets_;
};

}  // namespace

Draft MakeDraft(const Plan& plan) {
  const auto rebuilt = [&](const Element& e) { return plan.missing_tables.contains(e.table); };
  Structure structure;
  std::vector<Element> replayed;
  for (const Table table : plan.missing_tables) structure.Rebuild(table);
  for (const Rules& rules : plan.live) {
    for (Element& element : ElementsOf(rules)) {
      if (!rebuilt(element)) continue;
      structure.Need(element);
      replayed.push_back(std::move(element));
    }
  }
  for (const Wanted& wanted : plan.wanted) {
    const Element& element = wanted.element;
    if (rebuilt(element) || plan.missing_sets.contains(element.set)) structure.Need(element);
  }

  Draft draft{Transaction(plan.generation)};
  const auto add = [&](const netlink::Request& message, Step step) {
    draft.transaction.Add(message);
    draft.steps.push_back(step);
  };
  for (const netlink::Request& message : structure.messages()) add(message, {});
  for (const Element& element : replayed) add(AddElement(element, 0), {});
  for (size_t i = 0; i < plan.wanted.size(); ++i) {
    const Wanted& wanted = plan.wanted[i];
    const bool fresh = rebuilt(wanted.element);
    if (wanted.present && !fresh) continue;
    if (wanted.replace && !fresh) add(RemoveElement(wanted.element), {Step::Part::kRemoval, i});
    add(AddElement(wanted.element, NLM_F_EXCL), {Step::Part::kAddition, i});
  }
  return draft;
}

const Rules* FindHolder(const Plan& plan, const Element& element) {
  for (const Rules& rules : plan.live) {
    const std::vector<Element> elements = ElementsOf(rules);
    const auto same = [&](const Element& other) {
      return other.table == element.table && other.set == element.set && other.key == element.key;
    };
    if (std::any_of(elements.begin(), elements.end(), same)) return &rules;
  }
  return nullptr;
}

}  // namespace cnm::firewall
