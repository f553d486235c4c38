// main.cc: cnm-xtables, which changes and reads the tables of the kernel's older packet filter for
// the iptables backend. A program of its own because libiptc exists only as a shared library, and
// the plugins are static.
//
//   cnm-xtables apply     carries out the scripts on standard input
//   (common/firewall/iptables/script.h) cnm-xtables check     prints the first thing that apply
//   would change cnm-xtables list      prints the rules of ours in the scripts' tables, as scripts
//   cnm-xtables may-drop  prints "yes" when FORWARD of one of the scripts' tables may drop packets
//
// An error is a text on standard output (common/firewall/iptables/answer.h) and exit status 3, or 4
// when some table was changed already.
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <exception>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <fmt/format.h>

#include "common/base/atomic_file.h"
#include "common/base/error.h"
#include "common/firewall/iptables/answer.h"
#include "common/firewall/iptables/names.h"
#include "common/firewall/iptables/resolve.h"
#include "common/firewall/iptables/script.h"
#include "common/firewall/iptables/xtables_lock.h"
#include "common/firewall/xtables/table.h"

namespace cnm::firewall::xtables {
namespace {

using iptables::Edit;
using iptables::Script;

constexpr int kAttempts = 16;
constexpr size_t kInputLimit = size_t{64} << 20;

std::vector<Edit> EditsOf(const Script& script, Table& table) {
  return iptables::Resolve(script.operations,
                           [&](const std::string& chain) { return table.Read(chain); });
}

/// A table with its changes made in the copy.
struct Prepared {
  const Script* script = nullptr;
  std::unique_ptr<Table> table = {};
  bool changed = false;
};

Prepared Prepare(const Script& script) {
  Prepared prepared{&script, OpenTable(script.family, script.table)};
  const std::vector<Edit> edits = EditsOf(script, *prepared.table);
  for (const Edit& edit : edits) prepared.table->Make(edit);
  prepared.changed = !edits.empty();
  return prepared;
}

/// Gives the table back, taking it again when somebody changed it without the lock.
void Commit(Prepared prepared) {
  for (int attempt = 0; attempt < kAttempts && prepared.changed; ++attempt) {
    if (prepared.table->Commit()) return;
    prepared = Prepare(*prepared.script);
  }
  if (!prepared.changed) return;
  throw Error(Code::kTryAgain,
              fmt::format("change iptables table {}: it changed {} times meanwhile",
                          prepared.script->table, kAttempts));
}

/// Refuses before it changes anything, if it refuses. `some`: set once a table was changed.
void Apply(const std::vector<Script>& scripts, bool& some) {
  const FileLock lock = iptables::AcquireXtablesLock();
  std::vector<Prepared> tables;
  tables.reserve(scripts.size());
  for (const Script& script : scripts) tables.push_back(Prepare(script));
  for (Prepared& prepared : tables) {
    Commit(std::move(prepared));
    some = true;
  }
}

std::string Check(const std::vector<Script>& scripts) {
  for (const Script& script : scripts) {
    const std::unique_ptr<Table> table = OpenTable(script.family, script.table);
    for (const Edit& edit : EditsOf(script, *table)) {
      return iptables::DescribeEdit(edit, script.table) + "\n";
    }
  }
  return "";
}

std::string List(std::vector<Script> scripts) {
  for (Script& script : scripts) {
    const std::unique_ptr<Table> table = OpenTable(script.family, script.table);
    for (const std::string& chain : table->Chains()) {
      for (iptables::Present& present : table->Read(chain).rules) {
        if (!iptables::IsOurs(chain, present.rule)) continue;
        script.operations.push_back(
            {iptables::Operation::Kind::kAppend, chain, std::move(present.rule)});
      }
    }
  }
  return iptables::RenderScripts(scripts);
}

std::string MayDrop(const std::vector<Script>& scripts) {
  for (const Script& script : scripts) {
    const std::unique_ptr<Table> table = OpenTable(script.family, script.table);
    if (table->Policy("FORWARD") == "DROP" || iptables::Drops(table->Read("FORWARD")) ||
        table->Read(std::string(iptables::kDockerChain)).exists) {
      return "yes\n";
    }
  }
  return "no\n";
}

std::string Serve(std::string_view command, bool& some) {
  const std::vector<Script> scripts =
      iptables::ParseScripts(ReadAll(STDIN_FILENO, kInputLimit, "standard input"));
  if (command == "check") return Check(scripts);
  if (command == "list") return List(scripts);
  if (command == "may-drop") return MayDrop(scripts);
  if (command != "apply") {
    throw Error(Code::kEnvironment, fmt::format("run cnm-xtables: unknown command {}", command));
  }
  Apply(scripts, some);
  return "";
}

}  // namespace
}  // namespace cnm::firewall::xtables

int main(int argc, char** argv) {
  bool some = false;
  try {
    const std::string answer = cnm::firewall::xtables::Serve(argc == 2 ? argv[1] : "", some);
    std::fwrite(answer.data(), 1, answer.size(), stdout);
    return 0;
  } catch (const cnm::Error& error) {
    const std::string answer = cnm::firewall::iptables::RenderAnswer(error);
    std::fwrite(answer.data(), 1, answer.size(), stdout);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "cnm-xtables: %s\n", error.what());
    return 1;
  }
  return some ? cnm::firewall::iptables::kPartlyStatus : cnm::firewall::iptables::kAnsweredStatus;
}
