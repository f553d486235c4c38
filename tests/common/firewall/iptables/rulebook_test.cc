// rulebook_test.cc: what owners want, as chains and rules of iptables.
#include "common/firewall/iptables/rulebook.h"

#include <algorithm>
#include <deque>
#include <map>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "common/base/error.h"
#include "common/firewall/iptables/names.h"
#include "common/firewall/iptables/resolve.h"

namespace cnm::firewall::iptables {
namespace {

net::Prefix Cidr(std::string_view text) {
  return net::Prefix::Parse(text).value();
}

Rules Owner() {
  return {.owner = "aaaaaaaaaaaaaaaa", .network = "n", .container_id = "ctr1"};
}

/// The tables of a host, to which edits are made.
using Tables = std::map<std::string, Chain>;

std::vector<Edit> Apply(const std::vector<Script>& scripts, Tables& tables) {
  std::vector<Edit> all;
  for (const Script& script : scripts) {
    const std::string prefix = (script.family == net::Family::kIpv4 ? "4 " : "6 ") + script.table;
    const auto at = [&](std::string_view chain) -> Chain& {
      return tables[fmt::format("{} {}", prefix, chain)];
    };
    const std::vector<Edit> edits = Resolve(script.operations, [&](const std::string& name) {
      Chain chain = at(name);
      for (const auto& [place, other] : tables) {
        for (const Present& present : other.rules) {
          if (place.starts_with(prefix) && present.rule.target == name) ++chain.references;
        }
      }
      return chain;
    });
    for (const Edit& edit : edits) {
      Chain& chain = at(edit.chain);
      const auto place = chain.rules.begin() + static_cast<std::ptrdiff_t>(edit.position);
      if (edit.kind == Edit::Kind::kNewChain) chain.exists = true;
      if (edit.kind == Edit::Kind::kAppend) chain.rules.push_back({edit.rule});
      if (edit.kind == Edit::Kind::kInsert) chain.rules.insert(place, {edit.rule});
      if (edit.kind == Edit::Kind::kDelete) chain.rules.erase(place);
      if (edit.kind == Edit::Kind::kDeleteChain) chain = {};
      all.push_back(edit);
    }
  }
  return all;
}

std::string Dump(const Tables& tables) {
  std::string text;
  for (const auto& [place, chain] : tables) {
    for (const Present& present : chain.rules) text += place + ": " + ToText(present.rule) + "\n";
  }
  return text;
}

TEST(Names, AreTheReferences) {
  EXPECT_EQ(ChainOf({"n", "ctr1"}, ""), "CNI-fdae3b260ef7c892d3f4f4b6");
  EXPECT_EQ(ChainOf({"test", "1234"}, ""), "CNI-2bbe0c48b91a7d1b8a6753a8");
  EXPECT_EQ(ChainOf({"test", "1234"}, "PREFIX-"), "CNI-PREFIX-2bbe0c48b91a7d1b8");
  EXPECT_EQ(CommentOf({"n", "ctr1"}), R"(name: "n" id: "ctr1")");
  const std::string cut = PortCommentOf({"n", std::string(300, 'x')});
  EXPECT_EQ(cut.size(), 256U);
  EXPECT_EQ(cut.substr(250), "xxx...");
  EXPECT_EQ(SubjectOf(PortCommentOf({"a", "b"}))->container_id, "b");
  EXPECT_EQ(SubjectOf(CommentOf({"a", "b"}))->network, "a");
  EXPECT_FALSE(SubjectOf(cut).has_value());
  EXPECT_FALSE(SubjectOf("CNI portfwd masquerade mark").has_value());
}

TEST(Rulebook, PutsFifteenPortsIntoAnEntry) {
  Rules rules = Owner();
  for (uint16_t i = 0; i < 16; ++i) {
    const auto port = static_cast<uint16_t>(8000 + i);
    rules.publication.mappings.push_back(
        {.host_port = port, .target_port = 80, .target = Cidr("192.0.2.5/24")});
  }
  rules.publication.mappings.push_back({.protocol = Protocol::kSctp,
                                        .host_port = 9000,
                                        .target_port = 9000,
                                        .count = 20,
                                        .target = Cidr("192.0.2.5/24")});
  Tables tables;
  Apply(AddScripts(rules), tables);
  const std::deque<Present>& entries = tables["4 nat CNI-HOSTPORT-DNAT"].rules;
  ASSERT_EQ(entries.size(), 3U);
  EXPECT_EQ(entries[0].rule.ports, (std::vector<PortRange>{{9000, 9019}}));
  EXPECT_EQ(entries[1].rule.ports.size(), 15U);
  EXPECT_EQ(entries[2].rule.ports, (std::vector<PortRange>{{8015, 8015}}));
  rules.publication.mappings[0].host_port = 65530;
  rules.publication.mappings[0].count = 7;
  EXPECT_THROW(AddScripts(rules), Error);
}

TEST(Rulebook, MarksAsItIsTold) {
  Rules rules = Owner();
  rules.publication.mappings = {
      {.host_port = 8080, .target_port = 80, .target = Cidr("192.0.2.5/24")}};
  const auto marks = [&] {
    Tables tables;
    Apply(AddScripts(rules), tables);
    std::vector<std::string> texts;
    for (const Present& present : tables["4 nat " + ChainOf({"n", "ctr1"}, "DN-")].rules) {
      if (present.rule.target != "DNAT") texts.push_back(ToText(present.rule));
    }
    if (tables["4 nat CNI-HOSTPORT-SETMARK"].exists) texts.emplace_back("own");
    if (tables.contains("4 raw PREROUTING")) texts.emplace_back("guard");
    return texts;
  };
  using Texts = std::vector<std::string>;
  const std::string port = "-p tcp -m tcp --dport 8080 -j ";
  EXPECT_EQ(marks(), (Texts{"-s 192.0.2.0/24 " + port + "CNI-HOSTPORT-SETMARK",
                            "-s 127.0.0.1/32 " + port + "CNI-HOSTPORT-SETMARK", "own", "guard"}));
  rules.publication.masquerade_all = true;
  EXPECT_EQ(marks(), (Texts{port + "CNI-HOSTPORT-SETMARK", "own", "guard"}));
  rules.publication.mark_chain = "KUBE-MARK-MASQ";
  EXPECT_EQ(marks(), (Texts{port + "KUBE-MARK-MASQ", "guard"}));
  rules.publication.masquerade_all = rules.publication.masquerade_local = false;
  EXPECT_EQ(marks(), Texts{});
}

TEST(Rulebook, CannotGuardBridges) {
  Rules rules = Owner();
  rules.spoof_guard = SpoofGuard{"veth0", {{2, 0, 0, 0, 0, 1}}};
  EXPECT_THROW(AddScripts(rules), Error);
}

TEST(Resolve, IsDoneOnceAndUndone) {
  Rules rules = Owner();
  rules.masquerades = {{Cidr("192.0.2.5/24")}, {Cidr("198.51.100.5/24")}, {Cidr("2001:db8::5/64")}};
  rules.publication.mappings = {
      {.host_port = 8080, .target_port = 80, .target = Cidr("192.0.2.5/24")},
      {.host_port = 8080, .target_port = 80, .target = Cidr("2001:db8::5/64")}};
  rules.forwarding.addresses = {Cidr("192.0.2.5/24").address, Cidr("2001:db8::5/64").address};
  rules.isolation = Isolation{"br0", true};
  Tables tables;
  EXPECT_FALSE(Apply(AddScripts(rules), tables).empty());
  const std::string once = Dump(tables);
  EXPECT_TRUE(Apply(AddScripts(rules), tables).empty());
  EXPECT_EQ(Dump(tables), once);
  const std::vector<Edit> edits = Apply(RemoveScripts(rules), tables);
  EXPECT_EQ(Dump(tables).find("192.0.2.5"), std::string::npos);
  EXPECT_EQ(Dump(tables).find("ctr1"), std::string::npos);
  EXPECT_EQ(Dump(tables).find("br0"), std::string::npos);
  EXPECT_TRUE(std::none_of(edits.begin(), edits.end(), [](const Edit& edit) {
    return edit.kind == Edit::Kind::kDelete && edit.chain.starts_with("CNI-DN-");
  })) << "a chain's rules go with it";
  EXPECT_TRUE(Apply(RemoveScripts(rules), tables).empty());
}

/// The rules of stage 1, a line each.
std::string StageOne(Tables& tables, const std::string& family) {
  std::string text;
  for (const Present& present : tables[family + " filter CNI-ISOLATION-STAGE-1"].rules) {
    text += ToText(present.rule) + "\n";
  }
  return text;
}

TEST(Resolve, LetsAPassageBeBeforeWhatIsolationDrops) {
  Rules isolated = Owner();
  isolated.isolation = Isolation{"br0", true};
  Rules linked = Owner();
  linked.passages = {{.bridge = "br0",
                      .from = Cidr("2001:db8::5/64").address,
                      .to = Cidr("2001:db8::6/64").address,
                      .port = 80}};
  Tables tables;
  Apply(RebuildScripts(std::vector<Rules>{linked, isolated}), tables);
  const std::string stage = StageOne(tables, "6");
  const size_t drop = stage.find("-j DROP");
  for (const char* const rule :
       {"-s 2001:db8::5/128 -d 2001:db8::6/128 -i br0 -o br0 -p tcp -m tcp --dport 80 -m comment "
        "--comment \"cnm: passage\" -j RETURN",
        "-s 2001:db8::6/128 -d 2001:db8::5/128 -i br0 -o br0 -m comment --comment \"cnm: passage\" "
        "-m conntrack --ctstate RELATED,ESTABLISHED -j RETURN",
        "--icmpv6-type 135", "--icmpv6-type 136"}) {
    EXPECT_LT(stage.find(rule), drop) << stage;
  }
  EXPECT_EQ(StageOne(tables, "4").find("RETURN"), StageOne(tables, "4").rfind("RETURN"));
  EXPECT_TRUE(Apply(AddScripts(linked), tables).empty());
  Apply(RemoveScripts(linked), tables);
  EXPECT_EQ(StageOne(tables, "6").find("2001:db8::"), std::string::npos);
  Apply(RemoveScripts(isolated), tables);
  EXPECT_EQ(StageOne(tables, "6").find("br0"), std::string::npos);
}

TEST(Resolve, MasqueradesNoSubnetOfTheContainer) {
  Rules rules = Owner();
  rules.masquerades = {{Cidr("192.0.2.5/24")}};
  Tables tables;
  Apply(AddScripts(rules), tables);
  rules.masquerades = {{Cidr("198.51.100.5/24")}};
  Apply(AddScripts(rules), tables);
  const std::deque<Present>& chain = tables["4 nat " + ChainOf({"n", "ctr1"}, "")].rules;
  ASSERT_EQ(chain.size(), 3U);
  EXPECT_EQ(chain.back().rule.target, "MASQUERADE");
  // The chain goes with the last address.
  Apply(RemoveScripts(rules), tables);
  EXPECT_TRUE(tables["4 nat " + ChainOf({"n", "ctr1"}, "")].exists);
  rules.masquerades = {{Cidr("192.0.2.5/24")}};
  Apply(RemoveScripts(rules), tables);
  EXPECT_EQ(Dump(tables), "");
}

TEST(Resolve, TellsWhoHasThePort) {
  Rules rules = Owner();
  rules.publication.mappings = {
      {.host_port = 8080, .target_port = 80, .count = 10, .target = Cidr("192.0.2.5/24")}};
  Tables tables;
  Apply(AddScripts(rules), tables);
  Rules other = Owner();
  other.container_id = "ctr2";
  const auto conflict = [&](uint16_t port, const char* host, Protocol protocol) -> std::string {
    other.publication.mappings = {{.protocol = protocol,
                                   .host_port = port,
                                   .target_port = 80,
                                   .target = Cidr("192.0.2.6/24")}};
    if (host != nullptr) other.publication.mappings[0].host_address = net::Address::Parse(host);
    try {
      Apply(AddScripts(other), tables);
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), Code::kInUse);
      return error.message();
    }
    Apply(RemoveScripts(other), tables);
    return "";
  };
  EXPECT_EQ(conflict(8089, nullptr, Protocol::kTcp),
            "publish port 8089/tcp: in use by network n, container ctr1");
  EXPECT_EQ(conflict(8089, "0.0.0.0", Protocol::kTcp),
            "publish port 8089/tcp: in use by network n, container ctr1");
  EXPECT_EQ(conflict(8090, nullptr, Protocol::kTcp), "");
  EXPECT_EQ(conflict(8089, nullptr, Protocol::kUdp), "");
  EXPECT_EQ(conflict(8089, "192.0.2.1", Protocol::kTcp), "") << "the specific address wins";
}

TEST(Resolve, ASpecificAddressIsAskedFirst) {
  Rules wild = Owner();
  wild.publication.mappings = {
      {.host_port = 8080, .target_port = 80, .target = Cidr("192.0.2.5/24")}};
  Rules specific = wild;
  specific.container_id = "ctr2";
  specific.publication.mappings[0].host_address = Cidr("192.0.2.1/32").address;
  Tables tables;
  Apply(AddScripts(wild), tables);
  Apply(AddScripts(specific), tables);
  EXPECT_EQ(tables["4 nat CNI-HOSTPORT-DNAT"].rules[0].rule.target, ChainOf({"n", "ctr2"}, "DN-"));
}

TEST(Resolve, ASpecificAddressIsAskedFirstWithinAContainerToo) {
  Rules rules = Owner();
  rules.publication.masquerade_local = false;
  const auto map = [](uint16_t port, uint16_t target, const char* host) {
    PortMapping mapping{.host_port = port, .target_port = target, .target = Cidr("192.0.2.5/24")};
    if (host != nullptr) mapping.host_address = net::Address::Parse(host);
    return mapping;
  };
  rules.publication.mappings = {map(8079, 1, nullptr), map(8080, 2, nullptr),
                                map(8080, 3, "192.0.2.1"), map(8081, 4, "192.0.2.1")};
  Tables tables;
  Apply(AddScripts(rules), tables);
  std::vector<uint16_t> targets;
  for (const Present& present : tables["4 nat " + ChainOf({"n", "ctr1"}, "DN-")].rules) {
    targets.push_back(present.rule.to->ports->first);
  }
  EXPECT_EQ(targets, (std::vector<uint16_t>{3, 1, 2, 4})) << "others stay in their order";
  EXPECT_EQ(tables["4 nat CNI-HOSTPORT-DNAT"].rules[0].rule.ports,
            (std::vector<PortRange>{{8079, 8079}, {8080, 8080}, {8080, 8080}, {8081, 8081}}));
  EXPECT_TRUE(Apply(AddScripts(rules), tables).empty());
}

TEST(Script, IsTextAndBack) {
  Rules rules = Owner();
  rules.masquerades = {{Cidr("192.0.2.5/24")}};
  rules.publication.mappings = {
      {.host_port = 8080, .target_port = 80, .target = Cidr("2001:db8::5/64")}};
  rules.forwarding.addresses = {Cidr("192.0.2.5/24").address};
  rules.forwarding.published = {Cidr("192.0.2.5/24").address};
  rules.isolation = Isolation{"br0"};
  const std::vector<Script> scripts = AddScripts(rules);
  EXPECT_EQ(RenderScripts(ParseScripts(RenderScripts(scripts))), RenderScripts(scripts));
  Tables direct;
  Tables parsed;
  Apply(scripts, direct);
  Apply(ParseScripts(RenderScripts(scripts)), parsed);
  EXPECT_EQ(Dump(parsed), Dump(direct));
  EXPECT_THROW(ParseScripts("append x - - -j ACCEPT\n"), Error);
  EXPECT_THROW(ParseScripts("table 4 nat\nfrobnicate x - -\n"), Error);
}

TEST(Resolve, AcceptsPublishedPortsBehindEveryOperatorsChain) {
  const auto jump = [](const char* chain) { return Present{{.target = chain}}; };
  Rules rules = Owner();
  rules.forwarding.published = {Cidr("192.0.2.5/24").address};
  Rules later = Owner();
  later.forwarding.addresses = rules.forwarding.published;
  const auto order = [&](const std::vector<Rules>& added, Tables tables) {
    for (const Rules& one : added) Apply(AddScripts(one), tables);
    std::string text;
    for (const Present& present : tables["4 filter FORWARD"].rules) {
      text += present.rule.target + " ";
    }
    return text;
  };
  EXPECT_EQ(order({rules, later}, {}), "CNI-FORWARD CNI-PUBLISHED ");
  EXPECT_EQ(order({later, rules}, {}), "CNI-FORWARD CNI-PUBLISHED ");
  Tables docker;
  docker["4 filter DOCKER-USER"] = {.exists = true, .rules = {jump("RETURN")}};
  docker["4 filter FORWARD"] = {.exists = true, .rules = {jump("DOCKER-USER"), jump("REJECT")}};
  EXPECT_EQ(order({later, rules}, docker), "DOCKER-USER CNI-PUBLISHED REJECT ");
}

TEST(Rulebook, ForeignLeavingsAreFoundByName) {
  Tables tables;
  EXPECT_TRUE(Apply(RemoveForeignScripts({.network = "n",
                                          .container_id = "ctr1",
                                          .masquerade = true,
                                          .publication = true,
                                          .forwarding = {Cidr("192.0.2.5/24").address}}),
                    tables)
                  .empty());
  Rules rules = Owner();
  rules.masquerades = {{Cidr("192.0.2.5/24")}};
  rules.publication.mappings = {
      {.host_port = 8080, .target_port = 80, .target = Cidr("192.0.2.5/24")}};
  Apply(AddScripts(rules), tables);
  Apply(RemoveForeignScripts(
            {.network = "n", .container_id = "ctr1", .masquerade = true, .publication = true}),
        tables);
  EXPECT_EQ(Dump(tables).find("ctr1"), std::string::npos);
}

}  // namespace
}  // namespace cnm::firewall::iptables
