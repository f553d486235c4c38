// whole_test.cc: the engine over the local driver and the default IPAM: killed at any instant, and
// sandboxes whose traffic passes.
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <memory>
#include <string>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "cnm/drivers/local/local_driver.h"
#include "cnm/engine/engine.h"
#include "cnm/pools/default_ipam.h"
#include "common/base/background.h"
#include "common/base/error.h"
#include "integration/support/fresh_netns.h"

namespace cnm::engine {
namespace {

using testing::Shell;

class EngineWhole : public testing::NetnsTest {
 protected:
  void SetUp() override {
    NetnsTest::SetUp();
    if (IsSkipped()) return;
    char path[] = "/tmp/engine-whole-XXXXXX";
    ASSERT_NE(::mkdtemp(path), nullptr);
    root_ = path;
  }
  void TearDown() override {
    engine_.reset();
    if (root_.empty()) return;
    testing::Succeeds(fmt::format("umount {}/netns/*", root_));
    std::filesystem::remove_all(root_);
  }

  void Start() {
    engine_.reset();
    EngineOptions options;
    options.runtime_directory = root_ + "/run";
    options.durable_directory = root_ + "/lib";
    options.files_directory = root_ + "/files";
    options.netns_directory = root_ + "/netns";
    options.drivers = {std::make_shared<local::LocalDriver>(
        local::LocalOptions{.paths = {.runtime = root_ + "/run"},
                            .durable_directory = root_ + "/lib",
                            .lease_directory = root_ + "/leases",
                            .born_in_sandbox = true,
                            .background = std::make_shared<Background>(2)})};
    options.ipams = {std::make_shared<pools::DefaultIpam>(pools::DefaultIpamOptions{
        .durable_directory = root_ + "/lib", .leases_directory = root_ + "/leases"})};
    engine_ = std::make_unique<Engine>(options);
  }
  std::string MakeNetwork() {
    NetworkSpec spec;
    spec.name = "blue";
    spec.type = "bridge";
    PoolConfig pool;
    pool.preferred_pool = "192.0.2.0/24";
    spec.ipv4 = {pool};
    return engine_->CreateNetwork(spec);
  }
  std::string MakeEndpoint(const std::string& network, const std::string& name) {
    EndpointSpec spec;
    spec.name = name;
    spec.port_bindings = {{.protocol = 6, .port = 80}};
    return engine_->CreateEndpoint(network, spec);
  }
  std::string MakeSandbox(const std::string& container) {
    return engine_->CreateSandbox({.container_id = container, .host_name = container});
  }
  bool Pings(const std::string& sandbox, const std::string& address) {
    return testing::Succeeds(
        fmt::format("nsenter --net={} ping -c1 -W5 {}", engine_->GetSandbox(sandbox).key, address));
  }
  void Cycle() {
    const std::string network = MakeNetwork();
    const std::string endpoint = MakeEndpoint(network, "web");
    const std::string sandbox = MakeSandbox("c-web");
    engine_->Join(network, endpoint, sandbox);
    engine_->Leave(network, endpoint, sandbox);
    engine_->DeleteSandbox(sandbox);
    engine_->DeleteEndpoint(network, endpoint);
    engine_->DeleteNetwork(network);
  }
  /// Runs cycles in a process that is killed after so long.
  void KilledAfter(useconds_t delay) {
    engine_.reset();
    const pid_t child = ::fork();
    if (child == 0) {
      Start();
      for (;;) Cycle();
    }
    ::usleep(delay);  // the moment is the subject, whichever it hits
    ::kill(child, SIGKILL);
    ::waitpid(child, nullptr, 0);
  }
  void TakeDown() {
    for (const SandboxInfo& sandbox : engine_->Sandboxes()) engine_->DeleteSandbox(sandbox.id);
    for (const EndpointInfo& endpoint : engine_->Endpoints()) {
      engine_->DeleteEndpoint(endpoint.network_id, endpoint.id);
    }
    for (const NetworkInfo& network : engine_->Networks()) engine_->DeleteNetwork(network.id);
  }
  /// What names an object of ours anywhere, a line each.
  std::string Leftovers() const {
    return Shell(fmt::format(
        "cd {} && find netns files run/endpoints run/engine-* lib/engine-* lib/bridge-networks "
        "leases -type f ! -name '.*' ! -name 'last_reserved*' ! -name lock 2>/dev/null | sort; "
        "ip -o link | cut -d: -f2 | grep -v ' lo' | sort; nft list ruleset | grep -E "
        "'elements.*192.0.2'; "
        "true",
        root_));
  }

  std::string root_;
  std::unique_ptr<Engine> engine_;
};

TEST_F(EngineWhole, TrafficPassesAlsoAfterAStart) {
  Start();
  const std::string network = MakeNetwork();
  const std::string web = MakeSandbox("c-web");
  const std::string db = MakeSandbox("c-db");
  const std::string endpoint = MakeEndpoint(network, "web");
  const std::string other = MakeEndpoint(network, "db");
  engine_->Join(network, endpoint, web);
  engine_->Join(network, other, db);
  const std::string address =
      engine_->GetEndpoint(network, other).interface.address->address.ToString();
  EXPECT_TRUE(Pings(web, address));
  const std::string known = engine_->DriverInfo(network, endpoint);
  Start();
  EXPECT_TRUE(Pings(web, address));
  EXPECT_EQ(engine_->DriverInfo(network, endpoint), known);
  engine_->Leave(network, endpoint, web);
  EXPECT_FALSE(testing::Succeeds(
      fmt::format("nsenter --net={} ip link show eth0", engine_->GetSandbox(web).key)));
  TakeDown();
  EXPECT_EQ(Leftovers(), "");
}

TEST_F(EngineWhole, KilledAtAnyMomentEverythingCanBeTakenDown) {
  for (useconds_t delay = 20'000; delay < 400'000; delay += 13'000) {
    KilledAfter(delay);
    Start();
    TakeDown();
    EXPECT_EQ(Leftovers(), "") << "killed after " << delay << " us";
    if (HasFailure()) return;
  }
  Cycle();
}

}  // namespace
}  // namespace cnm::engine
