// steps_test.cc: endpoints in steps, their process killed or failing after each of its own.
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <string>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "cnm/controller.h"
#include "cnm/drivers/bridge/driver.h"
#include "cnm/id.h"
#include "cnm/lease_source.h"
#include "common/base/error.h"
#include "integration/support/fresh_netns.h"

namespace cnm {
namespace {

using testing::Shell;
using testing::Succeeds;

constinit const bridge::BridgeDriver kBridge;
const EndpointKey kKey{"blue", "e1", ""};

class StepsTest : public testing::NetnsTest {
 protected:
  void SetUp() override {
    NetnsTest::SetUp();
    if (IsSkipped()) return;
    std::string name = std::filesystem::temp_directory_path() / "cnm-steps-XXXXXX";
    root_ = ::mkdtemp(name.data());
  }
  void TearDown() override {
    if (!root_.empty()) std::filesystem::remove_all(root_);
  }

  Controller Open() const {
    ControllerOptions options;
    options.paths.runtime = root_ + "/run";
    options.door = "api";
    options.drivers = {&kBridge};
    options.release_addresses = [](const std::string& journal) {
      LeaseSource::FromJournal(journal).Free();
    };
    return Controller(std::move(options));
  }
  Network Blue() const {
    return {"blue", NetworkId("blue"), "bridge",
            R"({"bridge":"br7","isGateway":true,"ipMasq":true})"};
  }
  /// Creates and joins, telling `observer` of each step.
  void CreateAndJoin(const Rollback::Observer& observer) const {
    LeaseSource source(
        {.data_dir = root_ + "/leases",
         .endpoint_id = kKey.container_id,
         .grants = {
             {{*net::Prefix::Parse("192.0.2.2/24"), net::Address::Parse("192.0.2.1")}, "blue"}}});
    EndpointSpec spec;
    spec.key = kKey;
    spec.observer = observer;
    Open().CreateEndpoint(Blue(), spec, &source);
    Open().Join(Blue(), {.key = kKey,
                         .sandbox_path = "/run/x",
                         .isolation = firewall::Isolation{.bridge = "br7"},
                         .observer = observer});
  }
  void ExpectNothing() const {
    Open().EndIsolation({.bridge = "br7"});
    EXPECT_EQ(Shell("ip -br link show type veth"), "");
    EXPECT_FALSE(Succeeds("nft list ruleset | grep -qE '192.0.2.2|\"br7\"'"));
    EXPECT_FALSE(std::filesystem::exists(root_ + "/leases/blue/192.0.2.2"));
    EXPECT_TRUE(Open().Endpoints().empty());
  }

  std::string root_;
};

TEST_F(StepsTest, AKillAfterAnyStepCanBeFinishedOrUndone) {
  for (int step = 1;; ++step) {
    const pid_t child = ::fork();
    if (child == 0) {
      int done = 0;
      CreateAndJoin([&](std::string_view) {
        if (++done == step) ::_exit(7);
      });
      ::_exit(0);
    }
    int status = 0;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    SCOPED_TRACE(fmt::format("killed after step {}", step));
    if (WEXITSTATUS(status) == 0) {
      EXPECT_GT(step, 4) << "there are more steps than that";
      Open().DeleteEndpoint(kKey);
      return ExpectNothing();
    }
    if (step % 2 == 0) {
      Open().Reconcile({.door = "api", .forgotten = [](const Endpoint&) { return true; }});
    } else {
      Open().Leave(kKey);
      Open().DeleteEndpoint(kKey);
    }
    ExpectNothing();
  }
}

TEST_F(StepsTest, AJoinGoesOnAfterAKilledOne) {
  const pid_t child = ::fork();
  if (child == 0) {
    CreateAndJoin([](std::string_view what) {
      if (what == "veth") ::_exit(7);
    });
    ::_exit(0);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  ASSERT_EQ(WEXITSTATUS(status), 7);
  const Endpoint joined = Open().Join(Blue(), {.key = kKey, .sandbox_path = "/run/y"});
  EXPECT_EQ(joined.state, EndpointState::kReady);
  EXPECT_TRUE(Succeeds("ip link show " + joined.host_link->peer));
  EXPECT_TRUE(Open().Leave(kKey));
  EXPECT_FALSE(Open().Leave(kKey));
  EXPECT_TRUE(Open().DeleteEndpoint(kKey));
  ExpectNothing();
}

TEST_F(StepsTest, AFailureAfterAnyStepIsUndone) {
  for (int step = 1;; ++step) {
    int done = 0;
    bool created = false;
    try {
      CreateAndJoin([&](std::string_view what) {
        if (what == "rules") created = true;
        if (++done == step) throw Error(Code::kInternal, "injected");
      });
      EXPECT_GT(step, 4);
      Open().DeleteEndpoint(kKey);
      return ExpectNothing();
    } catch (const Error& e) {
      ASSERT_EQ(e.message(), "injected");
    }
    SCOPED_TRACE(fmt::format("failed after step {}", step));
    EXPECT_EQ(Shell("ip -br link show type veth"), "");
    const std::optional<Endpoint> left = Open().FindEndpoint(kKey);
    if (created) {
      ASSERT_TRUE(left);
    }
    if (left) {
      EXPECT_EQ(left->state, EndpointState::kCreated);
      EXPECT_FALSE(HasLinksOrRules(*left));
      Open().DeleteEndpoint(kKey);
    }
    ExpectNothing();
  }
}

}  // namespace
}  // namespace cnm
