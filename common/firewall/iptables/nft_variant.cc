// nft_variant.cc: iptables' chains in nf_tables.
//
// Theory of operation. What is there is read over netlink, only the few chains that matter. What is
// to be added is left to iptables-nft-restore, one process for each family: it alone knows how its
// release writes rules, and further conditions are words that only it understands. What only has to
// go is deleted over netlink by the handles that were read: no process, and no text to be got
// right. Chains and jumps that all owners share are looked for and made under iptables' own lock,
// as are claims of ports; otherwise two processes could both find them missing. Others (Docker,
// kube-proxy) do not take that lock: so nothing is ever told by its number in a chain.
#include <linux/netfilter/nf_tables.h>
#include <linux/netlink.h>

#include <endian.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <iterator>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "common/base/error.h"
#include "common/firewall/iptables/names.h"
#include "common/firewall/iptables/nft_chain.h"
#include "common/firewall/iptables/programs.h"
#include "common/firewall/iptables/resolve.h"
#include "common/firewall/iptables/variant.h"
#include "common/firewall/iptables/xtables_lock.h"
#include "common/firewall/transaction.h"
#include "common/netlink/attributes.h"
#include "common/netlink/channel.h"

namespace cnm::firewall::iptables {
namespace {

constexpr int kAttempts = 16;
constexpr int kRestores = 3;  // each is a process, while the lock is held

/// The changes that one table needs.
struct TableEdits {
  TableName table;
  std::vector<Edit> edits;
};

template <class Condition>
bool AnyEdit(const std::vector<TableEdits>& tables, const Condition& condition) {
  return std::any_of(tables.begin(), tables.end(), [&](const TableEdits& table) {
    return std::any_of(table.edits.begin(), table.edits.end(), condition);
  });
}

/// Whether the edit fails when a rule that was read has gone.
bool MayMiss(const Edit& edit) {
  return edit.kind == Edit::Kind::kDelete || edit.behind;
}

[[noreturn]] void ThrowChanging(int attempts) {
  throw Error(Code::kTryAgain,
              fmt::format("delete iptables rules: they changed {} times meanwhile", attempts));
}

bool OnlyDeletes(const std::vector<TableEdits>& tables) {
  return !AnyEdit(tables, [](const Edit& edit) {
    return edit.kind != Edit::Kind::kDelete && edit.kind != Edit::Kind::kDeleteChain;
  });
}

/// What was not understood as a whole cannot be written either.
bool IsWritable(const Rule& rule) {
  return rule.conditions.empty();
}

bool IsDelete(const Edit& edit) {
  return edit.kind == Edit::Kind::kDelete;
}

/// Whether the edit is not iptables-nft-restore's.
bool IsByHandle(const Edit& edit) {
  return IsDelete(edit) && !IsWritable(edit.rule);
}

/// As the first of its chain; if there is one that it must follow, that is moved before it.
std::string InsertLines(const Edit& edit) {
  std::string insert = fmt::format("-I {} {}\n", edit.chain, ToText(edit.rule));
  if (!edit.behind) return insert;
  if (!IsWritable(*edit.behind)) {
    return fmt::format("-I {} {} {}\n", edit.chain, edit.position + 1, ToText(edit.rule));
  }
  const std::string behind = fmt::format("{} {}\n", edit.chain, ToText(*edit.behind));
  return fmt::format("-D {0}{1}-I {0}", behind, insert);
}

std::string RestoreLines(const Edit& edit) {
  switch (edit.kind) {
    case Edit::Kind::kNewChain:
      return fmt::format("-N {}\n", edit.chain);
    case Edit::Kind::kAppend:
      return fmt::format("-A {} {}\n", edit.chain, ToText(edit.rule));
    case Edit::Kind::kInsert:
      return InsertLines(edit);
    case Edit::Kind::kDelete:
      return fmt::format("-D {} {}\n", edit.chain, ToText(edit.rule));
    case Edit::Kind::kDeleteChain:
      break;
  }
  return fmt::format("-F {0}\n-X {0}\n", edit.chain);
}

std::string RestoreText(const std::vector<TableEdits>& tables, net::Family family) {
  std::string text;
  for (const TableEdits& table : tables) {
    if (table.table.family != family) continue;
    std::string lines;
    for (const Edit& edit : table.edits) {
      if (!IsByHandle(edit)) lines += RestoreLines(edit);
    }
    if (!lines.empty()) text += fmt::format("*{}\n{}COMMIT\n", table.table.name, lines);
  }
  return text;
}

std::vector<std::string> RestorePrograms(net::Family family) {
  const std::string_view six = family == net::Family::kIpv6 ? "6" : "";
  return {fmt::format("ip{}tables-nft-restore", six), fmt::format("ip{}tables-restore", six)};
}

void RestoreAll(const std::vector<TableEdits>& tables, const Changed& changed) {
  for (const net::Family family : net::kFamilies) {
    const std::string text = RestoreText(tables, family);
    if (text.empty()) continue;
    changed(family);  // a process commits table by table, so it may fail with some of it done
    RunRestore(RestorePrograms(family), {"--noflush"}, text);
  }
}

/// Deletes a rule by its handle, or with handle 0 all rules of the chain.
netlink::Request DeleteRule(const TableName& table, const std::string& chain, uint64_t handle) {
  netlink::Request request = MakeNftMessage("", NFT_MSG_DELRULE, table.family);
  netlink::PutText(request, NFTA_RULE_TABLE, table.name);
  netlink::PutText(request, NFTA_RULE_CHAIN, chain);
  if (handle != 0) netlink::PutNumber<uint64_t>(request, NFTA_RULE_HANDLE, htobe64(handle));
  return request;
}

netlink::Request DeleteChain(const TableName& table, const std::string& chain) {
  netlink::Request request = MakeNftMessage("", NFT_MSG_DELCHAIN, table.family);
  netlink::PutText(request, NFTA_CHAIN_TABLE, table.name);
  netlink::PutText(request, NFTA_CHAIN_NAME, chain);
  return request;
}

class NftVariant : public Variant {
 public:
  using Variant::Apply;
  void Apply(const std::vector<Script>& scripts, const Changed& changed) override;
  std::optional<std::string> FindMissing(const std::vector<Script>& scripts) override;
  std::vector<Standing> List() override;
  void RequirePrograms() override;

 private:
  std::vector<TableEdits> ResolveAll(const std::vector<Script>& scripts);
  template <class Condition>
  bool TryDelete(const std::vector<TableEdits>& tables, const Condition& which);
  void ApplyLocked(const std::vector<Script>& scripts, const Changed& changed);

  netlink::Channel channel_ = netlink::Channel::Open(NETLINK_NETFILTER);
};

std::vector<TableEdits> NftVariant::ResolveAll(const std::vector<Script>& scripts) {
  std::vector<TableEdits> tables;
  for (const Script& script : scripts) {
    const TableName table{script.family, script.table};
    tables.push_back({table, Resolve(script.operations, [&](const std::string& chain) {
                        return ReadNftChain(channel_, table, chain);
                      })});
  }
  return tables;
}

/// @returns false when something of it was gone, or in use again, before it was deleted
template <class Condition>
bool NftVariant::TryDelete(const std::vector<TableEdits>& tables, const Condition& which) {
  Transaction transaction;
  for (const auto& [table, edits] : tables) {
    for (const Edit& edit : edits) {
      if (!which(edit)) continue;
      if (IsDelete(edit)) {
        transaction.Add(DeleteRule(table, edit.chain, edit.handle));
      } else {
        transaction.Add(DeleteRule(table, edit.chain, 0));
        transaction.Add(DeleteChain(table, edit.chain));
      }
    }
  }
  if (transaction.empty()) return true;
  const std::vector<Refusal> refusals = std::move(transaction).Commit(channel_);
  for (const Refusal& refusal : refusals) {
    if (refusal.error == ENOENT || refusal.error == EBUSY || refusal.error == ERESTART) continue;
    throw SystemError(Code::kKernel, "delete iptables rules", refusal.error);
  }
  return refusals.empty();
}

/// Nobody else adds what is shared, or claims ports, meanwhile; but rules may come and go. One that
/// has gone cannot be deleted: then all is looked at again.
void NftVariant::ApplyLocked(const std::vector<Script>& scripts, const Changed& changed) {
  const FileLock lock = AcquireXtablesLock();
  for (int left = kRestores; left > 0; --left) {
    const std::vector<TableEdits> tables = ResolveAll(scripts);
    try {
      RestoreAll(tables, changed);
    } catch (const Error&) {
      if (left == 1 || !AnyEdit(tables, MayMiss)) throw;
      continue;
    }
    if (TryDelete(tables, IsByHandle)) return;
  }
  ThrowChanging(kRestores);
}

bool Claims(const std::vector<Script>& scripts) {
  return std::any_of(scripts.begin(), scripts.end(), [](const Script& script) {
    return std::any_of(
        script.operations.begin(), script.operations.end(),
        [](const Operation& operation) { return operation.kind == Operation::Kind::kClaim; });
  });
}

void NftVariant::Apply(const std::vector<Script>& scripts, const Changed& changed) {
  if (Claims(scripts)) return ApplyLocked(scripts, changed);
  for (int attempt = 0; attempt < kAttempts; ++attempt) {
    const std::vector<TableEdits> tables = ResolveAll(scripts);
    if (OnlyDeletes(tables)) {
      if (TryDelete(tables, [](const Edit&) { return true; })) return;
      continue;
    }
    if (AnyEdit(tables, [](const Edit& edit) { return edit.shared || IsDelete(edit); })) {
      return ApplyLocked(scripts, changed);
    }
    return RestoreAll(tables, changed);
  }
  ThrowChanging(kAttempts);
}

std::optional<std::string> NftVariant::FindMissing(const std::vector<Script>& scripts) {
  for (const TableEdits& table : ResolveAll(scripts)) {
    for (const Edit& edit : table.edits) return DescribeEdit(edit, table.table.name);
  }
  return {};
}

std::vector<Standing> NftVariant::List() {
  std::vector<Standing> standing;
  for (const net::Family family : net::kFamilies) {
    for (const ChainName& name : ListNftChains(channel_, family)) {
      const TableName table{family, name.table};
      for (Present& present : ReadNftChain(channel_, table, name.chain).rules) {
        if (!IsOurs(name.chain, present.rule)) continue;
        standing.push_back({family, name.table, name.chain, std::move(present.rule)});
      }
    }
  }
  return standing;
}

bool MayDrop(netlink::Channel& netfilter, net::Family family) {
  const TableName filter{family, "filter"};
  const Policy policy = ReadNftPolicy(netfilter, filter, "FORWARD");
  if (policy == Policy::kAbsent) return false;
  if (policy == Policy::kDrop) return true;
  if (ReadNftPolicy(netfilter, filter, std::string(kDockerChain)) != Policy::kAbsent) return true;
  return Drops(ReadNftChain(netfilter, filter, "FORWARD"));
}

void NftVariant::RequirePrograms() {
  for (const net::Family family : net::kFamilies) GetProgram(RestorePrograms(family));
}

}  // namespace

std::unique_ptr<Variant> MakeNftVariant() {
  return std::make_unique<NftVariant>();
}

bool NftMayDrop(netlink::Channel& netfilter) {
  return std::any_of(std::begin(net::kFamilies), std::end(net::kFamilies),
                     [&](net::Family family) { return MayDrop(netfilter, family); });
}

}  // namespace cnm::firewall::iptables
