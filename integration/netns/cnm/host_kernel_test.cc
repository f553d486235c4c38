// host_kernel_test.cc: links removed by a daemon, which lets others wait for the kernel.
#include "cnm/host_kernel.h"

#include <chrono>
#include <memory>
#include <string>

#include <gtest/gtest.h>

#include "common/base/error.h"
#include "integration/support/fresh_netns.h"

namespace cnm {
namespace {

using testing::Shell;
using testing::Succeeds;

class HostKernelNetns : public testing::NetnsTest {
 protected:
  static void MakePair(const testing::OtherNetns& sandbox) {
    Shell("ip link add v0 type veth peer name eth0 netns " + sandbox.path());
    Shell("ip link set v0 up; " + sandbox.Inside("ip link set eth0 up"));
  }
};

TEST_F(HostKernelNetns, ARemovedLinkIsGoneFromBothEndsWhenTheCallReturns) {
  const testing::OtherNetns sandbox;
  for (const bool daemon : {false, true}) {
    HostKernel kernel({}, daemon ? std::make_shared<Background>(1) : nullptr);
    for (int turn = 0; turn < 10; ++turn) {  // more removals than threads
      MakePair(sandbox);
      kernel.RemoveLink(kernel.links().GetLink("v0").ifindex);
      EXPECT_FALSE(Succeeds("ip link show v0"));
      EXPECT_FALSE(Succeeds(sandbox.Inside("ip link show eth0")));
    }
  }
}

TEST_F(HostKernelNetns, WhatIsGoneIsRemoved) {
  HostKernel kernel({}, std::make_shared<Background>(1));
  kernel.RemoveLink(4711);
}

TEST_F(HostKernelNetns, ARefusalIsTold) {
  HostKernel kernel({}, std::make_shared<Background>(1));
  const auto start = std::chrono::steady_clock::now();
  std::string refusal;
  try {
    kernel.RemoveLink(1);  // the loopback, which the kernel does not give away
  } catch (const Error& e) {
    refusal = e.message();
  }
  EXPECT_NE(refusal.find("Operation not supported"), std::string::npos) << refusal;
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(10))
      << "at once, not at a deadline";
}

}  // namespace
}  // namespace cnm
