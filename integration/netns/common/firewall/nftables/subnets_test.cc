// subnets_test.cc: what nftables keeps of subnets, and when it goes.
#include <sys/wait.h>
#include <unistd.h>

#include <string>
#include <vector>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "common/firewall/nftables/nftables.h"
#include "integration/netns/common/firewall/nftables/nftables_netns.h"

namespace cnm::firewall {
namespace {

using testing::Shell;

const std::vector<net::Prefix> kSubnets = {Cidr("192.0.2.0/24"), Cidr("2001:db8:1::/64"),
                                           Cidr("203.0.113.0/24"), Cidr("198.51.100.0/24")};

/// What names a subnet of owner A's.
std::string Kept() {
  return Shell("nft list ruleset | grep -E '192\\.0\\.2|2001.db8.1' || true");
}

TEST_F(NftablesNetns, ForgetsSubnetsWithoutAddresses) {
  const auto firewall = Make();
  Rules going = Publishing(kOwnerA, {Publish(8080, "192.0.2.5/24", 80)});
  going.masquerades = {{Cidr("192.0.2.5/24")}, {Cidr("2001:db8:1::5/64")}};
  const Rules staying = Masquerading(kOwnerB, {"203.0.113.5/24"});
  firewall->Add(going);
  firewall->Add(staying);
  firewall->ForgetSubnets(kSubnets);
  firewall->Verify(going);
  firewall->Remove(going);
  EXPECT_NE(Kept(), "");
  firewall->ForgetSubnets(kSubnets);
  EXPECT_EQ(Kept(), "");
  firewall->Verify(staying);
  firewall->ForgetSubnets(kSubnets);
  firewall->Add(going);
  firewall->Verify(going);
  EXPECT_NE(Shell("nft list chain inet cnm postrouting | grep '@masquerade-192.0.2.0/24'"), "");
}

TEST_F(NftablesNetns, KeepsASubnetThatTheOperatorLooksInto) {
  const auto firewall = Make();
  const Rules rules = Masquerading(kOwnerA, {"192.0.2.5/24"});
  firewall->Add(rules);
  Shell("nft 'add chain inet cnm mine; add rule inet cnm mine ip saddr @masquerade-192.0.2.0/24'");
  firewall->Remove(rules);
  const std::string before = Kept();
  firewall->ForgetSubnets(kSubnets);
  EXPECT_EQ(Kept(), before);
}

TEST_F(NftablesNetns, NobodyLosesASubnetThatIsForgottenMeanwhile) {
  std::vector<pid_t> children;
  for (int i = 0; i < 4; ++i) {
    const pid_t pid = ::fork();
    if (pid == 0) {
      const std::string source = fmt::format("192.0.2.{}/24", i + 10);
      const std::string owner = fmt::format("{:016x}", i);
      const std::string error = ErrorOf([&] {
        for (int round = 0; round < 30; ++round) {
          const Rules rules = Masquerading(owner.c_str(), {source.c_str()});
          const auto firewall = MakeNftables({});
          firewall->Add(rules);
          firewall->Verify(rules);
          firewall->Remove(rules);
        }
      });
      if (!error.empty()) fmt::print(stderr, "{}\n", error);
      ::_exit(error.empty() ? 0 : 1);
    }
    children.push_back(pid);
  }
  const auto firewall = Make();
  while (!children.empty()) {
    firewall->ForgetSubnets(kSubnets);
    int status = 0;
    const pid_t ended = ::waitpid(-1, &status, WNOHANG);
    ASSERT_GE(ended, 0);
    if (ended == 0) continue;
    EXPECT_EQ(status, 0);
    std::erase(children, ended);
  }
  firewall->ForgetSubnets(kSubnets);
  EXPECT_EQ(Kept(), "");
}

}  // namespace
}  // namespace cnm::firewall
