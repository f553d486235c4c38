// conditions.cc: published ports that a packet reaches only under the operator's conditions.
#include "common/firewall/nftables/conditions.h"

#include <algorithm>
#include <array>
#include <optional>
#include <string>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "common/base/error.h"
#include "common/base/search_path.h"
#include "common/base/subprocess.h"
#include "common/firewall/nftables/ports.h"
#include "common/firewall/nftables/schema.h"

namespace cnm::firewall::nftables {
namespace {

constexpr std::string_view kConditional4 = "conditional_v4";
constexpr std::string_view kConditional6 = "conditional_v6";

const std::vector<std::string>& ConditionsOf(const Publication& publication, net::Family family) {
  return family == net::Family::kIpv4 ? publication.conditions_v4 : publication.conditions_v6;
}

std::string_view KeyOf(net::Family family) {
  return family == net::Family::kIpv4 ? "conditionsV4" : "conditionsV6";
}

std::string_view ChainOf(net::Family family) {
  return family == net::Family::kIpv4 ? kConditional4 : kConditional6;
}

/// @throws Error kUnavailable naming the program and the configuration key
std::string GetNft(net::Family family) {
  if (std::optional<std::string> program = FindProgram("nft")) return *std::move(program);
  throw Error(Code::kUnavailable, fmt::format("{}: find nft: no such program", KeyOf(family)),
              "sought in " + ProgramPath());
}

/// The conditions as they go into a rule. @throws Error kConfig for what would end it
std::string JoinWords(const Publication& publication, net::Family family) {
  std::string words;
  for (const std::string& word : ConditionsOf(publication, family)) {
    if (word.find_first_of("\n\r;#") != std::string::npos) {
      throw Error(Code::kConfig,
                  fmt::format("{}: \"{}\" is no nft expression", KeyOf(family), word));
    }
    words += word + ' ';
  }
  return words;
}

/// "ip daddr 192.0.2.1 tcp dport 8080 dnat ip to 10.1.0.5:80"
std::string MakeRedirection(const Published& published) {
  const net::Address& target = published.target.address;
  const std::string_view ip = target.is_v4() ? "ip" : "ip6";
  std::string text;
  if (published.host_address) {
    text += fmt::format("{} daddr {} ", ip, published.host_address->ToString());
  }
  text += fmt::format("{} dport {}", NameOf(published.protocol), published.first);
  if (published.is_range()) {
    return fmt::format("{}-{} dnat {} to {}", text, published.last, ip, target.ToString());
  }
  const std::string to =
      target.is_v4() ? target.ToString() : fmt::format("[{}]", target.ToString());
  return fmt::format("{} dnat {} to {}:{}", text, ip, to, published.target_port);
}

std::string MakeScript(netlink::Channel& channel, const Rules& rules) {
  std::string script;
  for (const auto& [chain, rule] : FindConditional(channel, rules.owner)) {
    script += fmt::format("delete rule inet cnm {} handle {}\n", chain.chain, rule.handle);
  }
  for (const Published& published : Normalize(rules.publication.mappings)) {
    const net::Family family = published.target.address.family();
    if (!IsConditional(rules.publication, family)) continue;
    script += fmt::format("add rule inet cnm {} {}{} comment \"{}\"\n", ChainOf(family),
                          JoinWords(rules.publication, family), MakeRedirection(published),
                          MakeComment(rules));
  }
  return script;
}

}  // namespace

size_t CountConditional(const Publication& publication) {
  const std::vector<Published> all = Normalize(publication.mappings);
  return static_cast<size_t>(std::count_if(all.begin(), all.end(), [&](const Published& published) {
    return IsConditional(publication, published.target.address.family());
  }));
}

bool HasConditions(const Publication& publication) {
  const auto& mappings = publication.mappings;
  return std::any_of(mappings.begin(), mappings.end(), [&](const PortMapping& mapping) {
    return IsConditional(publication, mapping.target.address.family());
  });
}

std::vector<ConditionalRule> FindConditional(netlink::Channel& channel, std::string_view owner) {
  std::vector<ConditionalRule> found;
  for (const net::Family family : net::kFamilies) {
    const ChainName chain = OurChain(Table::kInet, ChainOf(family));
    for (StoredRule& rule : ReadRules(channel, chain)) {
      if (!owner.empty() && OwnerOf(rule.comment) != owner) continue;
      found.push_back({chain, std::move(rule)});
    }
  }
  return found;
}

void AddConditional(netlink::Channel& channel, const Rules& rules) {
  const Publication& publication = rules.publication;
  if (!HasConditions(publication)) return;
  const bool ipv4 = !publication.conditions_v4.empty();
  const net::Family family = ipv4 ? net::Family::kIpv4 : net::Family::kIpv6;
  const std::string script = MakeScript(channel, rules);
  const CommandResult result = Run({.path = GetNft(family),
                                    .arguments = {"nft", "-f", "-"},
                                    .environment = {"LC_ALL=C"},
                                    .input = script});
  if (result.exit_status == 0) return;
  throw Error(Code::kConfig,
              fmt::format("{}: nft refused the rules of {}", KeyOf(family), rules.owner), script);
}

void AddAllConditional(netlink::Channel& channel, std::span<const Rules> all) {
  std::vector<std::string> owners;
  std::optional<Error> failure;
  for (const Rules& rules : all) {
    try {
      AddConditional(channel, rules);
    } catch (const Error& error) {
      owners.push_back(rules.owner);
      if (failure) {
        failure->AddDetail(error.message());
      } else {
        failure = error;
      }
    }
  }
  if (failure) {
    throw failure->AddContext(fmt::format("conditions of {}", fmt::join(owners, ", ")));
  }
}

}  // namespace cnm::firewall::nftables
