// nftables_test.cc: the nftables backend in a real kernel, judged by nft(8).
#include "common/firewall/nftables/nftables.h"

#include <sys/wait.h>
#include <unistd.h>

#include <memory>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "common/base/error.h"
#include "integration/netns/common/firewall/nftables/nftables_netns.h"
#include "integration/support/fresh_netns.h"

namespace cnm::firewall {
namespace {

using testing::Shell;
using testing::Succeeds;

TEST_F(NftablesNetns, ShowsItsRulesToPeople) {
  Rules rules = Masquerading(kOwnerA, {"192.0.2.5/24", "2001:db8::5/64", "10.1.2.3/20"});
  rules.spoof_guard = SpoofGuard{"veth0", kMac};
  Make()->Add(rules);
  EXPECT_EQ(Shell("nft list ruleset"), R"(table inet cnm {
	set masquerade-10.1.0.0/20 {
		type ipv4_addr
		elements = { 10.1.2.3 comment "aaaaaaaaaaaaaaaa blue" }
	}

	set masquerade-192.0.2.0/24 {
		type ipv4_addr
		elements = { 192.0.2.5 comment "aaaaaaaaaaaaaaaa blue" }
	}

	set masquerade-2001_db8__/64 {
		type ipv6_addr
		elements = { 2001:db8::5 comment "aaaaaaaaaaaaaaaa blue" }
	}

	chain schema_4 {
	}

	chain postrouting {
		type nat hook postrouting priority srcnat; policy accept;
		ip daddr 224.0.0.0/4 return
		ip6 daddr ff00::/8 return
		ip saddr @masquerade-10.1.0.0/20 ip daddr != 10.1.0.0/20 masquerade
		ip saddr @masquerade-192.0.2.0/24 ip daddr != 192.0.2.0/24 masquerade
		ip6 saddr @masquerade-2001_db8__/64 ip6 daddr != 2001:db8::/64 masquerade
	}
}
table bridge cnm {
	set guarded_links {
		type ifname
		elements = { "veth0" comment "aaaaaaaaaaaaaaaa blue" }
	}

	set guarded_pairs {
		type ifname . ether_addr
		elements = { "veth0" . 02:00:00:00:00:01 comment "aaaaaaaaaaaaaaaa blue" }
	}

	chain schema_4 {
	}

	chain prerouting {
		type filter hook prerouting priority dstnat; policy accept;
		iifname @guarded_links iifname . ether saddr != @guarded_pairs drop
	}
})");
  // What nft lists it can load.
  EXPECT_EQ(
      Shell(
          "nft list ruleset > /tmp/cnm-ruleset.$$; nft flush ruleset; nft -f /tmp/cnm-ruleset.$$; "
          "nft list ruleset | diff - /tmp/cnm-ruleset.$$; rm /tmp/cnm-ruleset.$$"),
      "");
}

TEST_F(NftablesNetns, AddsASecondOwnerWithoutAskingTheLedger) {
  Make()->Add(Masquerading(kOwnerA, {"192.0.2.5/24"}));
  const int before = ledger_reads_;
  Make()->Add(Masquerading(kOwnerB, {"192.0.2.6/24"}));
  Make()->Add(Masquerading(kOwnerB, {"198.51.100.6/24"}));
  EXPECT_EQ(ledger_reads_, before);
  EXPECT_EQ(Elements("inet cnm masquerade-192.0.2.0/24"),
            "192.0.2.5 aaaaaaaaaaaaaaaa blue\n192.0.2.6 bbbbbbbbbbbbbbbb blue");
  EXPECT_EQ(Elements("inet cnm masquerade-198.51.100.0/24"), "198.51.100.6 bbbbbbbbbbbbbbbb blue");
  EXPECT_EQ(Shell("nft list chain inet cnm postrouting | grep -c masquerade$"), "2");
}

TEST_F(NftablesNetns, AddsTwiceWhatIsItsOwn) {
  const auto firewall = Make();
  firewall->Add(Masquerading(kOwnerA, {"192.0.2.5/24"}));
  firewall->Add(Masquerading(kOwnerA, {"192.0.2.5/24", "192.0.2.6/24", "192.0.2.6/24"}));
  EXPECT_EQ(Elements("inet cnm masquerade-192.0.2.0/24"),
            "192.0.2.5 aaaaaaaaaaaaaaaa blue\n192.0.2.6 aaaaaaaaaaaaaaaa blue");
}

TEST_F(NftablesNetns, RefusesWhatALiveOwnerHasAndAddsNothing) {
  const auto firewall = Make();
  firewall->Add(Masquerading(kOwnerA, {"192.0.2.5/24"}));
  Code code = Code::kInternal;
  EXPECT_EQ(ErrorOf(
                [&] {
                  firewall->Add(Masquerading(kOwnerB, {"192.0.2.4/24", "192.0.2.5/24"}));
                },
                &code),
            "add masquerade 192.0.2.5: in use by aaaaaaaaaaaaaaaa blue");
  EXPECT_EQ(code, Code::kInUse);
  EXPECT_EQ(Elements("inet cnm masquerade-192.0.2.0/24"), "192.0.2.5 aaaaaaaaaaaaaaaa blue");
}

TEST_F(NftablesNetns, ReplacesWhatADeadOwnerHas) {
  const auto firewall = Make();
  firewall->Add(Masquerading(kOwnerA, {"192.0.2.5/24"}));
  dead_ = kOwnerA;
  firewall->Add(Masquerading(kOwnerB, {"192.0.2.5/24", "198.51.100.5/24"}));
  EXPECT_EQ(Elements("inet cnm masquerade-192.0.2.0/24"), "192.0.2.5 bbbbbbbbbbbbbbbb blue");
  EXPECT_EQ(Elements("inet cnm masquerade-198.51.100.0/24"), "198.51.100.5 bbbbbbbbbbbbbbbb blue");
  // The dead owner's late removal leaves its successor's.
  firewall->Remove(Masquerading(kOwnerA, {"192.0.2.5/24"}));
  EXPECT_EQ(Elements("inet cnm masquerade-192.0.2.0/24"), "192.0.2.5 bbbbbbbbbbbbbbbb blue");
}

TEST_F(NftablesNetns, LeavesTheSuccessorThatWasFasterAlone) {
  Make()->Add(Masquerading(kOwnerA, {"192.0.2.5/24"}));
  const auto late = MakeLate(Masquerading(kOwnerB, {"192.0.2.5/24"}));
  EXPECT_EQ(ErrorOf([&] { late->Add(Masquerading(kOwnerC, {"192.0.2.5/24"})); }),
            "add masquerade 192.0.2.5: in use by bbbbbbbbbbbbbbbb blue");
  EXPECT_EQ(Elements("inet cnm masquerade-192.0.2.0/24"), "192.0.2.5 bbbbbbbbbbbbbbbb blue");
}

TEST_F(NftablesNetns, RespectsAnElementOfUnknownOrigin) {
  const auto firewall = Make();
  firewall->Add(Masquerading(kOwnerA, {"192.0.2.5/24"}));
  Shell("nft add element inet cnm masquerade-192.0.2.0/24 '{ 192.0.2.7 }'");
  EXPECT_EQ(ErrorOf([&] { firewall->Add(Masquerading(kOwnerB, {"192.0.2.7/24"})); }),
            "add masquerade 192.0.2.7: in use by ");
}

TEST_F(NftablesNetns, BringsEveryLiveOwnerBackAfterAFlush) {
  Rules first = Masquerading(kOwnerA, {"192.0.2.5/24", "2001:db8::5/64"});
  first.spoof_guard = SpoofGuard{"veth0", kMac};
  Make()->Add(first);
  const std::string before = Shell("nft list ruleset");
  Shell("nft flush ruleset");
  live_ = {first};
  // The new owner's own, half-made record is in the ledger too.
  const Rules second = Masquerading(kOwnerB, {"198.51.100.5/24"});
  live_.push_back(second);
  Make()->Add(second);
  EXPECT_EQ(Elements("inet cnm masquerade-192.0.2.0/24"), "192.0.2.5 aaaaaaaaaaaaaaaa blue");
  EXPECT_EQ(Elements("inet cnm masquerade-198.51.100.0/24"), "198.51.100.5 bbbbbbbbbbbbbbbb blue");
  // A lost table that this Add has no need of waits for the next who does, or for Rebuild.
  Make()->Remove(second);
  Rebuild({first});
  EXPECT_EQ(Shell("nft list ruleset"), before);
}

TEST_F(NftablesNetns, FindsTheHolderAmongWhatItReplays) {
  live_ = {Masquerading(kOwnerA, {"192.0.2.5/24"})};
  EXPECT_EQ(ErrorOf([&] { Make()->Add(Masquerading(kOwnerB, {"192.0.2.5/24"})); }),
            "add masquerade 192.0.2.5: in use by aaaaaaaaaaaaaaaa blue");
  EXPECT_EQ(Shell("nft list ruleset"), "");
}

TEST_F(NftablesNetns, ReplacesATableOfAnOlderSchemaButNotTheOperatorsPart) {
  Shell(
      "nft 'table inet cnm { chain schema_1 { }; set masquerade-192.0.2.0/24 { type ipv4_addr; }; "
      "set mine { type ipv4_addr; }; chain user { ip saddr @mine drop; }; chain postrouting { type "
      "nat hook postrouting priority srcnat; ip saddr @masquerade-192.0.2.0/24 masquerade; }; }'");
  live_ = {Masquerading(kOwnerA, {"192.0.2.5/24"})};
  Make()->Add(Masquerading(kOwnerB, {"198.51.100.6/24"}));
  EXPECT_FALSE(Succeeds("nft list chain inet cnm schema_1"));
  EXPECT_TRUE(Succeeds("nft list chain inet cnm schema_4"));
  EXPECT_EQ(Shell("nft list chain inet cnm user | grep -c '@mine drop'"), "1");
  EXPECT_EQ(Elements("inet cnm masquerade-192.0.2.0/24"), "192.0.2.5 aaaaaaaaaaaaaaaa blue");
  EXPECT_EQ(Shell("nft list chain inet cnm postrouting | grep -c masquerade$"), "2");
}

TEST_F(NftablesNetns, AddsToANewerSchemaOnlyWhereTheSetsExist) {
  Shell(
      "nft 'table inet cnm { chain schema_7 { }; set masquerade-192.0.2.0/24 { type ipv4_addr; }; "
      "}'");
  Make()->Add(Masquerading(kOwnerA, {"192.0.2.5/24"}));
  EXPECT_EQ(Elements("inet cnm masquerade-192.0.2.0/24"), "192.0.2.5 aaaaaaaaaaaaaaaa blue");
  Code code = Code::kInternal;
  EXPECT_EQ(ErrorOf([&] { Make()->Add(Masquerading(kOwnerA, {"198.51.100.5/24"})); }, &code),
            "nftables table inet cnm: its schema is 7, this program knows 4");
  EXPECT_EQ(code, Code::kTryAgain);
  EXPECT_THROW(Make()->Rebuild(), Error);
  EXPECT_TRUE(Succeeds("nft list chain inet cnm schema_7"));
}

TEST_F(NftablesNetns, RemovesExactlyItsElements) {
  Rules rules = Masquerading(kOwnerA, {"192.0.2.5/24", "2001:db8::5/64"});
  rules.spoof_guard = SpoofGuard{"veth0", kMac};
  const auto firewall = Make();
  firewall->Add(Masquerading(kOwnerB, {"192.0.2.6/24"}));
  const std::string before = Shell("nft list table inet cnm");
  firewall->Add(rules);
  firewall->Remove(rules);
  firewall->Remove(rules);
  EXPECT_EQ(Elements("inet cnm masquerade-192.0.2.0/24"), "192.0.2.6 bbbbbbbbbbbbbbbb blue");
  EXPECT_EQ(Elements("inet cnm masquerade-2001_db8__/64"), "");
  EXPECT_EQ(Elements("bridge cnm guarded_links"), "");
  EXPECT_EQ(Elements("bridge cnm guarded_pairs"), "");
}

TEST_F(NftablesNetns, RemovesTheRestWhenSomeAreGone) {
  const Rules rules = Masquerading(kOwnerA, {"192.0.2.5/24", "192.0.2.6/24", "198.51.100.6/24"});
  const auto firewall = Make();
  firewall->Add(rules);
  Shell("nft delete element inet cnm masquerade-192.0.2.0/24 '{ 192.0.2.5 }'");
  firewall->Remove(rules);
  EXPECT_EQ(Elements("inet cnm masquerade-192.0.2.0/24"), "");
  EXPECT_EQ(Elements("inet cnm masquerade-198.51.100.0/24"), "");
  Shell("nft flush ruleset");
  firewall->Remove(rules);
}

TEST_F(NftablesNetns, RemovesByOwnerWithoutKnowingWhatThereIs) {
  Rules rules = Masquerading(kOwnerA, {"192.0.2.5/24", "2001:db8::5/64"});
  rules.spoof_guard = SpoofGuard{"veth0", kMac};
  const auto firewall = Make();
  EXPECT_EQ(firewall->RemoveByOwner(kOwnerA), 0U);
  firewall->Add(rules);
  firewall->Add(Masquerading(kOwnerB, {"192.0.2.6/24"}));
  EXPECT_EQ(firewall->RemoveByOwner("aaaa"), 0U);
  EXPECT_EQ(firewall->RemoveByOwner(kOwnerA), 4U);
  EXPECT_EQ(firewall->RemoveByOwner(kOwnerA), 0U);
  EXPECT_EQ(Elements("inet cnm masquerade-192.0.2.0/24"), "192.0.2.6 bbbbbbbbbbbbbbbb blue");
}

TEST_F(NftablesNetns, VerifiesWhatIsThere) {
  Rules rules = Masquerading(kOwnerA, {"192.0.2.5/24"});
  rules.spoof_guard = SpoofGuard{"veth0", kMac};
  const auto firewall = Make();
  EXPECT_EQ(ErrorOf([&] { firewall->Verify(rules); }),
            "masquerade 192.0.2.5: not in nftables set inet cnm masquerade-192.0.2.0/24");
  firewall->Add(rules);
  firewall->Verify(rules);
  rules.owner = kOwnerB;
  EXPECT_EQ(ErrorOf([&] { firewall->Verify(rules); }),
            "masquerade 192.0.2.5: nftables set inet cnm masquerade-192.0.2.0/24 gives it to "
            "aaaaaaaaaaaaaaaa blue");
  rules.owner = kOwnerA;
  Shell("nft flush set bridge cnm guarded_links");
  EXPECT_EQ(ErrorOf([&] { firewall->Verify(rules); }),
            "spoof guard veth0: not in nftables set bridge cnm guarded_links");
}

TEST_F(NftablesNetns, QuotesNoNetworkNameOutOfItsComment) {
  Rules rules = Masquerading(kOwnerA, {"192.0.2.5/24"});
  rules.network = "a\"b\\c" + std::string(300, 'x');
  const auto firewall = Make();
  firewall->Add(rules);
  EXPECT_EQ(Elements("inet cnm masquerade-192.0.2.0/24"),
            "192.0.2.5 aaaaaaaaaaaaaaaa a_b_c" + std::string(127 - 22, 'x'));
  EXPECT_EQ(firewall->RemoveByOwner(kOwnerA), 1U);
}

TEST_F(NftablesNetns, RebuildsThousandsOfOwnersAtOnce) {
  std::vector<Rules> live;
  for (unsigned i = 0; i < 5000; ++i) {
    live.push_back({.owner = fmt::format("{:016x}", i),
                    .network = "blue",
                    .masquerades = {{Cidr(fmt::format("10.1.{}.{}/16", i / 256, i % 256))}}});
  }
  const auto firewall = Make();
  Rebuild(live);
  EXPECT_EQ(
      Shell(
          "nft -j list set inet cnm masquerade-10.1.0.0/16 | jq '.nftables[1].set.elem | length'"),
      "5000");
  EXPECT_EQ(firewall->RemoveByOwner(live[4321].owner), 1U);
}

TEST_F(NftablesNetns, NeitherLosesNorRevivesWhoComesOrGoesWhileItRebuilds) {
  const Rules stays = Masquerading(kOwnerA, {"192.0.2.5/24"});
  const Rules comes = Masquerading(kOwnerB, {"192.0.2.6/24"});
  const Rules goes = Masquerading(kOwnerC, {"192.0.2.7/24"});
  Make()->Add(stays);
  Make()->Add(goes);
  std::vector<Rules> records = {stays, goes};
  const auto read_before_they_do = [&](std::string_view) {
    std::vector<Rules> old = records;
    if (old.back() == goes) {
      Make()->Add(comes);
      Make()->Remove(goes);
      records = {stays, comes};
    }
    return old;
  };
  MakeNftables({.live = read_before_they_do})->Rebuild();
  EXPECT_EQ(Elements("inet cnm masquerade-192.0.2.0/24"),
            "192.0.2.5 aaaaaaaaaaaaaaaa blue\n192.0.2.6 bbbbbbbbbbbbbbbb blue");
}

TEST_F(NftablesNetns, LosesNothingWhenManyStartAtOnce) {
  // Every process finds no table, and its ledger tells nothing of the others: only the generation
  // saves them.
  const int kProcesses = 16;
  std::vector<pid_t> children;
  for (int i = 0; i < kProcesses; ++i) {
    const pid_t pid = ::fork();
    if (pid == 0) {
      const std::string source = fmt::format("192.0.2.{}/24", i + 10);
      const std::string owner = fmt::format("{:016x}", i);
      const std::string error =
          ErrorOf([&] { MakeNftables({})->Add(Masquerading(owner.c_str(), {source.c_str()})); });
      ::_exit(error.empty() ? 0 : 1);
    }
    children.push_back(pid);
  }
  for (const pid_t child : children) {
    int status = -1;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    EXPECT_EQ(status, 0);
  }
  EXPECT_EQ(
      Shell(
          "nft -j list set inet cnm masquerade-192.0.2.0/24 | jq '.nftables[1].set.elem | length'"),
      std::to_string(kProcesses));
  EXPECT_EQ(Shell("nft list chain inet cnm postrouting | grep -c masquerade$"), "1");
}

}  // namespace
}  // namespace cnm::firewall
