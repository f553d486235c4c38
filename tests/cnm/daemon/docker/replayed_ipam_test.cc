// replayed_ipam_test.cc: what a restarted Docker daemon asks for again.
#include "cnm/daemon/docker/replayed_ipam.h"

#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <set>
#include <string>

#include <gtest/gtest.h>

#include "common/base/error.h"
#include "tests/cnm/daemon/docker/fake_drivers.h"
#include "tests/common/base/child_process.h"

namespace cnm::docker {
namespace {

net::Prefix PrefixOf(std::string_view text) {
  return net::Prefix::Parse(text).value();
}

class Replay : public DirectoryTest {
 protected:
  static constexpr char kPool[] = "LocalDefault/192.0.2.0/24";

  void SetUp() override {
    ipam_->pool = {.id = kPool, .pool = PrefixOf("192.0.2.0/24")};
    ipam_->given = PrefixOf("192.0.2.2/24");
  }
  /// As after a restart of our own daemon: all but the files is new.
  std::unique_ptr<ReplayedIpam> Open() {
    return std::make_unique<ReplayedIpam>(
        ipam_, ReplayedIpamOptions{.durable_directory = Path("durable"),
                                   .held = [this](const auto& address) {
                                     return held_.contains(address.ToString());
                                   }});
  }
  static engine::PoolSpec Spec() {
    return {.address_space = "LocalDefault", .pool = PrefixOf("192.0.2.0/24")};
  }

  static engine::NetworkConfig Blue() {
    return {.id = "blue",
            .options = {},
            .ipv4 = {{.address_space = "LocalDefault", .pool = PrefixOf("192.0.2.0/24")}}};
  }

  Diary diary_;
  std::shared_ptr<FakeIpam> ipam_ = std::make_shared<FakeIpam>(diary_);
  std::set<std::string> held_;
};

TEST_F(Replay, CountsAPoolOnceHoweverOftenDockerStarts) {
  Open()->RequestPool(Spec());
  EXPECT_TRUE(diary_.Take().starts_with("pool LocalDefault 192.0.2.0/24 all [cnm.request="));
  const auto after_kill = Open();
  for (int start = 0; start < 3; ++start) {
    after_kill->Activated();
    EXPECT_EQ(after_kill->RequestPool(Spec()).id, kPool);
    EXPECT_EQ(diary_.Take(), "");
  }
  after_kill->ReleasePool(kPool);
  EXPECT_EQ(diary_.Take(), std::string("release pool ") + kPool);
}

TEST_F(Replay, CountsASecondNetworkOfThePool) {
  const auto ipam = Open();
  ipam->RequestPool(Spec());
  ipam->RequestPool(Spec());
  diary_.Take();
  ipam->Activated();
  ipam->RequestPool(Spec());
  ipam->RequestPool(Spec());
  EXPECT_EQ(diary_.Take(), "");
  ipam->RequestPool(Spec());
  EXPECT_NE(diary_.Take(), "");
}

/// We were away when Docker started, so it replayed nothing: the next request for the pool is not
/// told from a replay before its network is created.
TEST_F(Replay, CountsANewNetworkOfAnUnclaimedPool) {
  const auto ipam = Open();
  ipam->RequestPool(Spec());
  ipam->RequestAddress(kPool, std::nullopt, {});
  ipam->AddNetwork(Blue());
  ipam->Activated();
  ipam->RequestPool(Spec());
  diary_.Take();
  engine::NetworkConfig red = Blue();
  red.id = "red";
  EXPECT_TRUE(ipam->AddNetwork(red));
  EXPECT_TRUE(diary_.Take().starts_with("pool LocalDefault 192.0.2.0/24 all [cnm.request="));
  EXPECT_FALSE(ipam->AddNetwork(red)) << "a repetition";
  ipam->RemoveNetwork("red");  // it could not be made, so Docker releases its pool
  ipam->ReleasePool(kPool);
  EXPECT_TRUE(ipam->Ended().empty()) << "blue has its own use of the pool";
  EXPECT_TRUE(ipam->Unattached().empty());
  diary_.Take();
  ipam->RequestPool(Spec());
  EXPECT_EQ(diary_.Take(), "") << "blue's is still to be claimed";
  ipam->RequestPool(Spec());
  EXPECT_NE(diary_.Take(), "");
  ipam->AddNetwork(red);
  EXPECT_EQ(diary_.Take(), "") << "counted when it was requested";
}

TEST_F(Replay, ForgetsWhatWasReleasedBeforeItWasClaimed) {
  const auto ipam = Open();
  ipam->RequestPool(Spec());
  ipam->Activated();
  ipam->ReleasePool(kPool);
  diary_.Take();
  ipam->RequestPool(Spec());
  EXPECT_NE(diary_.Take(), "");
}

TEST_F(Replay, CountsNothingThatFailed) {
  const auto ipam = Open();
  diary_.failure = Error(Code::kOverlap, "overlap");
  EXPECT_THROW(ipam->RequestPool(Spec()), Error);
  diary_.failure.reset();
  diary_.Take();
  ipam->Activated();
  ipam->RequestPool(Spec());
  EXPECT_NE(diary_.Take(), "");
}

TEST_F(Replay, AnswersARepeatedRequestWithTheSamePool) {
  const auto killed = Open();
  killed->RequestPool(Spec());
  const std::string asked = diary_.Take();
  const auto ipam = Open();
  EXPECT_EQ(ipam->RequestPool(Spec()).id, kPool);
  EXPECT_EQ(diary_.Take(), asked) << "the same request";
  ipam->RequestPool(Spec());
  EXPECT_NE(diary_.Take(), asked) << "another network";
  ipam->ReleasePool(kPool);
  ipam->ReleasePool(kPool);
  EXPECT_THROW(ipam->ReleasePool(kPool), Error) << "two uses in all";
}

TEST_F(Replay, CountsANewRequestOnceAddressesWereGiven) {
  const auto killed = Open();
  killed->RequestPool(Spec());
  const std::string asked = diary_.Take();
  killed->RequestAddress(kPool, std::nullopt, {});
  diary_.Take();
  Open()->RequestPool(Spec());
  EXPECT_NE(diary_.Take(), asked);
}

TEST_F(Replay, ReleasesAPoolThatDockerDidNotReceive) {
  const auto ipam = Open();
  ipam->RequestPool(Spec());
  diary_.Take();
  ipam->ReleaseForgotten(300);
  EXPECT_EQ(diary_.Take(), "");
  ipam->ReleaseForgotten(0);
  EXPECT_EQ(diary_.Take(), std::string("release pool ") + kPool);
  ipam->ReleaseForgotten(0);
  EXPECT_EQ(diary_.Take(), "");
}

TEST_F(Replay, ReleasesOnceWhatDockerDidNotReceiveBeforeItAskedAgain) {
  const auto ipam = Open();
  const std::map<std::string, std::string> gateway = {
      {engine::kRequestTypeLabel, engine::kGatewayLabel}};
  ipam->RequestPool(Spec());
  ipam->RequestPool(Spec());
  ipam->RequestAddress(kPool, std::nullopt, gateway);
  ipam->RequestAddress(kPool, std::nullopt, {});
  diary_.Take();
  for (int round = 0; round < 2; ++round) ipam->ReleaseForgotten(0);
  EXPECT_EQ(diary_.Take(), std::string("release pool ") + kPool);
  ipam->ReleasePool(kPool);
  EXPECT_THROW(ipam->ReleasePool(kPool), Error);
}

TEST_F(Replay, KeepsAPoolWhoseGatewayWasRequested) {
  const auto ipam = Open();
  ipam->RequestPool(Spec());
  ipam->RequestAddress(kPool, std::nullopt, {});
  diary_.Take();
  ipam->ReleaseForgotten(0);
  EXPECT_EQ(diary_.Take(), "");
}

TEST_F(Replay, ReleasesThePoolOfADeletedNetwork) {
  const auto ipam = Open();
  ipam->RequestPool(Spec());
  ipam->RequestAddress(kPool, std::nullopt, {});
  ipam->AddNetwork(Blue());
  EXPECT_TRUE(ipam->Has("blue"));
  ipam->RemoveNetwork("blue");
  diary_.Take();
  ipam->ReleaseForgotten(0);
  EXPECT_EQ(diary_.Take(), std::string("release pool ") + kPool);
}

/// By the name of the request, so that the driver can tell whether it was released before.
TEST_F(Replay, EndsAReleaseThatWasKilled) {
  const auto killed = Open();
  killed->RequestPool(Spec());
  const std::string asked = diary_.Take();
  const size_t name = asked.find("cnm.request=") + 12;
  const std::string request = asked.substr(name, asked.find(']') - name);
  ipam_->held = {request};
  diary_.failure = Error(Code::kIo, "killed here");
  EXPECT_THROW(killed->ReleasePool(kPool), Error);
  diary_.failure.reset();
  diary_.Take();
  EXPECT_TRUE(Open()->Ended().empty());
  EXPECT_EQ(diary_.Take(), std::string("release pool ") + kPool);
  EXPECT_TRUE(ipam_->held.empty());
  EXPECT_TRUE(Open()->Ended().empty());
  EXPECT_EQ(diary_.Take(), "");
}

TEST_F(Replay, TheLedgerDoesNotGrowWithTheNetworksThatWere) {
  const auto ipam = Open();
  ipam->RequestPool(Spec());  // a network that stays
  ipam->RequestAddress(kPool, std::nullopt, {});
  uintmax_t early = 0;
  for (int i = 0; i < 300; ++i) {
    ipam->RequestPool(Spec());
    ipam->RequestAddress(kPool, std::nullopt, {});
    EXPECT_TRUE(ipam->AddNetwork(Blue()));
    EXPECT_FALSE(ipam->AddNetwork(Blue())) << "a repetition";
    ipam->ReleasePool(kPool);
    ipam->RemoveNetwork("blue");
    if (i == 9) early = std::filesystem::file_size(Path("durable/docker/pools.json"));
  }
  EXPECT_EQ(std::filesystem::file_size(Path("durable/docker/pools.json")), early);
}

TEST_F(Replay, GivesAnAddressOfItsOwnEndpointsAgain) {
  const auto ipam = Open();
  diary_.failure = Error(Code::kInUse, "in use");
  held_ = {"192.0.2.7"};
  EXPECT_EQ(ipam->RequestAddress(kPool, net::Address::Parse("192.0.2.7"), {}),
            PrefixOf("192.0.2.7/24"));
  EXPECT_THROW(ipam->RequestAddress(kPool, net::Address::Parse("192.0.2.8"), {}), Error);
  EXPECT_THROW(ipam->RequestAddress(kPool, std::nullopt, {}), Error);
}

}  // namespace
}  // namespace cnm::docker
