// legacy_variant.cc: iptables' chains in the kernel's older packet filter, through cnm-xtables.
//
// Theory of operation. There is no reading or changing of a part: a program takes the whole table,
// and gives it back. cnm-xtables does that once for each table, under iptables' lock, and looks for
// itself what is there. Rules with further conditions are words that only iptables understands:
// those that are missing are given to iptables-legacy-restore afterwards. Removing runs nothing
// when the kernel says that the table is not in use.
#include <algorithm>
#include <array>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "common/firewall/iptables/names.h"
#include "common/firewall/iptables/programs.h"
#include "common/firewall/iptables/resolve.h"
#include "common/firewall/iptables/variant.h"

namespace cnm::firewall::iptables {
namespace {

using Kind = Operation::Kind;

bool OnlyDeletes(const Script& script) {
  return std::all_of(script.operations.begin(), script.operations.end(), [](const Operation& o) {
    return o.kind == Kind::kDelete || o.kind == Kind::kDeleteJumps || o.kind == Kind::kDeleteChain;
  });
}

/// A rule that cnm-xtables can tell but not make.
bool IsConditional(const Operation& operation) {
  return !operation.rule.conditions.empty() &&
         (operation.kind == Kind::kAppend || operation.kind == Kind::kInsert);
}

/// Those operations of the scripts for which `wanted` holds; none of empty tables that are to be
/// emptied.
template <class Condition>
std::vector<Script> Select(const std::vector<Script>& scripts, const Condition& wanted) {
  std::vector<Script> selected;
  for (const Script& script : scripts) {
    if (OnlyDeletes(script) && !HasLegacyTable(script.family, script.table)) continue;
    Script part{script.family, script.table};
    std::copy_if(script.operations.begin(), script.operations.end(),
                 std::back_inserter(part.operations), wanted);
    if (!part.operations.empty()) selected.push_back(std::move(part));
  }
  return selected;
}

class LegacyVariant : public Variant {
 public:
  using Variant::Apply;
  void Apply(const std::vector<Script>& scripts, const Changed& changed) override;
  std::optional<std::string> FindMissing(const std::vector<Script>& scripts) override;
  std::vector<Standing> List() override;
  void RequirePrograms() override;

 private:
  static void AddConditional(const Script& script);
};

/// Has iptables add those of the script's rules that are not there.
void LegacyVariant::AddConditional(const Script& script) {
  std::string text = fmt::format("*{}\n", script.table);
  bool any = false;
  for (const Operation& operation : script.operations) {
    const Script one{script.family, script.table, {operation}};
    if (RunHelper("check", RenderScripts({one})).empty()) continue;
    text += fmt::format("{} {} {}\n", operation.kind == Kind::kInsert ? "-I" : "-A",
                        operation.chain, ToText(operation.rule));
    any = true;
  }
  if (!any) return;
  const std::string_view six = script.family == net::Family::kIpv6 ? "6" : "";
  RunRestore(
      {fmt::format("ip{}tables-legacy-restore", six), fmt::format("ip{}tables-restore", six)},
      {"--noflush", "--wait", "20"}, text + "COMMIT\n");
}

void LegacyVariant::Apply(const std::vector<Script>& scripts, const Changed& changed) {
  const std::vector<Script> known =
      Select(scripts, [](const Operation& operation) { return !IsConditional(operation); });
  // It does not say in which of them.
  const auto all_changed = [&] {
    for (const Script& script : known) changed(script.family);
  };
  if (!known.empty()) RunHelper("apply", RenderScripts(known), all_changed);
  for (const Script& script : Select(scripts, IsConditional)) {
    changed(script.family);
    AddConditional(script);
  }
}

std::optional<std::string> LegacyVariant::FindMissing(const std::vector<Script>& scripts) {
  std::string answer = RunHelper("check", RenderScripts(scripts));
  while (answer.ends_with('\n')) answer.pop_back();
  if (answer.empty()) return {};
  return answer;
}

std::vector<Standing> LegacyVariant::List() {
  std::vector<Script> tables;
  for (const net::Family family : net::kFamilies) {
    for (const char* const table : {"filter", "nat", "raw"}) {
      if (HasLegacyTable(family, table)) tables.push_back({family, table});
    }
  }
  if (tables.empty()) return {};
  std::vector<Standing> standing;
  for (Script& script : ParseScripts(RunHelper("list", RenderScripts(tables)))) {
    for (Operation& operation : script.operations) {
      standing.push_back(
          {script.family, script.table, std::move(operation.chain), std::move(operation.rule)});
    }
  }
  return standing;
}

void LegacyVariant::RequirePrograms() {
  RequireHelper();
}

}  // namespace

std::unique_ptr<Variant> MakeLegacyVariant() {
  return std::make_unique<LegacyVariant>();
}

bool LegacyMayDrop() {
  std::vector<Script> tables;
  for (const net::Family family : net::kFamilies) {
    if (HasLegacyTable(family, "filter")) tables.push_back({family, "filter"});
  }
  return !tables.empty() && RunHelper("may-drop", RenderScripts(tables)) == "yes\n";
}

}  // namespace cnm::firewall::iptables
