// replayed_ipam_test.cc: what a restarted Docker daemon asks for again.
#include "cnm/daemon/docker/replayed_ipam.h"

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
    return std::make_unique<ReplayedIpam>(ipam_, Path("durable"), [this](const auto& address) {
      return held_.contains(address.ToString());
    });
  }
  static engine::PoolSpec Spec() {
    return {.address_space = "LocalDefault", .pool = PrefixOf("192.0.2.0/24")};
  }

  Diary diary_;
  std::shared_ptr<FakeIpam> ipam_ = std::make_shared<FakeIpam>(diary_);
  std::set<std::string> held_;
};

TEST_F(Replay, CountsAPoolOnceHoweverOftenDockerStarts) {
  Open()->RequestPool(Spec());
  EXPECT_EQ(diary_.Take(), "pool LocalDefault 192.0.2.0/24 all [] v6=false");
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
