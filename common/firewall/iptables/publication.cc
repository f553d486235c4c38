// publication.cc: published ports as rules of iptables.
#include <algorithm>
#include <array>
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

constexpr size_t kMultiport = 15;  // XT_MULTI_PORTS; a range counts as two

// Sorted by name, as the reference sorts them.
constexpr std::array<Protocol, 3> kProtocols = {Protocol::kSctp, Protocol::kTcp, Protocol::kUdp};

std::string MarkChain(const Publication& publication) {
  return publication.mark_chain.empty() ? std::string(kMarkChain) : publication.mark_chain;
}

bool Masquerades(const Publication& publication) {
  return publication.masquerade_local || publication.masquerade_all;
}

std::vector<PortMapping> MappingsOf(const Publication& publication, net::Family family) {
  std::vector<PortMapping> mappings;
  for (const PortMapping& mapping : publication.mappings) {
    if (mapping.target.address.family() != family) continue;
    if (mapping.count == 0 || mapping.host_port + mapping.count > 65536 ||
        mapping.target_port + mapping.count > 65536) {
      throw Error(Code::kConfig, fmt::format("publish {} ports from {} on: beyond 65535",
                                             mapping.count, mapping.host_port));
    }
    mappings.push_back(mapping);
  }
  return mappings;
}

PortRange HostPorts(const PortMapping& mapping) {
  return {mapping.host_port, static_cast<uint16_t>(mapping.host_port + mapping.count - 1)};
}

bool IsSpecific(const PortMapping& mapping) {
  return mapping.host_address && !mapping.host_address->IsUnspecified();
}

Rule DestinationRule(const PortMapping& mapping) {
  Rule rule{.protocol = static_cast<uint8_t>(mapping.protocol),
            .port = HostPorts(mapping),
            .target = "DNAT",
            .to = Destination{mapping.target.address}};
  if (IsSpecific(mapping)) {
    rule.destination = SubnetMatch{{*mapping.host_address, mapping.host_address->bits()}};
  }
  if (mapping.count > 1 && mapping.host_port == mapping.target_port) return rule;
  rule.to->ports = PortRange{mapping.target_port,
                             static_cast<uint16_t>(mapping.target_port + mapping.count - 1)};
  if (mapping.count > 1) rule.to->base = mapping.host_port;
  return rule;
}

/// The rules of the container's chain for one mapping, in order.
std::vector<Rule> MappingRules(const Publication& publication, const PortMapping& mapping) {
  const Rule destination = DestinationRule(mapping);
  std::vector<Rule> rules;
  Rule mark = destination;
  mark.to.reset();
  mark.target = MarkChain(publication);
  if (publication.masquerade_all) {
    rules.push_back(mark);
  } else if (publication.masquerade_local) {
    mark.source = SubnetMatch{mapping.target.Subnet()};
    rules.push_back(mark);
    if (mapping.target.address.is_v4()) {
      mark.source = SubnetMatch{{*net::Address::Parse("127.0.0.1"), 32}};
      rules.push_back(mark);
    }
  }
  rules.push_back(destination);
  return rules;
}

bool Overlap(const PortMapping& a, const PortMapping& b) {
  return a.protocol == b.protocol && a.host_port < b.host_port + b.count &&
         b.host_port < a.host_port + a.count;
}

/// The mappings in the order of the container's chain: one of a specific address comes before those
/// of all addresses, as far as they share ports; else as configured, which is the reference's
/// order.
std::vector<PortMapping> SpecificFirst(std::vector<PortMapping> mappings) {
  const std::vector<PortMapping> all = mappings;
  std::stable_partition(mappings.begin(), mappings.end(), [&](const PortMapping& mapping) {
    return IsSpecific(mapping) &&
           std::any_of(all.begin(), all.end(), [&](const PortMapping& other) {
             return !IsSpecific(other) && Overlap(mapping, other);
           });
  });
  return mappings;
}

/// The rules that jump to the container's chain, in order.
std::vector<Rule> EntryRules(const Rules& rules, const std::vector<PortMapping>& mappings) {
  const Subject subject{rules.network, rules.container_id};
  std::vector<Rule> entries;
  for (const Protocol protocol : kProtocols) {
    size_t room = 0;
    for (const PortMapping& mapping : mappings) {
      if (mapping.protocol != protocol) continue;
      const size_t needed = mapping.count > 1 ? 2 : 1;
      if (needed > room) {
        const bool v4 = mapping.target.address.is_v4();
        const Publication& publication = rules.publication;
        entries.push_back({.protocol = static_cast<uint8_t>(protocol),
                           .comment = PortCommentOf(subject),
                           .conditions = v4 ? publication.conditions_v4 : publication.conditions_v6,
                           .target = ChainOf(subject, "DN-")});
        room = kMultiport;
      }
      entries.back().ports.push_back(HostPorts(mapping));
      room -= needed;
    }
  }
  return entries;
}

void AppendMarking(const Publication& publication, Operations& operations) {
  const uint32_t mark = 1U << publication.mark_bit;
  const auto shared = [&](Kind kind, std::string_view chain, Rule rule = {}) {
    operations.push_back({kind, std::string(chain), std::move(rule), true, true});
  };
  shared(Kind::kChain, kMarkChain);
  shared(Kind::kAppend, kMarkChain,
         {.comment = "CNI portfwd masquerade mark", .target = "MARK", .set_mark = mark});
  shared(Kind::kChain, kMasqueradeChain);
  shared(Kind::kAppend, kMasqueradeChain, {.mark = mark, .target = "MASQUERADE"});
  shared(Kind::kInsert, "POSTROUTING",
         {.comment = "CNI portfwd requiring masquerade", .target = std::string(kMasqueradeChain)});
}

void AppendEntrance(Operations& operations) {
  operations.push_back({Kind::kChain, std::string(kPortChain), {}, true, true});
  for (const char* const hook : {"PREROUTING", "OUTPUT"}) {
    operations.push_back(
        {Kind::kAppend, hook, {.to_local = true, .target = std::string(kPortChain)}, true, true});
  }
}

/// A mapping of one address must be asked before another container's mapping of all of them.
void AppendEntries(std::vector<Rule> entries, bool first, Operations& operations) {
  if (first) std::reverse(entries.begin(), entries.end());
  for (Rule& entry : entries) {
    operations.push_back(
        {first ? Kind::kInsert : Kind::kAppend, std::string(kPortChain), std::move(entry)});
  }
}

}  // namespace

Operations AddPublication(const Rules& rules, net::Family family) {
  const std::vector<PortMapping> mappings = MappingsOf(rules.publication, family);
  Operations operations;
  if (mappings.empty()) return operations;
  std::vector<Rule> entries = EntryRules(rules, mappings);
  const std::string chain = entries.front().target;
  bool specific = false;
  for (const PortMapping& mapping : mappings) {
    Rule claim = DestinationRule(mapping);
    claim.conditions = entries.front().conditions;
    specific |= claim.destination.has_value();
    operations.push_back({Kind::kClaim, chain, std::move(claim)});
  }
  if (Masquerades(rules.publication) && rules.publication.mark_chain.empty()) {
    AppendMarking(rules.publication, operations);
  }
  AppendEntrance(operations);
  operations.push_back({Kind::kChain, chain});
  for (const PortMapping& mapping : SpecificFirst(mappings)) {
    for (Rule& rule : MappingRules(rules.publication, mapping)) {
      operations.push_back({Kind::kAppend, chain, std::move(rule)});
    }
  }
  AppendEntries(std::move(entries), specific, operations);
  return operations;
}

Operations RemovePublication(const Rules& rules, net::Family family) {
  const std::vector<PortMapping> mappings = MappingsOf(rules.publication, family);
  Operations operations;
  if (mappings.empty()) return operations;
  const std::vector<Rule> entries = EntryRules(rules, mappings);
  const std::string& chain = entries.front().target;
  for (const PortMapping& mapping : mappings) {
    for (Rule& rule : MappingRules(rules.publication, mapping)) {
      operations.push_back({Kind::kDelete, chain, std::move(rule)});
    }
  }
  for (const Rule& entry : entries) {
    operations.push_back({Kind::kDelete, std::string(kPortChain), entry});
  }
  operations.push_back({Kind::kDeleteChain, chain});
  return operations;
}

Operations GuardLocalhost(const Publication& publication, net::Family family) {
  if (family != net::Family::kIpv4 || !Masquerades(publication)) return {};
  if (MappingsOf(publication, family).empty()) return {};
  const SubnetMatch localhost{{*net::Address::Parse("127.0.0.0"), 8}};
  const Rule to{
      .destination = localhost,
      .in = LinkMatch{"lo", true},
      .comment = "cnm: localhost is not reached from outside, also where route_localnet is on",
      .target = "DROP"};
  // It would be taken for a connection of the host's own, and masqueraded as one.
  const Rule from{.source = localhost,
                  .in = LinkMatch{"lo", true},
                  .comment = "cnm: nothing outside is localhost, also where route_localnet is on",
                  .target = "DROP"};
  return {{Kind::kInsert, "PREROUTING", to, true, true},
          {Kind::kInsert, "PREROUTING", from, true, true}};
}

}  // namespace cnm::firewall::iptables
