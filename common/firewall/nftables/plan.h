// plan.h: what the next transaction is to do. Internal to this folder.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "common/firewall/nftables/element.h"
#include "common/firewall/transaction.h"

namespace cnm::firewall {

/// An element that is to be there, and how to get it there.
struct Wanted {
  Element element;
  bool replace = false;  ///< a dead owner's is in the way
  bool present = false;  ///< it is ours already
};

/// A value: making a transaction of it asks nothing and changes nothing.
struct Plan {
  std::vector<Wanted> wanted = {};
  std::set<std::string> missing_sets = {};
  std::set<Table> missing_tables = {};      ///< to be deleted, built and filled
  std::vector<Rules> live = {};             ///< what to fill them with
  std::optional<uint32_t> generation = {};  ///< of the rule set that all this rests on
};

/// What one message of the transaction is for.
struct Step {
  enum class Part { kStructure, kRemoval, kAddition };
  Part part = Part::kStructure;
  size_t wanted = 0;  ///< index into Plan::wanted; not of structure
};

/// A transaction and the step of each of its messages.
struct Draft {
  Transaction transaction;
  std::vector<Step> steps = {};
};

Draft MakeDraft(const Plan& plan);

/// The live owner whose rules hold the same element; nullptr if none does.
const Rules* FindHolder(const Plan& plan, const Element& element);

}  // namespace cnm::firewall
