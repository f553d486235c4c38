// forwarding.cc: masquerading, forwarding and isolation as rules of iptables.
#include <netinet/icmp6.h>
#include <netinet/in.h>

#include <array>
#include <string>
#include <string_view>
#include <utility>

#include <fmt/format.h>

#include "common/firewall/iptables/chapters.h"
#include "common/firewall/iptables/names.h"

namespace cnm::firewall::iptables {
namespace {

using Kind = Operation::Kind;

SubnetMatch Only(const net::Address& address) {
  return {{address, address.bits()}};
}

/// 224.0.0.0/4, ff00::/8.
net::Prefix Multicast(net::Family family) {
  return family == net::Family::kIpv4 ? net::Prefix{*net::Address::Parse("224.0.0.0"), 4}
                                      : net::Prefix{*net::Address::Parse("ff00::"), 8};
}

Rule MasqueradeJump(const Masquerade& masquerade, const Subject& subject) {
  return {.source = Only(masquerade.source.address),
          .comment = CommentOf(subject),
          .target = ChainOf(subject, "")};
}

std::string PolicyComment(std::string_view policy) {
  return fmt::format("CNI firewall plugin rules (ingressPolicy: {})", policy);
}

/// The first rule of stage 1: packets that leave the bridge go on to stage 2. Only its comment
/// tells the policies apart.
Rule LeaveBridge(const Isolation& isolation) {
  return {.in = LinkMatch{isolation.bridge},
          .out = LinkMatch{isolation.bridge, true},
          .comment = PolicyComment(isolation.within ? "isolated" : "same-bridge"),
          .target = std::string(kStage2Chain)};
}

Rule StayInBridge(const std::string& bridge) {
  return {.in = LinkMatch{bridge},
          .out = LinkMatch{bridge},
          .comment = PolicyComment("isolated"),
          .target = "DROP"};
}

/// What goes from the bridge to another link, or from another link to the bridge.
std::array<Rule, 2> CrossBridge(const std::string& bridge) {
  const LinkMatch it{bridge};
  const LinkMatch another{bridge, true};
  const std::string comment = "cnm: internal network";
  return {Rule{.in = it, .out = another, .comment = comment, .target = "DROP"},
          Rule{.in = another, .out = it, .comment = comment, .target = "DROP"}};
}

/// Of stage 2: what comes from another bridge that isolates.
Rule EnterBridge(const std::string& bridge) {
  return {
      .out = LinkMatch{bridge}, .comment = PolicyComment("same-bridge|isolated"), .target = "DROP"};
}

/// What stage 1 would drop goes on to whoever else has a say.
std::array<Rule, 2> PassBridge(const Passage& passage) {
  const LinkMatch it{passage.bridge};
  const std::string comment = "cnm: passage";
  return {Rule{.source = Only(passage.from),
               .destination = Only(passage.to),
               .in = it,
               .out = it,
               .protocol = static_cast<uint8_t>(passage.protocol),
               .port = PortRange{passage.port, passage.port},
               .comment = comment,
               .target = "RETURN"},
          Rule{.source = Only(passage.to),
               .destination = Only(passage.from),
               .in = it,
               .out = it,
               .comment = comment,
               .established = true,
               .target = "RETURN"}};
}

/// Over IPv6 also how the two find one another; ARP iptables does not see.
std::array<Rule, 2> FindNeighbours(const std::string& bridge) {
  const LinkMatch it{bridge};
  Rule rule{.in = it,
            .out = it,
            .protocol = uint8_t{IPPROTO_ICMPV6},
            .icmpv6_type = uint8_t{ND_NEIGHBOR_SOLICIT},
            .comment = "cnm: neighbour discovery",
            .target = "RETURN"};
  Rule advert = rule;
  advert.icmpv6_type = uint8_t{ND_NEIGHBOR_ADVERT};
  return {std::move(rule), std::move(advert)};
}

Operation Delete(std::string_view chain, Rule rule, bool any_comment) {
  return {Kind::kDelete, std::string(chain), std::move(rule), any_comment};
}

Operation Shared(Kind kind, std::string_view chain, Rule rule = {}) {
  return {kind, std::string(chain), std::move(rule), true, true};
}

Rule AnswersTo(const net::Prefix& source) {
  return {.destination = SubnetMatch{source}, .established = true, .target = "ACCEPT"};
}

Rule From(const net::Prefix& source) {
  return {.source = SubnetMatch{source}, .target = "ACCEPT"};
}

Rule TranslatedTo(const net::Address& address) {
  return {.destination = Only(address), .translated = true, .target = "ACCEPT"};
}

/// What leads packets to the rules of forwarding, and first to the operator's chain.
Operations ForwardJumps(const std::string& admin) {
  Operation jump =
      Shared(Kind::kInsert, "FORWARD",
             {.comment = "CNI firewall plugin rules", .target = std::string(kForwardChain)});
  jump.rather = kDockerChain;
  jump.after = {std::string(kStage1Chain)};  // what isolation drops must not be accepted before
  return {Shared(Kind::kChain, kForwardChain), Shared(Kind::kChain, admin), std::move(jump),
          Shared(Kind::kInsert, kForwardChain,
                 {.comment = "CNI firewall plugin admin overrides", .target = admin})};
}

/// Behind every chain in which an operator can refuse the connection, Docker's too.
Operation PublishedJump() {
  Operation jump =
      Shared(Kind::kInsert, "FORWARD",
             {.comment = "cnm: published ports", .target = std::string(kPublishedChain)});
  jump.after = {std::string(kDockerChain), std::string(kForwardChain), std::string(kStage1Chain)};
  return jump;
}

}  // namespace

Operations AddMasquerades(const Rules& rules, net::Family family) {
  const Subject subject{rules.network, rules.container_id};
  const std::string chain = ChainOf(subject, "");
  const std::string comment = CommentOf(subject);
  Operations operations;
  for (const Masquerade& masquerade : rules.masquerades) {
    if (masquerade.source.address.family() != family) continue;
    operations.push_back({Kind::kChain, chain});
    // The subnet of a further address of the container must stand before what masquerades.
    operations.push_back({Kind::kInsert,
                          chain,
                          {.destination = SubnetMatch{masquerade.source.Subnet()},
                           .comment = comment,
                           .target = "ACCEPT"}});
    operations.push_back({Kind::kAppend,
                          chain,
                          {.destination = SubnetMatch{Multicast(family), true},
                           .comment = comment,
                           .target = "MASQUERADE"}});
    operations.push_back({Kind::kAppend, "POSTROUTING", MasqueradeJump(masquerade, subject)});
  }
  return operations;
}

Operations RemoveMasquerades(const Rules& rules, net::Family family) {
  const Subject subject{rules.network, rules.container_id};
  Operations operations;
  for (const Masquerade& masquerade : rules.masquerades) {
    if (masquerade.source.address.family() != family) continue;
    operations.push_back(Delete("POSTROUTING", MasqueradeJump(masquerade, subject), false));
  }
  if (!operations.empty()) operations.push_back({Kind::kDeleteChain, ChainOf(subject, "")});
  return operations;
}

Operations AddForwarding(const Forwarding& forwarding, net::Family family) {
  Operations operations;
  for (const net::Prefix& source : forwarding.Sources()) {
    if (source.address.family() != family) continue;
    if (operations.empty()) operations = ForwardJumps(forwarding.admin_chain);
    operations.push_back({Kind::kAppend, std::string(kForwardChain), AnswersTo(source)});
    operations.push_back({Kind::kAppend, std::string(kForwardChain), From(source)});
  }
  bool jumped = false;
  for (const net::Address& address : forwarding.published) {
    if (address.family() != family) continue;
    if (!std::exchange(jumped, true)) {
      operations.push_back(Shared(Kind::kChain, kPublishedChain));
      operations.push_back(PublishedJump());
    }
    operations.push_back({Kind::kAppend, std::string(kPublishedChain), TranslatedTo(address)});
  }
  return operations;
}

Operations RemoveForwarding(const Forwarding& forwarding, net::Family family) {
  Operations operations;
  for (const net::Prefix& source : forwarding.Sources()) {
    if (source.address.family() != family) continue;
    operations.push_back(Delete(kForwardChain, AnswersTo(source), false));
    operations.push_back(Delete(kForwardChain, From(source), false));
  }
  for (const net::Address& address : forwarding.published) {
    if (address.family() != family) continue;
    operations.push_back(Delete(kPublishedChain, TranslatedTo(address), false));
  }
  return operations;
}

Operations AddIsolation(const Isolation& isolation) {
  const std::string both = PolicyComment("same-bridge|isolated");
  Operation jump =
      Shared(Kind::kInsert, "FORWARD", {.comment = both, .target = std::string(kStage1Chain)});
  jump.rather = kDockerChain;
  Operations operations = {Shared(Kind::kChain, kStage1Chain), Shared(Kind::kChain, kStage2Chain),
                           std::move(jump)};
  Isolation other = isolation;
  other.within = !other.within;
  operations.push_back(Delete(kStage1Chain, LeaveBridge(other), false));
  if (!isolation.within) {
    operations.push_back(Delete(kStage1Chain, StayInBridge(isolation.bridge), true));
  }
  Operation leave = Shared(Kind::kInsert, kStage1Chain, LeaveBridge(isolation));
  leave.any_comment = false;
  operations.push_back(std::move(leave));
  if (isolation.within) {
    operations.push_back(Shared(Kind::kInsert, kStage1Chain, StayInBridge(isolation.bridge)));
  }
  for (Rule& rule : CrossBridge(isolation.bridge)) {
    operations.push_back(isolation.internal ? Shared(Kind::kInsert, kStage1Chain, std::move(rule))
                                            : Delete(kStage1Chain, std::move(rule), true));
  }
  operations.push_back(Shared(Kind::kAppend, kStage1Chain, {.comment = both, .target = "RETURN"}));
  operations.push_back(Shared(Kind::kInsert, kStage2Chain, EnterBridge(isolation.bridge)));
  operations.push_back(Shared(Kind::kAppend, kStage2Chain, {.comment = both, .target = "RETURN"}));
  return operations;
}

Operations AddPassages(const std::vector<Passage>& passages, net::Family family) {
  Operations operations;
  for (const Passage& passage : passages) {
    if (passage.to.family() != family) continue;
    operations.push_back(Shared(Kind::kChain, kStage1Chain));
    for (Rule& rule : PassBridge(passage)) {
      operations.push_back(Shared(Kind::kInsert, kStage1Chain, std::move(rule)));
    }
    if (family == net::Family::kIpv4) continue;
    for (Rule& rule : FindNeighbours(passage.bridge)) {
      operations.push_back(Shared(Kind::kInsert, kStage1Chain, std::move(rule)));
    }
  }
  return operations;
}

Operations RemovePassages(const std::vector<Passage>& passages, net::Family family) {
  Operations operations;
  for (const Passage& passage : passages) {
    if (passage.to.family() != family) continue;
    for (Rule& rule : PassBridge(passage)) {
      operations.push_back(Delete(kStage1Chain, std::move(rule), true));
    }
  }
  return operations;
}

Operations RemoveIsolation(const Isolation& isolation) {
  Operations operations = {Delete(kStage1Chain, LeaveBridge(isolation), true),
                           Delete(kStage1Chain, StayInBridge(isolation.bridge), true),
                           Delete(kStage2Chain, EnterBridge(isolation.bridge), true)};
  for (Rule& rule : CrossBridge(isolation.bridge)) {
    operations.push_back(Delete(kStage1Chain, std::move(rule), true));
  }
  for (Rule& rule : FindNeighbours(isolation.bridge)) {
    operations.push_back(Delete(kStage1Chain, std::move(rule), true));
  }
  return operations;
}

}  // namespace cnm::firewall::iptables
