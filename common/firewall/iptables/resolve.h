// resolve.h: from what is wanted and what is there to what must change. Internal to the iptables
// backend and its helper program.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/firewall/iptables/script.h"

namespace cnm::firewall::iptables {

/// A rule that is there.
struct Present {
  Rule rule;
  uint64_t handle = 0;  ///< nf_tables' number for it; 0 = none, or not yet
};

/// A chain as it is.
struct Chain {
  bool exists = false;
  std::deque<Present> rules = {};  ///< a container's are mostly deleted from the front
  size_t references = 0;           ///< how many rules jump to it
};

/// Reads one chain of the table at hand.
using ReadChain = std::function<Chain(const std::string& name)>;

/// One change. Edits are made in their order, and positions count what those before have changed.
struct Edit {
  enum class Kind : uint8_t { kNewChain, kAppend, kInsert, kDelete, kDeleteChain };
  Kind kind = Kind::kNewChain;
  std::string chain;
  Rule rule = {};       ///< of kAppend, kInsert, kDelete
  size_t position = 0;  ///< of kInsert: it will be the rule of this index (0 = first); of kDelete
  std::optional<Rule> behind = {};  ///< of kInsert: the rule that it must directly follow
  uint64_t handle = 0;              ///< of kDelete
  bool shared = false;  ///< two processes may make it at once, unless a lock prevents that
};

/// The changes that one table needs; none when all is as wanted. Reads only the chains it must.
/// @throws Error kInUse naming the network and container that publish a claimed port
std::vector<Edit> Resolve(const std::vector<Operation>& operations, const ReadChain& read);

/// What is missing, or too many, when the edit is still to be made: "rule … in chain C not found in
/// iptables table nat".
std::string DescribeEdit(const Edit& edit, std::string_view table);
/// Whether a rule is part of what this backend, or the reference, makes: it stands in such a chain
/// or jumps to one.
bool IsOurs(std::string_view chain, const Rule& rule);
/// Whether any rule of the chain drops or rejects.
bool Drops(const Chain& chain);

}  // namespace cnm::firewall::iptables
