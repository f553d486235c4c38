// iptables_test.cc: the iptables backend in a real kernel, both variants, judged by iptables
// itself.
#include <string>
#include <string_view>
#include <vector>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "integration/netns/common/firewall/iptables/iptables_netns.h"

namespace cnm::firewall {
namespace {

TEST_P(IptablesNetns, MasqueradesAndLeavesNothing) {
  Rules rules = Owner();
  rules.masquerades = {{Cidr("192.0.2.5/24")}, {Cidr("2001:db8::5/64")}};
  MakeIptables({})->Add(rules);
  const std::string c = R"( -m comment --comment "name: \"n\" id: \"ctr1\"" -j )";
  const std::string chain = "CNI-fdae3b260ef7c892d3f4f4b6";
  EXPECT_EQ(Save(), ":PREROUTING ACCEPT\n:INPUT ACCEPT\n:OUTPUT ACCEPT\n:POSTROUTING ACCEPT\n:" +
                        chain + " -\n-A POSTROUTING -s 192.0.2.5/32" + c + chain + "\n-A " + chain +
                        " -d 192.0.2.0/24" + c + "ACCEPT\n-A " + chain + " ! -d 224.0.0.0/4" + c +
                        "MASQUERADE");
  EXPECT_TRUE(Save("6").find("-A POSTROUTING -s 2001:db8::5/128" + c + chain) != std::string::npos);
  MakeIptables({})->Verify(rules);
  const std::string before = Save();
  MakeIptables({})->Add(rules);
  EXPECT_EQ(Save(), before) << "a second Add";
  MakeIptables({})->Remove(rules);
  EXPECT_EQ(OursLeft("CNI"), "");
  MakeIptables({})->Remove(rules);
}

TEST_P(IptablesNetns, NoticesEachMissingRule) {
  Rules rules = Publishing();
  rules.masquerades = {{Cidr("192.0.2.5/24")}};
  rules.forwarding.addresses = {Ip("192.0.2.5")};
  rules.isolation = Isolation{"br0", true};
  MakeIptables({})->Add(rules);
  MakeIptables({})->Verify(rules);
  int deleted = 0;
  for (const char* const table : {"nat", "filter", "raw"}) {
    const int count = std::stoi(Shell(fmt::format("iptables-save -t {} | grep -c ^-A", table)));
    for (int line = 1; line <= count; ++line) {
      Shell(
          fmt::format("iptables-save > /run/saved; (echo '*{0}'; iptables-save -t {0} | grep ^-A | "
                      "sed -n '{1}s/^-A/-D/p'; echo COMMIT) | iptables-restore --noflush",
                      table, line));
      EXPECT_NE(ErrorOf([&] { MakeIptables({})->Verify(rules); }), "") << table << " " << line;
      Shell("iptables-restore < /run/saved");
      ++deleted;
    }
  }
  EXPECT_GE(deleted, 25);
  MakeIptables({})->Verify(rules);
}

TEST_P(IptablesNetns, RebuildsWhatWasFlushed) {
  Rules first = Publishing("ctr1");
  first.masquerades = {{Cidr("192.0.2.5/24")}};
  Rules second = Owner("ctr2");
  second.forwarding.addresses = {Ip("192.0.2.6"), Ip("2001:db8::6")};
  second.isolation = Isolation{"br0"};
  const auto firewall = MakeIptables({});
  firewall->Add(first);
  firewall->Add(second);
  Shell("iptables -A CNI-ADMIN -s 203.0.113.1 -j DROP; iptables -I FORWARD -j ACCEPT");
  Shell("iptables -t nat -F; iptables -F CNI-FORWARD");
  const auto live = [&](std::string_view) { return std::vector{first, second}; };
  MakeIptables({.live = live})->Rebuild();
  MakeIptables({})->Verify(first);
  MakeIptables({})->Verify(second);
  EXPECT_EQ(Shell("iptables -S CNI-ADMIN | grep -c 203.0.113.1"), "1");
  EXPECT_EQ(Shell("iptables -S FORWARD | sed 's/.*-j/-j/'"),
            "-P FORWARD ACCEPT\n-j CNI-ISOLATION-STAGE-1\n-j CNI-FORWARD\n-j ACCEPT");
  const std::string once = OursLeft("-A");
  MakeIptables({.live = live})->Rebuild();
  EXPECT_EQ(OursLeft("-A"), once);
}

TEST_P(IptablesNetns, ListsWhatStands) {
  Rules rules = Publishing();
  MakeIptables({})->Add(rules);
  bool found = false;
  for (const Programmed& one : MakeIptables({})->List()) {
    found |= one.network == "n" && one.container_id == "ctr1" &&
             one.what == "-p tcp -m tcp --dport 8081 -j DNAT --to-destination 192.0.2.5:80" &&
             one.place == "ip nat CNI-DN-fdae3b260ef7c892d3f4f";
  }
  EXPECT_TRUE(found);
  EXPECT_EQ(MakeIptables({})->List().size(), 15U);
}

TEST_P(IptablesNetns, NeitherRunsNorChangesAnythingWhenThereIsNothing) {
  ::setenv("PATH", "/nowhere", 1);
  MakeIptables({})->RemoveForeign(
      {.network = "n", .container_id = "ctr1", .masquerade = true, .publication = true});
  MakeIptables({})->Remove(Publishing());
  ::setenv("PATH", "/mnt:/usr/sbin:/usr/bin:/sbin:/bin", 1);
  EXPECT_EQ(Shell("nft list ruleset; cat /proc/net/ip_tables_names /proc/net/ip6_tables_names"),
            "");
}

INSTANTIATE_TEST_SUITE_P(Variants, IptablesNetns, ::testing::Values("nft", "legacy"));

}  // namespace
}  // namespace cnm::firewall
