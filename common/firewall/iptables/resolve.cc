// resolve.cc: from what is wanted and what is there to what must change.
#include "common/firewall/iptables/resolve.h"

#include <algorithm>
#include <deque>
#include <map>
#include <optional>
#include <string_view>
#include <utility>

#include <fmt/format.h>

#include "common/base/error.h"
#include "common/firewall/iptables/names.h"

namespace cnm::firewall::iptables {
namespace {

bool Overlap(const PortRange& a, const PortRange& b) {
  return a.first <= b.last && b.first <= a.last;
}

/// Whether both rules of containers' chains would send the same connections somewhere.
bool Compete(const Rule& claim, const Rule& other) {
  return other.target == "DNAT" && other.protocol == claim.protocol && other.port &&
         Overlap(*other.port, *claim.port) && other.destination == claim.destination;
}

/// Whether it is a chain that somebody makes, and so one that may be absent.
bool IsMade(std::string_view target) {
  return target.starts_with("CNI-");
}

/// The chains as they will be when the edits so far are made.
class Workbench {
 public:
  explicit Workbench(const ReadChain& read) : read_(read) {}

  void Carry(const Operation& operation);
  std::vector<Edit> TakeEdits() { return std::move(edits_); }

 private:
  Chain& At(const std::string& name);
  bool IsJumpedTo(const std::string& target);
  std::string Place(const Operation& operation);
  void Claim(const Operation& operation);
  void Ensure(const Operation& operation);
  void EnsureUnread(const Operation& operation, const std::string& place);
  bool StillLeads(const Rule& entry);
  template <class Condition>
  void DeleteIf(const Operation& operation, const Condition& condition);
  void DeleteChain(const Operation& operation);

  const ReadChain& read_;
  std::map<std::string, Chain> chains_;
  std::map<std::string, std::deque<Present>> appended_;  // to chains not read yet
  std::vector<Edit> edits_;
};

Chain& Workbench::At(const std::string& name) {
  const auto known = chains_.find(name);
  if (known != chains_.end()) return known->second;
  Chain& chain = chains_.emplace(name, read_(name)).first->second;
  if (const auto more = appended_.find(name); more != appended_.end()) {
    chain.rules.insert(chain.rules.end(), more->second.begin(), more->second.end());
  }
  return chain;
}

/// False spares reading a long chain: nothing in it can be what is looked for.
bool Workbench::IsJumpedTo(const std::string& target) {
  return !IsMade(target) || At(target).references > 0;
}

std::string Workbench::Place(const Operation& operation) {
  const bool rather = !operation.rather.empty() && At(operation.rather).exists;
  return rather ? operation.rather : operation.chain;
}

[[noreturn]] void ThrowInUse(const Rule& claim, const Rule& entry) {
  const std::optional<Subject> holder = SubjectOf(entry.comment);
  const std::string who =
      holder ? fmt::format("network {}, container {}", holder->network, holder->container_id)
             : fmt::format("\"{}\"", entry.comment);
  throw Error(Code::kInUse,
              fmt::format("publish port {}/{}: in use by {}", claim.port->first,
                          ProtocolText(*claim.protocol), who),
              fmt::format("iptables chain {}", entry.target));
}

void Workbench::Claim(const Operation& operation) {
  const Rule& claim = operation.rule;
  // Which connections the further conditions of either leave over cannot be told.
  if (!claim.conditions.empty()) return;
  for (const Present& entry : At(std::string(kPortChain)).rules) {
    const std::vector<PortRange>& ports = entry.rule.ports;
    if (!entry.rule.conditions.empty() || entry.rule.protocol != claim.protocol) continue;
    if (std::none_of(ports.begin(), ports.end(),
                     [&](const PortRange& range) { return Overlap(range, *claim.port); })) {
      continue;
    }
    const bool own_chain = entry.rule.target == operation.chain;
    for (const Present& other : At(entry.rule.target).rules) {
      const bool own = own_chain && other.rule == claim;
      if (!own && Compete(claim, other.rule)) ThrowInUse(claim, entry.rule);
    }
  }
}

/// Appends without reading the chain: nothing in it jumps to the target yet.
void Workbench::EnsureUnread(const Operation& operation, const std::string& place) {
  std::deque<Present>& appended = appended_[place];
  const Present wanted{operation.rule};
  if (std::any_of(appended.begin(), appended.end(),
                  [&](const Present& known) { return known.rule == wanted.rule; })) {
    return;
  }
  appended.push_back(wanted);
  edits_.push_back({.kind = Edit::Kind::kAppend,
                    .chain = place,
                    .rule = operation.rule,
                    .shared = operation.shared});
}

/// The rule is to be in the chain.
void Workbench::Ensure(const Operation& operation) {
  const std::string place = Place(operation);
  const bool append = operation.kind == Operation::Kind::kAppend;
  if (append && !chains_.contains(place) && !IsJumpedTo(operation.rule.target)) {
    EnsureUnread(operation, place);
    return;
  }
  std::deque<Present>& rules = At(place).rules;
  const auto matches = [&](const Present& known) {
    return Matches(operation.rule, known.rule, operation.any_comment);
  };
  if (std::any_of(rules.begin(), rules.end(), matches)) return;
  size_t position = append ? rules.size() : 0;
  for (size_t i = 0; i < rules.size() && !operation.after.empty(); ++i) {
    const bool behind = std::find(operation.after.begin(), operation.after.end(),
                                  rules[i].rule.target) != operation.after.end();
    if (behind) position = i + 1;
  }
  rules.insert(rules.begin() + static_cast<std::ptrdiff_t>(position), {operation.rule});
  // Behind the last is not a place that "insert" has for iptables.
  const bool last = position + 1 == rules.size() && (append || position > 0);
  std::optional<Rule> behind;
  if (position > 0 && !last) behind = rules[position - 1].rule;
  edits_.push_back({.kind = last ? Edit::Kind::kAppend : Edit::Kind::kInsert,
                    .chain = place,
                    .rule = operation.rule,
                    .position = position,
                    .behind = std::move(behind),
                    .shared = operation.shared});
}

/// Whether a rule that jumps for ports to a container's chain finds some of them there. Two
/// interfaces of one container can need the same.
bool Workbench::StillLeads(const Rule& entry) {
  if (entry.ports.empty() || !IsMade(entry.target)) return false;
  const std::deque<Present>& rules = At(entry.target).rules;
  return std::any_of(rules.begin(), rules.end(), [&](const Present& known) {
    return known.rule.protocol == entry.protocol && known.rule.port &&
           std::any_of(entry.ports.begin(), entry.ports.end(),
                       [&](const PortRange& range) { return Overlap(range, *known.rule.port); });
  });
}

/// No rule of the chain that fulfils the condition is to stay.
template <class Condition>
void Workbench::DeleteIf(const Operation& operation, const Condition& condition) {
  if (!IsJumpedTo(operation.rule.target)) return;
  std::deque<Present>& rules = At(operation.chain).rules;
  for (size_t i = 0; i < rules.size();) {
    if (!condition(rules[i].rule)) {
      ++i;
      continue;
    }
    edits_.push_back({.kind = Edit::Kind::kDelete,
                      .chain = operation.chain,
                      .rule = rules[i].rule,
                      .position = i,
                      .handle = rules[i].handle,
                      .shared = operation.shared});
    const auto target = chains_.find(rules[i].rule.target);
    if (target != chains_.end() && target->second.references > 0) --target->second.references;
    rules.erase(rules.begin() + static_cast<std::ptrdiff_t>(i));
  }
}

void Workbench::DeleteChain(const Operation& operation) {
  Chain& chain = At(operation.chain);
  if (!chain.exists || chain.references > 0) return;
  chain = {};
  // Its rules go with it.
  std::erase_if(edits_, [&](const Edit& edit) {
    return edit.kind == Edit::Kind::kDelete && edit.chain == operation.chain;
  });
  edits_.push_back({.kind = Edit::Kind::kDeleteChain, .chain = operation.chain});
}

void Workbench::Carry(const Operation& operation) {
  using Kind = Operation::Kind;
  switch (operation.kind) {
    case Kind::kClaim:
      return Claim(operation);
    case Kind::kChain:
      if (At(operation.chain).exists) return;
      At(operation.chain).exists = true;
      edits_.push_back(
          {.kind = Edit::Kind::kNewChain, .chain = operation.chain, .shared = operation.shared});
      return;
    case Kind::kInsert:
    case Kind::kAppend:
      return Ensure(operation);
    case Kind::kDelete:
      return DeleteIf(operation, [&](const Rule& rule) {
        return Matches(operation.rule, rule, operation.any_comment) && !StillLeads(rule);
      });
    case Kind::kDeleteJumps:
      return DeleteIf(operation,
                      [&](const Rule& rule) { return rule.target == operation.rule.target; });
    case Kind::kDeleteChain:
      return DeleteChain(operation);
  }
}

}  // namespace

std::vector<Edit> Resolve(const std::vector<Operation>& operations, const ReadChain& read) {
  Workbench workbench(read);
  for (const Operation& operation : operations) workbench.Carry(operation);
  return workbench.TakeEdits();
}

std::string DescribeEdit(const Edit& edit, std::string_view table) {
  switch (edit.kind) {
    case Edit::Kind::kNewChain:
      return fmt::format("chain {} not found in iptables table {}", edit.chain, table);
    case Edit::Kind::kAppend:
    case Edit::Kind::kInsert:
      return fmt::format("rule {} in chain {} not found in iptables table {}", ToText(edit.rule),
                         edit.chain, table);
    case Edit::Kind::kDelete:
      return fmt::format("rule {} in chain {} of iptables table {} is of another policy",
                         ToText(edit.rule), edit.chain, table);
    case Edit::Kind::kDeleteChain:
      break;
  }
  return fmt::format("chain {} in iptables table {} is too many", edit.chain, table);
}

bool IsOurs(std::string_view chain, const Rule& rule) {
  return IsMade(chain) || IsMade(rule.target) || rule.comment.starts_with("cnm: ");
}

bool Drops(const Chain& chain) {
  return std::any_of(chain.rules.begin(), chain.rules.end(), [](const Present& present) {
    return present.rule.target == "DROP" || present.rule.target == "REJECT";
  });
}

}  // namespace cnm::firewall::iptables
