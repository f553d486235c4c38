// script.h: what is to become of iptables' chains, whatever stands in them now. Internal to the
// iptables backend and its helper program.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "common/firewall/iptables/rule.h"
#include "common/net/address.h"

namespace cnm::firewall::iptables {

/// One wish about one table. Each can be repeated without effect.
struct Operation {
  enum class Kind : uint8_t {
    kClaim,        ///< nobody else publishes what `rule`, of the chain `chain`, does
    kChain,        ///< the chain exists
    kInsert,       ///< the rule is in the chain; if not yet, comes first
    kAppend,       ///< the rule is in the chain; if not yet, comes last
    kDelete,       ///< the rule is not in the chain
    kDeleteJumps,  ///< no rule of the chain has rule.target
    kDeleteChain,  ///< the chain does not exist, unless a rule jumps to it
  };
  Kind kind = Kind::kChain;
  std::string chain;
  Rule rule = {};
  bool any_comment = false;  ///< a rule is the same whatever its comment says
  bool shared = false;       ///< not one owner's but everybody's: two processes may want it at once
  std::string rather = {};   ///< take this chain instead of `chain` if it exists
  /// kInsert: comes behind the jumps to these chains, if there are any.
  std::vector<std::string> after = {};

  bool operator==(const Operation&) const = default;
};

/// Operations on one table of one family, carried out together or not at all.
struct Script {
  net::Family family = net::Family::kIpv4;
  std::string table;  ///< "nat", "filter", "raw"
  std::vector<Operation> operations = {};

  bool operator==(const Script&) const = default;
};

/// Scripts as text, a line for each operation: what cnm-xtables reads.
std::string RenderScripts(const std::vector<Script>& scripts);
/// The inverse. @throws Error kDecode naming the line it does not understand
std::vector<Script> ParseScripts(std::string_view text);

}  // namespace cnm::firewall::iptables
