// iptables_isolation_test.cc: isolation in iptables, and its place among the rules of others.
#include <linux/netlink.h>

#include <string>
#include <string_view>
#include <vector>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "common/netlink/channel.h"
#include "integration/netns/common/firewall/iptables/iptables_netns.h"

namespace cnm::firewall {
namespace {

bool MayDrop() {
  netlink::Channel netfilter = netlink::Channel::Open(NETLINK_NETFILTER);
  return IptablesMayDrop(netfilter);
}

TEST_P(IptablesNetns, IsolatesBridges) {
  Rules rules = Owner();
  rules.forwarding.addresses = {Ip("192.0.2.5")};
  rules.isolation = Isolation{"br0"};
  MakeIptables({})->Add(rules);
  const std::string other = " -m comment --comment \"CNI firewall plugin rules (ingressPolicy: ";
  const std::string both = other + "same-bridge|isolated)\" -j ";
  const std::string stage2 =
      "-A CNI-ISOLATION-STAGE-2 -o br0" + both + "DROP\n-A CNI-ISOLATION-STAGE-2" + both + "RETURN";
  const std::string head =
      "-A FORWARD" + both + "CNI-ISOLATION-STAGE-1\n" +
      "-A FORWARD -m comment --comment \"CNI firewall plugin rules\" -j CNI-FORWARD\n" +
      "-A CNI-FORWARD -m comment --comment \"CNI firewall plugin admin overrides\" -j CNI-ADMIN\n" +
      "-A CNI-FORWARD -d 192.0.2.5/32 -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT\n" +
      "-A CNI-FORWARD -s 192.0.2.5/32 -j ACCEPT\n";
  const std::string leave = "-A CNI-ISOLATION-STAGE-1 -i br0 ! -o br0" + other;
  EXPECT_EQ(Shell("iptables-save -t filter | grep ^-A"),
            head + leave + "same-bridge)\" -j CNI-ISOLATION-STAGE-2\n" +
                "-A CNI-ISOLATION-STAGE-1" + both + "RETURN\n" + stage2);
  rules.isolation->within = true;
  EXPECT_NE(ErrorOf([&] { MakeIptables({})->Verify(rules); }), "");
  MakeIptables({})->Add(rules);
  const std::string isolated = head + "-A CNI-ISOLATION-STAGE-1 -i br0 -o br0" + other +
                               "isolated)\" -j DROP\n" + leave +
                               "isolated)\" -j CNI-ISOLATION-STAGE-2\n" +
                               "-A CNI-ISOLATION-STAGE-1" + both + "RETURN\n" + stage2;
  EXPECT_EQ(Shell("iptables-save -t filter | grep ^-A"), isolated);
  MakeIptables({})->Verify(rules);
  rules.isolation->within = false;
  MakeIptables({})->Add(rules);
  EXPECT_EQ(OursLeft("isolated)"), OursLeft("same-bridge|isolated)"));
  MakeIptables({})->Remove(rules);
  EXPECT_EQ(OursLeft("br0"), "");
}

TEST_P(IptablesNetns, IsolatesWhereThereIsNoIpv6) {
  ASSERT_EQ(::mount("none", "/proc/sys/net/ipv6", "tmpfs", 0, nullptr), 0);
  Shell("ln -sf /bin/false /mnt/ip6tables-restore; ln -sf /bin/false /mnt/ip6tables");
  Rules rules = Owner();
  rules.isolation = Isolation{"br0"};
  MakeIptables({})->Add(rules);
  MakeIptables({})->Verify(rules);
  EXPECT_NE(Shell("iptables-save -t filter | grep br0"), "");
  MakeIptables({})->Remove(rules);
  EXPECT_EQ(OursLeft("br0"), "");
  ASSERT_EQ(::umount("/proc/sys/net/ipv6"), 0);
  EXPECT_EQ(Shell("ip6tables-save -t filter | grep -c ISOLATION || true"), "0");
}

TEST_P(IptablesNetns, AFailureDoesNotEndTheIsolationOfOthersOnTheBridge) {
  Rules live = Owner();
  live.forwarding.addresses = {Ip("192.0.2.5")};
  live.isolation = Isolation{"br0"};
  MakeIptables({})->Add(live);
  Rules failing = Owner("ctr2");
  failing.forwarding.addresses = {Ip("192.0.2.6"), Ip("2001:db8::6")};
  failing.isolation = Isolation{"br0"};
  failing.publication.mappings = {Map(Protocol::kTcp, 8081, 80, "192.0.2.6/24"),
                                  Map(Protocol::kTcp, 8081, 80, "2001:db8::6/64")};
  failing.publication.mark_chain = "KUBE-MARK-MASQ";
  Shell("iptables -t nat -N KUBE-MARK-MASQ");  // and none for IPv6, whose tables come last
  EXPECT_NE(ErrorOf([&] { MakeIptables({})->Add(failing); }), "");
  MakeIptables({})->Verify(live);
  EXPECT_EQ(OursLeft("192.0.2.6"), "");
  EXPECT_EQ(OursLeft("ctr2"), "");
}

TEST_P(IptablesNetns, ComesBeforeDockerAndBehindTheAdministrator) {
  EXPECT_FALSE(MayDrop());
  Shell("iptables -P FORWARD DROP; iptables -N DOCKER-USER; iptables -A FORWARD -j DOCKER-USER");
  EXPECT_TRUE(MayDrop());
  Rules rules = Owner();
  rules.forwarding.addresses = {Ip("192.0.2.5")};
  rules.forwarding.admin_chain = "MINE";
  MakeIptables({})->Add(rules);
  EXPECT_EQ(OursLeft("-j CNI-FORWARD"),
            "-A DOCKER-USER -m comment --comment \"CNI firewall plugin rules\" -j CNI-FORWARD");
  EXPECT_EQ(Shell("iptables -S CNI-FORWARD 1"),
            "-A CNI-FORWARD -m comment --comment \"CNI firewall plugin admin overrides\" -j MINE");
  Shell("iptables -P FORWARD ACCEPT; iptables -D FORWARD -j DOCKER-USER");
  EXPECT_TRUE(MayDrop());
  Shell("iptables -F DOCKER-USER; iptables -X DOCKER-USER");
  EXPECT_FALSE(MayDrop());
  Shell("iptables -A FORWARD -j REJECT");
  EXPECT_TRUE(MayDrop());
}

/// Rules of others come and go between our reading a chain and our changing it.
class BesideDocker : public IptablesNetns {
 protected:
  void SetUp() override {
    IptablesNetns::SetUp();
    // Docker puts a rule first, takes no lock, and is always just then faster.
    Shell(
        "printf '#!/bin/sh\\ncat >/run/script\\niptables -I FORWARD -j DOCKER\\n"
        "exec /usr/sbin/iptables-nft-restore \"$@\" </run/script\\n' >/run/restore; "
        "chmod +x /run/restore; iptables -N DOCKER");
  }
  static void LetDockerCome() { Shell("ln -s /run/restore /mnt/iptables-nft-restore"); }
  static std::string Forward() {
    return Shell("iptables -S FORWARD | grep -- -j | sed 's/.*-j //'");
  }
};

TEST_P(BesideDocker, DeletesItsOwnRules) {
  Rules rules = Owner();
  rules.forwarding.addresses = {Ip("192.0.2.5")};
  rules.isolation = Isolation{"br0"};
  MakeIptables({})->Add(rules);
  // One that is not as we make it goes too.
  Shell("iptables -I FORWARD -m length --length 0:9 -j CNI-FORWARD; iptables -I FORWARD -j LOG");
  LetDockerCome();
  MakeIptables({.live = [&](std::string_view) { return std::vector{rules}; }})->Rebuild();
  EXPECT_EQ(Forward(), "CNI-ISOLATION-STAGE-1\nCNI-FORWARD\nDOCKER\nLOG");
}

TEST_P(BesideDocker, AcceptsBehindIsolation) {
  Rules isolated = Owner();
  isolated.isolation = Isolation{"br0"};
  MakeIptables({})->Add(isolated);
  Shell("iptables -A FORWARD -j LOG");
  Rules forwarded = Owner("ctr2");
  forwarded.forwarding.addresses = {Ip("192.0.2.6")};
  LetDockerCome();
  MakeIptables({})->Add(forwarded);
  EXPECT_EQ(Forward(), "CNI-ISOLATION-STAGE-1\nCNI-FORWARD\nDOCKER\nLOG");
}

INSTANTIATE_TEST_SUITE_P(Variants, BesideDocker, ::testing::Values("nft"));

}  // namespace
}  // namespace cnm::firewall
