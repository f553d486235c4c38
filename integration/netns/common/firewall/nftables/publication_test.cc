// publication_test.cc: published ports in nftables, judged by nft(8).
#include <string>
#include <vector>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "common/base/error.h"
#include "common/firewall/nftables/nftables.h"
#include "integration/netns/common/firewall/nftables/nftables_netns.h"
#include "integration/support/fresh_netns.h"

namespace cnm::firewall {
namespace {

using testing::Shell;

/// The elements of the maps of TCP ports, a line each, sorted: the kernel tells them in no order.
std::string Ports() {
  return Shell(
      "nft list table inet cnm | grep -oE 'tcp \\. [0-9-]+ comment .* : [0-9.]+( \\. [0-9]+)?' | "
      "sed 's/ comment \"\\(.\\).* blue\"/ \\1/' | sort");
}

TEST_F(NftablesNetns, ShowsPublishedPortsToPeople) {
  PortMapping range = Publish(7000, "10.1.0.5/24", 7000);
  range.count = 10;
  PortMapping udp = At("2001:db8::1", Publish(53, "2001:db8:1::5/64", 5353));
  udp.protocol = Protocol::kUdp;
  Make()->Add(Publishing(kOwnerA, {Publish(8080, "10.1.0.5/24", 80),
                                   At("192.0.2.1", Publish(8080, "10.1.0.5/24", 81)), range, udp}));
  EXPECT_EQ(Shell("nft list table inet cnm"), R"(table inet cnm {
	set forward_v4 {
		type ipv4_addr
	}

	set forward_v6 {
		type ipv6_addr
	}

	set isolated_bridges {
		type ifname
	}

	set isolated_selves {
		type ifname . ifname
	}

	set closed_bridges {
		type ifname
	}

	set passages_v4 {
		type ipv4_addr . ipv4_addr . inet_proto . inet_service
	}

	set passages_v6 {
		type ipv6_addr . ipv6_addr . inet_proto . inet_service
	}

	map ports_v4 {
		type ipv4_addr . inet_proto . inet_service : ipv4_addr . inet_service
		elements = { 192.0.2.1 . tcp . 8080 comment "aaaaaaaaaaaaaaaa blue" : 10.1.0.5 . 81 }
	}

	map any_ports_v4 {
		type inet_proto . inet_service : ipv4_addr . inet_service
		elements = { tcp . 8080 comment "aaaaaaaaaaaaaaaa blue" : 10.1.0.5 . 80 }
	}

	set masquerade_all_v4 {
		type ipv4_addr
	}

	map ports_v6 {
		type ipv6_addr . inet_proto . inet_service : ipv6_addr . inet_service
		elements = { 2001:db8::1 . udp . 53 comment "aaaaaaaaaaaaaaaa blue" : 2001:db8:1::5 . 5353 }
	}

	map any_ports_v6 {
		type inet_proto . inet_service : ipv6_addr . inet_service
	}

	set masquerade_all_v6 {
		type ipv6_addr
	}

	map ranges_v4 {
		type ipv4_addr . inet_proto . inet_service : ipv4_addr
		flags interval
	}

	map any_ranges_v4 {
		type inet_proto . inet_service : ipv4_addr
		flags interval
		elements = { tcp . 7000-7009 comment "aaaaaaaaaaaaaaaa blue" : 10.1.0.5 }
	}

	map ranges_v6 {
		type ipv6_addr . inet_proto . inet_service : ipv6_addr
		flags interval
	}

	map any_ranges_v6 {
		type inet_proto . inet_service : ipv6_addr
		flags interval
	}

	set hairpin-10.1.0.0/24 {
		type ipv4_addr
		elements = { 10.1.0.5 comment "aaaaaaaaaaaaaaaa blue" }
	}

	set hairpin-2001_db8_1__/64 {
		type ipv6_addr
		elements = { 2001:db8:1::5 comment "aaaaaaaaaaaaaaaa blue" }
	}

	chain schema_4 {
	}

	chain postrouting {
		type nat hook postrouting priority srcnat; policy accept;
		ct status dnat jump reflected
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

	chain reflected {
		ip daddr @masquerade_all_v4 masquerade
		ip6 daddr @masquerade_all_v6 masquerade
		ip saddr 10.1.0.0/24 ip daddr @hairpin-10.1.0.0/24 masquerade
		ip saddr 127.0.0.0/8 ip daddr @hairpin-10.1.0.0/24 masquerade
		ip6 saddr 2001:db8:1::/64 ip6 daddr @hairpin-2001_db8_1__/64 masquerade
	}

	chain martians {
		type filter hook prerouting priority raw; policy accept;
		iif != "lo" ip saddr 127.0.0.0/8 drop
		iif != "lo" ip daddr 127.0.0.0/8 drop
	}

	chain prerouting {
		type nat hook prerouting priority dstnat; policy accept;
		meta nfproto ipv4 fib daddr type local goto published_v4
		meta nfproto ipv6 fib daddr type local goto published_v6
	}

	chain output {
		type nat hook output priority -100; policy accept;
		meta nfproto ipv4 fib daddr type local goto published_v4
		meta nfproto ipv6 fib daddr type local goto published_v6
	}

	chain conditional_v4 {
	}

	chain address_ranges_v4 {
		dnat ip to ip daddr . meta l4proto . th dport map @ranges_v4
	}

	chain published_v4 {
		jump conditional_v4
		dnat ip to ip daddr . meta l4proto . th dport map @ports_v4
		jump address_ranges_v4
		dnat ip to meta l4proto . th dport map @any_ports_v4
		dnat ip to meta l4proto . th dport map @any_ranges_v4
	}

	chain conditional_v6 {
	}

	chain address_ranges_v6 {
		dnat ip6 to ip6 daddr . meta l4proto . th dport map @ranges_v6
	}

	chain published_v6 {
		jump conditional_v6
		dnat ip6 to ip6 daddr . meta l4proto . th dport map @ports_v6
		jump address_ranges_v6
		dnat ip6 to meta l4proto . th dport map @any_ports_v6
		dnat ip6 to meta l4proto . th dport map @any_ranges_v6
	}
})");
}

TEST_F(NftablesNetns, CoalescesNeighboursOfOneOwnerOnly) {
  const auto firewall = Make();
  firewall->Add(
      Publishing(kOwnerA, {Publish(81, "10.1.0.5/24", 81), Publish(80, "10.1.0.5/24", 80),
                           Publish(83, "10.1.0.5/24", 83), Publish(82, "10.1.0.5/24", 8)}));
  firewall->Add(Publishing(kOwnerB, {Publish(84, "10.1.0.6/24", 84)}));
  EXPECT_EQ(Ports(),
            "tcp . 80-81 a : 10.1.0.5\ntcp . 82 a : 10.1.0.5 . 8\ntcp . 83 a : 10.1.0.5 . 83\n"
            "tcp . 84 b : 10.1.0.6 . 84");
}

TEST_F(NftablesNetns, NamesTheHolderOfAPort) {
  const auto firewall = Make();
  PortMapping range = Publish(8000, "10.1.0.5/24", 8000);
  range.count = 100;
  firewall->Add(Publishing(kOwnerA, {range, Publish(80, "10.1.0.5/24", 80),
                                     At("192.0.2.1", Publish(90, "10.1.0.5/24", 80))}));
  const std::string before = Shell("nft list ruleset");
  const auto refused = [&](const PortMapping& mapping) {
    return ErrorOf([&] {
      firewall->Add(Publishing(kOwnerB, {Publish(1, "10.1.0.6/24", 1), mapping}));
    });
  };
  EXPECT_EQ(refused(Publish(80, "10.1.0.6/24", 8)),
            "add port 0.0.0.0:80/tcp: in use by aaaaaaaaaaaaaaaa blue");
  EXPECT_EQ(refused(At("192.0.2.1", Publish(90, "10.1.0.6/24", 8))),
            "add port 192.0.2.1:90/tcp: in use by aaaaaaaaaaaaaaaa blue");
  // A port in a range, a range over a port, and ranges over each other's ends, middle and whole.
  EXPECT_EQ(refused(Publish(8050, "10.1.0.6/24", 80)),
            "add port 0.0.0.0:8050/tcp: in use by aaaaaaaaaaaaaaaa blue");
  for (const auto& [first, count] : std::vector<std::pair<uint16_t, uint16_t>>{
           {79, 2}, {7990, 11}, {8099, 5}, {8020, 3}, {7990, 200}, {8000, 100}}) {
    PortMapping other = Publish(first, "10.1.0.6/24", first);
    other.count = count;
    EXPECT_EQ(refused(other),
              fmt::format("add port 0.0.0.0:{}-{}/tcp: in use by aaaaaaaaaaaaaaaa blue", first,
                          first + count - 1));
  }
  EXPECT_EQ(Shell("nft list ruleset"), before);
  // A specific address beside the wildcard, another protocol, and the ports next to the range.
  PortMapping udp = Publish(8050, "10.1.0.6/24", 80);
  udp.protocol = Protocol::kUdp;
  firewall->Add(
      Publishing(kOwnerB, {At("192.0.2.1", Publish(80, "10.1.0.6/24", 80)), udp,
                           Publish(7999, "10.1.0.6/24", 1), Publish(8100, "10.1.0.6/24", 1)}));
}

TEST_F(NftablesNetns, ReplacesPortsAndRangesOfTheDead) {
  const auto firewall = Make();
  PortMapping range = Publish(8000, "10.1.0.5/24", 8000);
  range.count = 100;
  firewall->Add(Publishing(kOwnerA, {range, Publish(80, "10.1.0.5/24", 80)}));
  dead_ = kOwnerA;
  PortMapping over = Publish(79, "10.1.0.6/24", 79);
  over.count = 3;
  const Rules successor =
      Publishing(kOwnerB, {over, Publish(8050, "10.1.0.6/24", 1), Publish(8060, "10.1.0.6/24", 1)});
  firewall->Add(successor);
  EXPECT_EQ(Lines("aaaaaaaa.*tcp|tcp.*aaaaaaaa"), "");
  firewall->Verify(successor);
  firewall->Remove(Publishing(kOwnerA, {range, Publish(80, "10.1.0.5/24", 80)}));
  firewall->Verify(successor);
}

TEST_F(NftablesNetns, AddsItsPortsAgainAndWhereTheyLeadNow) {
  const auto firewall = Make();
  PortMapping range = Publish(8000, "10.1.0.5/24", 8000);
  range.count = 100;
  const Rules rules = Publishing(kOwnerA, {range, Publish(80, "10.1.0.5/24", 80)});
  firewall->Add(rules);
  firewall->Add(rules);
  Rules moved = rules;
  for (PortMapping& mapping : moved.publication.mappings) mapping.target = Cidr("10.1.0.7/24");
  EXPECT_NE(ErrorOf([&] { firewall->Verify(moved); }), "");
  firewall->Add(moved);
  firewall->Verify(moved);
  // A single port where its range was.
  const Rules shape = Publishing(kOwnerA, {Publish(8001, "10.1.0.7/24", 8001)});
  firewall->Add(shape);
  firewall->Verify(shape);
}

TEST_F(NftablesNetns, TakesDuplicatesOfOneCallOnce) {
  const auto firewall = Make();
  PortMapping range = Publish(70, "10.1.0.5/24", 70);
  range.count = 20;
  const Rules rules =
      Publishing(kOwnerA, {Publish(80, "10.1.0.5/24", 1), Publish(80, "10.1.0.5/24", 2), range});
  firewall->Add(rules);
  EXPECT_EQ(Ports(),
            "tcp . 70-79 a : 10.1.0.5\ntcp . 80 a : 10.1.0.5 . 1\ntcp . 81-89 a : 10.1.0.5");
  firewall->Remove(rules);
  EXPECT_EQ(Lines("aaaaaaaa"), "");
}

TEST_F(NftablesNetns, BringsPublishedPortsBackAfterAFlush) {
  PortMapping range = Publish(8000, "10.1.0.5/24", 8000);
  range.count = 100;
  const Rules rules = Publishing(kOwnerA, {range, Publish(80, "10.1.0.5/24", 80)});
  const auto firewall = Make();
  firewall->Add(rules);
  const std::string before = Shell("nft list ruleset");
  Shell("nft flush ruleset");
  Rebuild({rules});
  EXPECT_EQ(Shell("nft list ruleset"), before);
  // A port in a range that a rebuilding transaction brings back.
  Shell("nft flush ruleset");
  live_ = {rules};
  EXPECT_EQ(
      ErrorOf([&] { firewall->Add(Publishing(kOwnerB, {Publish(8050, "10.1.0.6/24", 80)})); }),
      "add port 0.0.0.0:8050/tcp: in use by aaaaaaaaaaaaaaaa blue");
  Rules own = Masquerading(kOwnerA, {"192.0.2.5/24"});
  live_ = {rules, own};
  firewall->Add(own);
  firewall->Verify(rules);
  firewall->Verify(own);
}

TEST_F(NftablesNetns, LeavesTheSuccessorOfARangeAlone) {
  PortMapping range = Publish(8000, "10.1.0.5/24", 8000);
  range.count = 10;
  Make()->Add(Publishing(kOwnerA, {range}));
  range.target = Cidr("10.1.0.6/24");
  const auto late = MakeLate(Publishing(kOwnerB, {range}));
  EXPECT_EQ(ErrorOf([&] { late->Add(Publishing(kOwnerC, {Publish(8005, "10.1.0.7/24", 80)})); }),
            "add port 0.0.0.0:8005/tcp: in use by bbbbbbbbbbbbbbbb blue");
  EXPECT_EQ(Ports(), "tcp . 8000-8009 b : 10.1.0.6");
}

TEST_F(NftablesNetns, SurvivesTwoRecordsThatClaimOnePort) {
  const Rules first = Publishing(kOwnerA, {Publish(80, "10.1.0.5/24", 80)});
  PortMapping range = Publish(8000, "10.1.0.6/24", 8000);
  range.count = 10;
  PortMapping overlap = Publish(8005, "10.1.0.5/24", 8005);
  overlap.count = 10;
  const Rules second =
      Publishing(kOwnerB, {Publish(80, "10.1.0.6/24", 80), Publish(81, "10.1.0.6/24", 8), range});
  Rebuild({first, second, Publishing("cccccccccccccccc", {overlap})});
  EXPECT_EQ(Ports(),
            "tcp . 80 a : 10.1.0.5 . 80\ntcp . 8000-8009 b : 10.1.0.6\ntcp . 81 b : 10.1.0.6 . 8");
}

TEST_F(NftablesNetns, NoticesThatAChainIsGoneOrEmpty) {
  const Rules rules = Publishing(kOwnerA, {Publish(80, "10.1.0.5/24", 80)});
  const auto firewall = Make();
  firewall->Add(rules);
  firewall->Verify(rules);
  Shell("nft flush chain inet cnm published_v4");
  EXPECT_EQ(ErrorOf([&] { firewall->Verify(rules); }),
            "nftables chain inet cnm published_v4: has 0 rules of 4");
  Rebuild({rules});
  Shell("nft 'flush chain inet cnm output; delete chain inet cnm output'");
  EXPECT_EQ(ErrorOf([&] { firewall->Verify(rules); }), "nftables chain inet cnm output: not there");
  Rebuild({rules});
  Shell("nft flush map inet cnm any_ports_v4");
  EXPECT_EQ(ErrorOf([&] { firewall->Verify(rules); }),
            "port 0.0.0.0:80/tcp: not in nftables set inet cnm any_ports_v4");
}

TEST_F(NftablesNetns, ListsWhatIsProgrammed) {
  PortMapping range = Publish(7000, "10.1.0.5/24", 7000);
  range.count = 10;
  Rules rules = Publishing(kOwnerA, {Publish(80, "10.1.0.5/24", 8), range,
                                     At("2001:db8::1", Publish(53, "2001:db8:1::5/64", 5353))});
  rules.masquerades = {{Cidr("10.1.0.5/24")}};
  rules.spoof_guard = SpoofGuard{"veth0", kMac};
  rules.forwarding.addresses = {*net::Address::Parse("10.1.0.5")};
  rules.isolation = Isolation{"cni0", false};
  const auto firewall = Make();
  firewall->Add(rules);
  std::string text;
  for (const Programmed& item : firewall->List()) {
    text += fmt::format("{}|{}|{}|{}\n", item.owner, item.network, item.what, item.place);
  }
  const std::string who = "aaaaaaaaaaaaaaaa|blue|";
  EXPECT_EQ(text, who + "0.0.0.0:80/tcp -> 10.1.0.5:8|inet cnm any_ports_v4\n" + who +
                      "0.0.0.0:7000-7009/tcp -> 10.1.0.5|inet cnm any_ranges_v4\n" + who +
                      "forward 10.1.0.5|inet cnm forward_v4\n" + who +
                      "masquerade neighbours of 10.1.0.5|inet cnm hairpin-10.1.0.0/24\n" + who +
                      "masquerade neighbours of 2001:db8:1::5|inet cnm hairpin-2001_db8_1__/64\n"
                      "||isolate bridge cni0|inet cnm isolated_bridges\n" +
                      who + "masquerade 10.1.0.5|inet cnm masquerade-10.1.0.0/24\n" + who +
                      "[2001:db8::1]:53/tcp -> [2001:db8:1::5]:5353|inet cnm ports_v6\n" + who +
                      "spoof guard veth0 02:00:00:00:00:01|bridge cnm guarded_pairs\n");
  EXPECT_EQ(firewall->RemoveByOwner(kOwnerA), 9U);
}

}  // namespace
}  // namespace cnm::firewall
