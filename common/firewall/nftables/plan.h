// plan.h: what the next transaction is to do. Internal to this folder.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <set>
#include <span>
#include <string_view>
#include <vector>

#include "common/firewall/nftables/element.h"
#include "common/firewall/nftables/schema.h"
#include "common/firewall/transaction.h"

namespace cnm::firewall::nftables {

/// An element that is to be there.
struct Wanted {
  Element element;
  bool present = false;  ///< it is ours already
};

/// A value: making a transaction of it asks nothing and changes nothing.
struct Plan {
  std::vector<Wanted> wanted = {};
  std::vector<Element> removals = {};  ///< of dead owners, in the way
  bool publication = false;            ///< its chains are needed, elements or not
  /// What is there now; none = as usual, all that the elements need.
  std::optional<Inventory> inventory = {};
  std::set<Table> rebuilt = {};             ///< to be cleared, built and filled
  std::vector<Element> replayed = {};       ///< what to fill them with
  std::optional<uint32_t> generation = {};  ///< of the rule set that all this rests on
  /// A message for each element, so that a refusal says which; else as few as can be.
  bool detailed = false;

  bool IsRebuilt(const Element& element) const { return rebuilt.contains(element.table); }
};

/// What one message of the transaction is for.
struct Step {
  enum class Kind { kStructure, kReplay, kRemoval, kAddition };
  Kind kind = Kind::kStructure;
  size_t index = 0;  ///< into the plan's replayed, removals or wanted: the first of `count`
  size_t count = 1;
  Table table = Table::kInet;
  std::optional<Part> part = {};  ///< of structure
};

/// A transaction and the step of each of its messages.
struct Draft {
  Transaction transaction;
  std::vector<Step> steps = {};
};

Draft MakeDraft(const Plan& plan);

/// Calls `visit(first, elements)` for each run of elements of one set that one message may hold, or
/// for each `single` element: the index of its first and the run itself. Null elements are skipped.
void ForEachRun(std::span<const Element* const> elements, bool single,
                const std::function<void(size_t, std::span<const Element* const>)>& visit);

/// Whether the inventory has the part of this element but not its set: somebody else deleted it.
bool IsDamaged(const Inventory& inventory, const Element& element);

/// @throws Error kKernel "WHAT: File exists (the kernel's own words)"
[[noreturn]] void ThrowRefused(std::string_view what, const Refusal& refusal);

}  // namespace cnm::firewall::nftables
