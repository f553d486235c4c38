// forwarding_test.cc: forwarding and isolation in nftables, judged by nft(8) and by traffic.
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "common/firewall/nftables/nftables.h"
#include "integration/netns/common/firewall/nftables/nftables_netns.h"
#include "integration/support/fresh_netns.h"

namespace cnm::firewall {
namespace {

using testing::OtherNetns;
using testing::Shell;
using testing::Succeeds;

Rules ForwardingFor(const char* owner, std::initializer_list<const char*> addresses) {
  Rules rules{.owner = owner, .network = "blue"};
  for (const char* address : addresses) {
    rules.forwarding.addresses.push_back(net::Address::Parse(address).value());
  }
  return rules;
}

Rules Isolating(const char* owner, const char* bridge, bool within) {
  Rules rules{.owner = owner, .network = "blue"};
  rules.isolation = Isolation{bridge, within};
  return rules;
}

TEST_F(NftablesNetns, ShowsForwardingToPeople) {
  Rules rules = ForwardingFor(kOwnerA, {"10.1.0.5", "2001:db8::5"});
  rules.isolation = Isolation{"cni0", true};
  Make()->Add(rules);
  EXPECT_EQ(Shell("nft list table inet cnm"), R"(table inet cnm {
	set forward_v4 {
		type ipv4_addr
		elements = { 10.1.0.5 comment "aaaaaaaaaaaaaaaa blue" }
	}

	set forward_v6 {
		type ipv6_addr
		elements = { 2001:db8::5 comment "aaaaaaaaaaaaaaaa blue" }
	}

	set isolated_bridges {
		type ifname
		elements = { "cni0" comment "bridge cni0" }
	}

	set isolated_selves {
		type ifname . ifname
		elements = { "cni0" . "cni0" comment "bridge cni0" }
	}

	set closed_bridges {
		type ifname
		elements = { "cni0" comment "bridge cni0" }
	}

	set passages_v4 {
		type ipv4_addr . ipv4_addr . inet_proto . inet_service
	}

	set passages_v6 {
		type ipv6_addr . ipv6_addr . inet_proto . inet_service
	}

	chain schema_4 {
	}

	chain postrouting {
		type nat hook postrouting priority srcnat; policy accept;
		ip daddr 224.0.0.0/4 return
		ip6 daddr ff00::/8 return
	}

	chain closed {
		icmpv6 type nd-neighbor-solicit return
		icmpv6 type nd-neighbor-advert return
		ip saddr . ip daddr . meta l4proto . th dport @passages_v4 return
		ip6 saddr . ip6 daddr . meta l4proto . th dport @passages_v6 return
		tcp flags syn / syn,ack drop
		ip daddr . ip saddr . meta l4proto . th sport @passages_v4 return
		ip6 daddr . ip6 saddr . meta l4proto . th sport @passages_v6 return
		drop
	}

	chain user {
	}

	chain forward {
		type filter hook forward priority filter; policy accept;
		jump user
		iifname @isolated_bridges oifname @isolated_bridges iifname . oifname != @isolated_selves drop
		iifname @closed_bridges oifname @closed_bridges jump closed
		ct state established,related ip daddr @forward_v4 accept
		ct state established,related ip6 daddr @forward_v6 accept
		ip saddr @forward_v4 accept
		ip6 saddr @forward_v6 accept
	}
})");
}

TEST_F(NftablesNetns, SharesIsolationAmongOwners) {
  const auto firewall = Make();
  firewall->Add(Isolating(kOwnerA, "cni0", false));
  firewall->Add(Isolating(kOwnerB, "cni0", false));
  firewall->Verify(Isolating(kOwnerB, "cni0", false));
  EXPECT_EQ(firewall->RemoveByOwner(kOwnerA), 0U);
  firewall->Remove(Isolating(kOwnerB, "cni0", false));
  EXPECT_EQ(Lines("cni0"), "");
}

TEST_F(NftablesNetns, KeepsInternalBridgesToThemselves) {
  Rules rules = Isolating(kOwnerA, "cni0", false);
  rules.isolation->internal = true;
  const auto firewall = Make();
  firewall->Add(Isolating(kOwnerB, "cni1", false));
  EXPECT_FALSE(Succeeds("nft list chain inet cnm internal")) << "built when it is needed";
  firewall->Add(rules);
  firewall->Verify(rules);
  EXPECT_EQ(Shell("nft list chain inet cnm internal"), R"(table inet cnm {
	chain internal {
		type filter hook forward priority filter; policy accept;
		iifname @internal_bridges iifname . oifname != @isolated_selves drop
		oifname @internal_bridges iifname . oifname != @isolated_selves drop
	}
})");
  Rebuild({rules});
  firewall->Verify(rules);
  Shell("nft flush chain inet cnm internal");
  EXPECT_THROW(firewall->Verify(rules), Error);
  firewall->Remove(rules);
  EXPECT_EQ(Lines("cni0"), "");
}

TEST_F(NftablesNetns, ServesIsolationWithoutAClosingBridgeHook) {
  // This kernel may or may not be able to name the bridge in the bridge's own hook.
  const auto firewall = Make();
  const Rules rules = Isolating(kOwnerA, "cni0", true);
  firewall->Add(rules);
  firewall->Add(rules);
  firewall->Verify(rules);
  EXPECT_NE(Lines("closed_bridges"), "");
  const bool able = Succeeds("nft 'table bridge probe { chain c { meta ibrname \"b\" drop; }; }'");
  EXPECT_EQ(Succeeds("nft list set bridge cnm closed_bridges"), able);
  Rebuild({rules});
  firewall->Verify(rules);
  firewall->Remove(rules);
  EXPECT_EQ(Lines("cni0"), "");
}

TEST_F(NftablesNetns, KeepsTheOperatorsChain) {
  const Rules rules = ForwardingFor(kOwnerA, {"10.1.0.5"});
  const auto firewall = Make();
  firewall->Add(rules);
  Shell(
      "nft 'table inet cnm { set mine { type ipv4_addr; elements = { 192.0.2.66 }; }; chain user { "
      "ip saddr @mine counter drop; jump more; }; chain more { }; }'");
  const auto users = [] {
    return Shell(
        "nft -a list chain inet cnm user; nft list set inet cnm mine; nft list chain inet cnm "
        "more");
  };
  const std::string before = users();
  const std::string all = Shell("nft list table inet cnm");
  Rebuild({rules});
  EXPECT_EQ(users(), before);
  EXPECT_EQ(Shell("nft list chain inet cnm forward | grep -c 'jump user'"), "1");
  firewall->Verify(rules);
}

TEST_F(NftablesNetns, NoticesThatForwardingIsCut) {
  const Rules rules = ForwardingFor(kOwnerA, {"10.1.0.5"});
  const auto firewall = Make();
  firewall->Add(rules);
  firewall->Verify(rules);
  Shell(
      "nft delete rule inet cnm forward handle $(nft -a list chain inet cnm forward | sed -n "
      "'s/.*ip saddr.*handle //p')");
  EXPECT_EQ(ErrorOf([&] { firewall->Verify(rules); }),
            "nftables chain inet cnm forward: has 6 rules of 7");
}

/// Two bridges of this host, the first with two containers and the second with one.
class NftablesIsolation : public NftablesNetns {
 protected:
  void SetUp() override {
    NftablesNetns::SetUp();
    if (IsSkipped() || HasFatalFailure()) return;
    Shell("sysctl -qw net.ipv4.ip_forward=1");
    Shell("ip link add br1 up type bridge; ip addr add 10.1.0.1/24 dev br1");
    Shell("ip link add br2 up type bridge; ip addr add 10.2.0.1/24 dev br2");
    Attach(first_, "br1", "veth1", "10.1.0.5");
    Attach(second_, "br1", "veth2", "10.1.0.6");
    Attach(other_, "br2", "veth3", "10.2.0.5");
  }
  void Attach(const OtherNetns& netns, const std::string& bridge, const std::string& link,
              const std::string& address) {
    Shell("ip link add " + link + " master " + bridge + " up type veth peer name eth0 netns " +
          netns.path());
    Shell(netns.Inside("sh -c 'ip addr add " + address +
                       "/24 dev eth0; ip link set eth0 up; ip "
                       "route add default via " +
                       address.substr(0, address.rfind('.')) + ".1'"));
  }
  static bool Reaches(const OtherNetns& from, const std::string& to) {
    return Succeeds(from.Inside("ping -c 1 -W 1 " + to));
  }
  OtherNetns first_, second_, other_;
};

TEST_F(NftablesIsolation, KeepsBridgesApart) {
  const auto firewall = Make();
  firewall->Add(ForwardingFor(kOwnerA, {"10.1.0.5", "10.1.0.6"}));
  firewall->Add(ForwardingFor(kOwnerB, {"10.2.0.5"}));
  EXPECT_TRUE(Reaches(first_, "10.2.0.5"));
  firewall->Add(Isolating(kOwnerA, "br1", false));
  EXPECT_TRUE(Reaches(first_, "10.2.0.5"));  // the other bridge is not isolated
  firewall->Add(Isolating(kOwnerB, "br2", false));
  EXPECT_FALSE(Reaches(first_, "10.2.0.5"));
  EXPECT_FALSE(Reaches(other_, "10.1.0.5"));
  EXPECT_TRUE(Reaches(first_, "10.1.0.6"));
  EXPECT_TRUE(Reaches(first_, "10.1.0.1"));
  (void)Succeeds("sysctl -qw net.bridge.bridge-nf-call-iptables=1");
  EXPECT_TRUE(Reaches(first_, "10.1.0.6"));
  // The operator has the first word.
  Shell(
      "nft add rule inet cnm user ip saddr 10.1.0.5 accept; nft add rule inet cnm user ip daddr "
      "10.1.0.5 accept");
  EXPECT_TRUE(Reaches(first_, "10.2.0.5"));
  Shell("nft flush chain inet cnm user");
  firewall->Remove(Isolating(kOwnerB, "br2", false));
  EXPECT_TRUE(Reaches(first_, "10.2.0.5"));
}

TEST_F(NftablesIsolation, KeepsPortsOfAClosedBridgeApart) {
  const bool able = Succeeds("nft 'table bridge probe { chain c { meta ibrname \"b\" drop; }; }'");
  if (!able && !Succeeds("sysctl -qw net.bridge.bridge-nf-call-iptables=1")) {
    GTEST_SKIP() << "neither NFT_BRIDGE_META nor BRIDGE_NETFILTER";
  }
  EXPECT_TRUE(Reaches(first_, "10.1.0.6"));
  Make()->Add(Isolating(kOwnerA, "br1", true));
  EXPECT_FALSE(Reaches(first_, "10.1.0.6"));
  EXPECT_TRUE(Reaches(first_, "10.1.0.1"));
  EXPECT_TRUE(Reaches(first_, "10.2.0.5"));
}

}  // namespace
}  // namespace cnm::firewall
