// foreign_test.cc: what is removed of the reference plugins' leavings in nftables, and published
// ports under conditions. The leavings are made by nft(8) in the words of the reference.
#include <sys/mount.h>

#include <cstdlib>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "common/base/digest.h"
#include "common/firewall/nftables/nftables.h"
#include "integration/netns/common/firewall/nftables/nftables_netns.h"
#include "integration/support/fresh_netns.h"

namespace cnm::firewall {
namespace {

using testing::Shell;
using testing::Succeeds;

void MakeLeavings(const std::string& network, const std::string& id, const std::string& address) {
  const std::string hash = Sha512Hex(network, 16) + "-" + Sha512Hex("eth0:" + id, 16);
  const std::string guard = "cni-br-iface-" + id + "-eth0";
  Shell(R"(nft -f - <<'END'
table inet cni_plugins_masquerade {
  chain masq_checks {
    ip saddr )" +
        address + R"( ip daddr != 10.1.0.0/24 masquerade comment ")" + hash + ", net: " + network +
        R"(, if: eth0, id: )" + id + R"("
  }
  chain postrouting { type nat hook postrouting priority 100; }
}
table ip cni_hostport {
  chain hostports { tcp dport 80 dnat to )" +
        address + R"(:80 comment ")" + id + R"("; }
  chain hostip_hostports { }
  chain prerouting { type nat hook prerouting priority -100; fib daddr type local jump hostports; }
  chain masquerading { type nat hook postrouting priority 100; ip saddr )" +
        address + " ip daddr " + address + R"( masquerade comment ")" + id + R"("; }
}
table bridge nat {
  chain )" +
        guard + R"(-mac { ether saddr 02:00:00:00:00:01 return comment "macspoofchk-)" + id +
        R"(-eth0"; drop comment "macspoofchk-)" + id + R"(-eth0"; }
  chain )" +
        guard + R"( { jump )" + guard + R"(-mac comment "macspoofchk-)" + id + R"(-eth0"; }
  chain PREROUTING { type filter hook prerouting priority -300; iifname "veth9" jump )" +
        guard + R"( comment "macspoofchk-)" + id + R"(-eth0"; }
}
END)");
}

int Count(const std::string& word) {
  return std::stoi(Shell("nft list ruleset | grep -cF -- '" + word + "' || true"));
}

TEST_F(NftablesNetns, RemovesTheReferencePluginsLeavingsByTheirFlags) {
  MakeLeavings("blue", "one", "10.1.0.5");
  MakeLeavings("blue", "two", "10.1.0.6");
  const auto firewall = Make();
  Foreign foreign{.network = "blue", .container_id = "one", .ifname = "eth0"};
  const std::string before = Shell("nft list ruleset");
  firewall->RemoveForeign(foreign);
  EXPECT_EQ(Shell("nft list ruleset"), before);
  foreign.masquerade = true;
  firewall->RemoveForeign(foreign);
  EXPECT_EQ(Count("id: one"), 0);
  EXPECT_EQ(Count("comment \"one\""), 2);
  foreign.publication = true;
  firewall->RemoveForeign(foreign);
  EXPECT_EQ(Count("comment \"one\""), 0);
  EXPECT_EQ(Count("macspoofchk-one-eth0"), 4);
  foreign.spoof_guard = true;
  firewall->RemoveForeign(foreign);
  firewall->RemoveForeign(foreign);
  EXPECT_EQ(Count("one"), 0);
  EXPECT_EQ(Count("id: two"), 1);
  EXPECT_EQ(Count("comment \"two\""), 2);
  EXPECT_EQ(Count("macspoofchk-two-eth0"), 4);
}

TEST_F(NftablesNetns, FindsNoLeavingsWhereThereAreNone) {
  Make()->RemoveForeign({.network = "blue",
                         .container_id = "one",
                         .ifname = "eth0",
                         .masquerade = true,
                         .spoof_guard = true,
                         .publication = true});
  EXPECT_EQ(Shell("nft list ruleset"), "");
}

Rules Conditional(const char* owner, const char* from) {
  Rules rules{.owner = owner, .network = "blue"};
  PortMapping range = Publish(7000, "10.1.0.5/24", 7000);
  range.count = 10;
  rules.publication.mappings = {Publish(80, "10.1.0.5/24", 8), range,
                                Publish(80, "2001:db8::5/64", 80)};
  rules.publication.conditions_v4 = {"ip", "saddr", from};
  return rules;
}

TEST_F(NftablesNetns, PutsPortsUnderConditions) {
  const auto firewall = Make();
  const Rules rules = Conditional(kOwnerA, "192.0.2.0/24");
  EXPECT_NE(ErrorOf([&] { firewall->Verify(rules); }), "");
  firewall->Add(rules);
  firewall->Add(rules);
  firewall->Verify(rules);
  const Rules other = Conditional(kOwnerB, "198.51.100.0/24");
  Rules second = other;
  second.publication.mappings.resize(1);
  second.publication.mappings[0].target = Cidr("10.1.0.6/24");
  firewall->Add(second);
  const std::string expected =
      "\tchain conditional_v4 {\n"
      "\t\tip saddr 192.0.2.0/24 tcp dport 80 dnat ip to 10.1.0.5:8 comment \"aaaaaaaaaaaaaaaa "
      "blue\"\n"
      "\t\tip saddr 192.0.2.0/24 tcp dport 7000-7009 dnat ip to 10.1.0.5 comment "
      "\"aaaaaaaaaaaaaaaa blue\"\n"
      "\t\tip saddr 198.51.100.0/24 tcp dport 80 dnat ip to 10.1.0.6:8 comment \"bbbbbbbbbbbbbbbb "
      "blue\"\n"
      "\t}";
  const auto chain = [] { return Shell("nft list chain inet cnm conditional_v4 | sed '1d;$d'"); };
  EXPECT_EQ(chain(), expected);
  EXPECT_EQ(Lines("tcp . 80 "),
            "elements = { tcp . 80 comment \"aaaaaaaaaaaaaaaa blue\" : 2001:db8::5 . 80 }");
  Rebuild({rules, second});
  EXPECT_EQ(chain(), expected);
  firewall->Remove(rules);
  EXPECT_EQ(Lines("aaaaaaaa"), "");
  EXPECT_EQ(firewall->RemoveByOwner(kOwnerB), 2U);  // a rule, and the target's hairpin
  EXPECT_EQ(Lines("bbbbbbbb"), "");
}

TEST_F(NftablesNetns, RebuildsTheOthersConditionsWhenNftRefusesSome) {
  const Rules good = Conditional(kOwnerC, "192.0.2.0/24");
  Rules worse = Conditional(kOwnerB, "192.0.2.0/24; flush ruleset");
  worse.publication.mappings = {Publish(90, "10.1.0.6/24", 90)};
  Rules bad = Conditional(kOwnerA, "=");
  bad.publication.mappings = {Publish(91, "10.1.0.7/24", 91)};
  EXPECT_EQ(ErrorOf([&] {
              Rebuild({bad, worse, good});
            }),
            "conditions of aaaaaaaaaaaaaaaa, bbbbbbbbbbbbbbbb: conditionsV4: nft refused the rules "
            "of aaaaaaaaaaaaaaaa");
  Make()->Verify(good);
}

TEST_F(NftablesNetns, SeeksNftOnlyWhereThePathIsWhole) {
  ASSERT_EQ(::mount("none", "/mnt", "tmpfs", 0, nullptr), 0);
  Shell("mkdir /mnt/bin; printf '#!/bin/sh\\nexit 1\\n' > /mnt/bin/nft; chmod +x /mnt/bin/nft");
  const char* const given = ::getenv("PATH");
  ASSERT_NE(given, nullptr);
  const std::string path = given;
  // As many steps up as this lead to the root from anywhere.
  ::setenv("PATH", ("../../../../../../../../../../../../mnt/bin:" + path).c_str(), 1);
  const Rules rules = Conditional(kOwnerA, "192.0.2.0/24");
  EXPECT_EQ(ErrorOf([&] { Make()->Add(rules); }), "");
  ::setenv("PATH", path.c_str(), 1);
  Make()->Verify(rules);
}

TEST_F(NftablesNetns, LeavesNothingWhenNftRefusesTheWords) {
  const auto firewall = Make();
  Rules rules = Conditional(kOwnerA, "=");
  Code code = Code::kInternal;
  EXPECT_EQ(ErrorOf([&] { firewall->Add(rules); }, &code),
            "conditionsV4: nft refused the rules of aaaaaaaaaaaaaaaa");
  EXPECT_EQ(code, Code::kConfig);
  EXPECT_EQ(Lines("aaaaaaaa"), "");
  rules = Conditional(kOwnerA, "192.0.2.0/24; flush ruleset");
  EXPECT_EQ(ErrorOf([&] { firewall->Add(rules); }, &code),
            "conditionsV4: \"192.0.2.0/24; flush ruleset\" is no nft expression");
  EXPECT_EQ(Lines("aaaaaaaa"), "");
}

}  // namespace
}  // namespace cnm::firewall
