// restore_test.cc: engines that end and start again: whole objects live on, half done ones vanish.
#include <sys/wait.h>
#include <unistd.h>

#include <fstream>
#include <string>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "integration/netns/cnm/engine/fakes.h"

namespace cnm::engine {
namespace {

using testing::Shell;

class EngineRestore : public EngineNetns {
 protected:
  /// The life of an endpoint, from a network to nothing.
  void Cycle() {
    const std::string net = MakeNetwork("blue");
    const std::string endpoint = MakeEndpoint(net, "web");
    const std::string sandbox = MakeSandbox("c-web");
    engine_->Join(net, endpoint, sandbox);
    engine_->Leave(net, endpoint, sandbox);
    engine_->DeleteSandbox(sandbox);
    engine_->DeleteEndpoint(net, endpoint);
    engine_->DeleteNetwork(net);
  }

  /// Runs the cycle in a process that dies in the driver's `call`th call. @returns false when it
  /// came to its end
  bool DiesIn(int call) {
    engine_.reset();
    const pid_t child = ::fork();
    if (child == 0) {
      Start();
      int calls = 0;
      bridge_->before = [&](const std::string&) {
        if (++calls == call) ::_exit(7);
      };
      Cycle();
      ::_exit(0);
    }
    int status = 0;
    ::waitpid(child, &status, 0);
    EXPECT_TRUE(WIFEXITED(status));
    EXPECT_TRUE(WEXITSTATUS(status) == 7 || WEXITSTATUS(status) == 0) << status;
    return WEXITSTATUS(status) == 7;
  }

  /// What stands after a start is whole, and can be taken down.
  void TakeDown() {
    for (const SandboxInfo& sandbox : engine_->Sandboxes()) engine_->DeleteSandbox(sandbox.id);
    for (const EndpointInfo& endpoint : engine_->Endpoints()) {
      EXPECT_EQ(endpoint.sandbox_id, "");
      engine_->DeleteEndpoint(endpoint.network_id, endpoint.id);
    }
    for (const NetworkInfo& network : engine_->Networks()) engine_->DeleteNetwork(network.id);
  }
};

TEST_F(EngineRestore, ANewEngineGoesOnWithEverything) {
  const std::string before = Leftovers();
  const std::string net = MakeNetwork("blue");
  const std::string web = MakeSandbox("c-web");
  const std::string db = MakeSandbox("c-db");
  const std::string endpoint = MakeEndpoint(net, "web");
  engine_->Join(net, endpoint, web, {.priority = 3});
  engine_->Join(net, MakeEndpoint(net, "db"), db);
  const std::string id = engine_->id();
  const EndpointInfo then = engine_->GetEndpoint(net, endpoint);
  Start();
  EXPECT_EQ(engine_->id(), id);
  const EndpointInfo now = engine_->GetEndpoint(net, endpoint);
  EXPECT_EQ(now.interface, then.interface);
  EXPECT_EQ(now.gateway, then.gateway);
  EXPECT_EQ(now.sandbox_id, web);
  EXPECT_EQ(engine_->GetSandbox(web).container_id, "c-web");
  EXPECT_TRUE(Pings(web, "db"));
  EXPECT_EQ(MessageOf([&] { MakeNetwork("blue"); }), "network with name blue already exists");
  // Changes go on where the last engine left off.
  const std::string third = MakeEndpoint(net, "third");
  EXPECT_NE(Shell("cat " + HostsPath(web)).find("\tthird"), std::string::npos);
  engine_->DeleteEndpoint(net, third);
  engine_->Leave(net, endpoint, web);
  EXPECT_EQ(LinksOf(web), "lo");
  TakeDown();
  EXPECT_EQ(Leftovers(), before);
}

TEST_F(EngineRestore, OneEngineServesADirectory) {
  EXPECT_EQ(MessageOf([&] { const Engine second(Options()); }),
            fmt::format("another engine serves {}/run", root_));
}

TEST_F(EngineRestore, KilledInAnyDriverCallLeavesNothingHalfDone) {
  const std::string before = Leftovers();
  int call = 1;
  while (DiesIn(call)) {
    Start();
    EXPECT_LE(engine_->Networks().size(), 1U) << "killed in call " << call;
    for (const EndpointInfo& endpoint : engine_->Endpoints()) {
      if (!endpoint.sandbox_id.empty()) {
        EXPECT_EQ(LinksOf(endpoint.sandbox_id), "eth0 lo") << "killed in call " << call;
      }
    }
    TakeDown();
    EXPECT_EQ(Leftovers(), before) << "killed in call " << call;
    ++call;
  }
  EXPECT_GT(call, 7);  // network, endpoint, join, program, revoke, leave, ...
}

TEST_F(EngineRestore, ASandboxWhoseNamespaceIsGoneGoes) {
  const std::string net = MakeNetwork("blue");
  const std::string web = MakeSandbox("c-web");
  const std::string endpoint = MakeEndpoint(net, "web");
  engine_->Join(net, endpoint, web);
  const std::string key = engine_->GetSandbox(web).key;
  engine_.reset();
  Shell("umount " + key + " && rm " + key);
  Start();
  EXPECT_TRUE(engine_->Sandboxes().empty());
  EXPECT_EQ(engine_->GetEndpoint(net, endpoint).sandbox_id, "");
  const std::string again = MakeSandbox("c-web");
  engine_->Join(net, endpoint, again);
  EXPECT_EQ(LinksOf(again), "eth0 lo");
}

TEST_F(EngineRestore, AHostsFileThatWasNotWrittenInTimeIsPutRight) {
  const std::string net = MakeNetwork("blue");
  const std::string web = MakeSandbox("c-web");
  engine_->Join(net, MakeEndpoint(net, "web"), web);
  MakeEndpoint(net, "db");
  engine_.reset();
  // As if killed before "db" was written and before somebody's lines were removed.
  Shell(fmt::format("sed -i '/db/d' {0} && printf '10.1.0.77\\tgone\\n192.0.2.9\\tmine\\n' >> {0}",
                    HostsPath(web)));
  Start();
  EXPECT_TRUE(Knows(web, "db"));
  EXPECT_TRUE(Knows(web, "web"));
  EXPECT_TRUE(Knows(web, "mine"));
  EXPECT_FALSE(Knows(web, "gone"));
}

TEST_F(EngineRestore, AnUnreadableRecordIsPutAsideAndTheOthersLive) {
  const std::string net = MakeNetwork("blue");
  engine_.reset();
  std::ofstream(root_ + "/lib/engine-networks/odd.json") << "{\"schema\":1,";
  Start();
  EXPECT_EQ(engine_->GetNetworkByName("blue").id, net);
  EXPECT_EQ(engine_->Networks().size(), 1U);
}

}  // namespace
}  // namespace cnm::engine
