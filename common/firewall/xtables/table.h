// table.h: one table of the kernel's older packet filter, through libiptc. Internal to this
// program.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "common/firewall/iptables/resolve.h"
#include "common/firewall/iptables/script.h"

namespace cnm::firewall::xtables {

/// A copy of the whole table, to be read and changed, and given back in one piece.
class Table {
 public:
  virtual ~Table() = default;

  virtual iptables::Chain Read(const std::string& chain) = 0;
  virtual std::vector<std::string> Chains() = 0;
  /// "ACCEPT", "DROP"; "" for a chain that is not built in.
  virtual std::string Policy(const std::string& chain) = 0;
  /// Changes the copy. @throws Error kKernel
  virtual void Make(const iptables::Edit& edit) = 0;
  /// Gives the copy back. @returns false when somebody else changed the table since it was opened
  /// @throws Error kKernel
  virtual bool Commit() = 0;
};

/// Takes a copy; from then on the kernel has the table in use.
/// @throws Error kKernel "open iptables table nat: reason"
std::unique_ptr<Table> OpenTable(net::Family family, const std::string& name);

}  // namespace cnm::firewall::xtables
