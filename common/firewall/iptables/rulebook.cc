// rulebook.cc: what owners want, as the reference plugins' chains and rules.
#include "common/firewall/iptables/rulebook.h"

#include <algorithm>
#include <array>
#include <iterator>
#include <string>
#include <string_view>
#include <utility>

#include <fmt/format.h>

#include "common/base/error.h"
#include "common/firewall/iptables/chapters.h"
#include "common/firewall/iptables/names.h"

namespace cnm::firewall::iptables {
namespace {

using Kind = Operation::Kind;

/// Appends the operations to the script of the table, which is made if there is none.
void Append(std::vector<Script>& scripts, net::Family family, std::string_view table,
            Operations operations) {
  if (operations.empty()) return;
  auto script = std::find_if(scripts.begin(), scripts.end(), [&](const Script& known) {
    return known.family == family && known.table == table;
  });
  if (script == scripts.end()) {
    scripts.push_back({family, std::string(table)});
    script = std::prev(scripts.end());
  }
  std::move(operations.begin(), operations.end(), std::back_inserter(script->operations));
}

/// Isolation concerns the families that are forwarded; all, when that is not told.
bool Isolates(const Rules& rules, net::Family family) {
  const auto& addresses = rules.forwarding.addresses;
  return rules.isolation && (addresses.empty() || std::any_of(addresses.begin(), addresses.end(),
                                                              [&](const net::Address& address) {
                                                                return address.family() == family;
                                                              }));
}

void AppendAll(std::vector<Script>& scripts, const std::vector<Script>& more) {
  for (const Script& script : more) {
    Append(scripts, script.family, script.table, script.operations);
  }
}

}  // namespace

std::vector<Script> AddScripts(const Rules& rules) {
  if (rules.spoof_guard) {
    throw Error(Code::kConfig, fmt::format("guard {}: iptables cannot check the source MAC of "
                                           "bridged frames",
                                           rules.spoof_guard->link));
  }
  std::vector<Script> scripts;
  for (const net::Family family : net::kFamilies) {
    Append(scripts, family, "raw", GuardLocalhost(rules.publication, family));
    Append(scripts, family, "nat", AddMasquerades(rules, family));
    Append(scripts, family, "nat", AddPublication(rules, family));
    Append(scripts, family, "filter", AddForwarding(rules.forwarding, family));
    if (Isolates(rules, family)) Append(scripts, family, "filter", AddIsolation(*rules.isolation));
    Append(scripts, family, "filter", AddPassages(rules.passages, family));
  }
  return scripts;
}

std::vector<Script> StandingScripts(const Rules& rules) {
  std::vector<Script> scripts = AddScripts(rules);
  for (Script& script : scripts) {
    std::erase_if(script.operations, [](const Operation& o) { return o.kind == Kind::kClaim; });
  }
  if (rules.owner.empty()) std::erase_if(scripts, [](const Script& s) { return s.table == "raw"; });
  return scripts;
}

std::vector<Script> RemoveScripts(const Rules& rules) {
  std::vector<Script> scripts;
  for (const net::Family family : net::kFamilies) {
    Append(scripts, family, "nat", RemoveMasquerades(rules, family));
    Append(scripts, family, "nat", RemovePublication(rules, family));
    Append(scripts, family, "filter", RemoveForwarding(rules.forwarding, family));
    Append(scripts, family, "filter", RemovePassages(rules.passages, family));
    if (rules.isolation) Append(scripts, family, "filter", RemoveIsolation(*rules.isolation));
  }
  return scripts;
}

std::vector<Script> RemoveForeignScripts(const Foreign& foreign) {
  const Subject subject{foreign.network, foreign.container_id};
  const auto remove = [&](std::string_view from, std::string_view kind) {
    const std::string chain = ChainOf(subject, kind);
    return Operations{{Kind::kDeleteJumps, std::string(from), {.target = chain}},
                      {Kind::kDeleteChain, chain}};
  };
  std::vector<Script> scripts;
  for (const net::Family family : net::kFamilies) {
    if (foreign.masquerade) Append(scripts, family, "nat", remove("POSTROUTING", ""));
    if (foreign.publication) {
      Append(scripts, family, "nat", remove(kPortChain, "DN-"));
      Append(scripts, family, "nat", remove(kOldSnatChain, "SN-"));
    }
    Append(scripts, family, "filter", RemoveForwarding({.addresses = foreign.forwarding}, family));
  }
  return scripts;
}

std::vector<Script> RebuildScripts(std::span<const Rules> live) {
  std::vector<Script> wanted;
  // Passages last: each is inserted before what isolation, of whichever owner, drops.
  for (const bool passages : {false, true}) {
    for (const Rules& rules : live) {
      if (rules.passages.empty() != passages) AppendAll(wanted, StandingScripts(rules));
    }
  }
  for (Script& script : wanted) {
    if (script.table != "filter") continue;
    // Others put themselves first when they start; an accept or drop of theirs would win.
    Operations jumps;
    for (const std::string_view from : {std::string_view("FORWARD"), kDockerChain}) {
      for (const std::string_view to : {kForwardChain, kPublishedChain, kStage1Chain}) {
        const bool again = std::any_of(
            script.operations.begin(), script.operations.end(),
            [&](const Operation& o) { return o.kind == Kind::kInsert && o.rule.target == to; });
        if (!again) continue;
        jumps.push_back({.kind = Kind::kDeleteJumps,
                         .chain = std::string(from),
                         .rule = {.target = std::string(to)},
                         .shared = true});
      }
    }
    script.operations.insert(script.operations.begin(), jumps.begin(), jumps.end());
  }
  return wanted;
}

}  // namespace cnm::firewall::iptables
