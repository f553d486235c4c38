// script.cc: the language in which cnm-xtables is told what to do.
//
// A script begins with "table FAMILY NAME". Each line behind it is an operation: its verb, with "~"
// when comments do not count, then the chain, the chain to take instead, the chains to come behind
// (commas between; "-" = none), and the rule as iptables-save writes it.
#include "common/firewall/iptables/script.h"

#include <algorithm>
#include <array>
#include <iterator>

#include <fmt/format.h>

#include "common/base/error.h"

namespace cnm::firewall::iptables {
namespace {

struct Verb {
  Operation::Kind kind;
  std::string_view word;
  bool with_rule;
};

constexpr std::array<Verb, 7> kVerbs = {{
    {Operation::Kind::kClaim, "claim", true},
    {Operation::Kind::kChain, "chain", false},
    {Operation::Kind::kInsert, "insert", true},
    {Operation::Kind::kAppend, "append", true},
    {Operation::Kind::kDelete, "delete", true},
    {Operation::Kind::kDeleteJumps, "delete-jumps", true},
    {Operation::Kind::kDeleteChain, "delete-chain", false},
}};

const Verb& VerbOf(Operation::Kind kind) {
  return *std::find_if(kVerbs.begin(), kVerbs.end(), [&](const Verb& v) { return v.kind == kind; });
}

std::string_view OrDash(std::string_view text) {
  return text.empty() ? "-" : text;
}

/// Conditions are words that only iptables itself understands: they are told by their presence.
std::string RuleText(const Rule& rule) {
  if (rule.conditions.empty()) return ToText(rule);
  Rule known = rule;
  known.conditions = {"-m", std::string(kSomeConditions)};
  return ToText(known);
}

/// The text up to the next `end`, which is taken too.
std::string_view TakeUntil(std::string_view& text, char end) {
  const size_t found = std::min(text.find(end), text.size());
  const std::string_view taken = text.substr(0, found);
  text.remove_prefix(std::min(found + 1, text.size()));
  return taken;
}

std::string TakeName(std::string_view& line) {
  const std::string_view word = TakeUntil(line, ' ');
  return word == "-" ? "" : std::string(word);
}

Operation ParseOperation(std::string_view line) {
  const std::string_view whole = line;
  std::string_view word = TakeUntil(line, ' ');
  Operation operation;
  operation.any_comment = word.ends_with('~');
  if (operation.any_comment) word.remove_suffix(1);
  const auto* const verb = std::find_if(kVerbs.begin(), kVerbs.end(),
                                        [&](const Verb& known) { return known.word == word; });
  if (verb == kVerbs.end()) {
    throw Error(Code::kDecode, fmt::format("parse script: unknown line {}", whole));
  }
  operation.kind = verb->kind;
  operation.chain = TakeName(line);
  operation.rather = TakeName(line);
  for (std::string_view chains = TakeUntil(line, ' '); !chains.empty() && chains != "-";) {
    operation.after.emplace_back(TakeUntil(chains, ','));
  }
  if (verb->with_rule) operation.rule = ParseRule(line);
  return operation;
}

}  // namespace

std::string RenderScripts(const std::vector<Script>& scripts) {
  std::string text;
  const auto out = std::back_inserter(text);
  for (const Script& script : scripts) {
    fmt::format_to(out, "table {} {}\n", script.family == net::Family::kIpv4 ? 4 : 6, script.table);
    for (const Operation& operation : script.operations) {
      const Verb& verb = VerbOf(operation.kind);
      fmt::format_to(out, "{}{} {} {} {} {}\n", verb.word, operation.any_comment ? "~" : "",
                     operation.chain, OrDash(operation.rather),
                     OrDash(fmt::format("{}", fmt::join(operation.after, ","))),
                     verb.with_rule ? RuleText(operation.rule) : "");
    }
  }
  return text;
}

std::vector<Script> ParseScripts(std::string_view text) {
  std::vector<Script> scripts;
  while (!text.empty()) {
    std::string_view line = TakeUntil(text, '\n');
    constexpr std::string_view kTable = "table ";
    if (line.starts_with(kTable)) {
      line.remove_prefix(kTable.size());
      const bool v4 = TakeUntil(line, ' ') == "4";
      scripts.push_back({v4 ? net::Family::kIpv4 : net::Family::kIpv6, std::string(line)});
    } else if (scripts.empty()) {
      throw Error(Code::kDecode, fmt::format("parse script: no table before {}", line));
    } else {
      scripts.back().operations.push_back(ParseOperation(line));
    }
  }
  return scripts;
}

}  // namespace cnm::firewall::iptables
