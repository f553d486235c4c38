// sandbox_test.cc: sandboxes: the host's own, those that a runtime brings, refreshed ones.
#include <fstream>
#include <string>
#include <thread>
#include <vector>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "cnm/engine/set_key.h"
#include "integration/netns/cnm/engine/fakes.h"

namespace cnm::engine {
namespace {

using testing::Shell;

class EngineSandbox : public EngineNetns {
 protected:
  std::string MakeExternal(const std::string& container) {
    SandboxSpec spec;
    spec.container_id = container;
    spec.use_external_key = true;
    return engine_->CreateSandbox(spec);
  }
};

TEST_F(EngineSandbox, EndpointsJoinBeforeAndAfterTheKeyIsSet) {
  const std::string blue = MakeNetwork("blue");
  const std::string red = MakeNetwork("red");
  const std::string sandbox = MakeExternal("c-web");
  const std::string first = MakeEndpoint(blue, "web");
  engine_->Join(blue, first, sandbox);
  EXPECT_EQ(MessageOf([&] { engine_->SetKey(sandbox, ""); }), "invalid sandbox key");
  EXPECT_NE(MessageOf([&] { engine_->SetKey(sandbox, root_); }), "");
  const testing::OtherNetns container;
  engine_->SetKey(sandbox, container.path());
  EXPECT_EQ(LinksOf(sandbox), "eth0 lo");
  EXPECT_EQ(DefaultGateway(sandbox), engine_->GetEndpoint(blue, first).gateway->ToString());
  EXPECT_TRUE(testing::Succeeds(
      container.Inside("ping -c1 -W5 " + engine_->GetEndpoint(blue, first).gateway->ToString())));
  EXPECT_EQ(MessageOf([&] { engine_->SetKey(sandbox, container.path()); }),
            "failed to set sandbox key : already assigned");
  engine_->Join(red, MakeEndpoint(red, "web"), sandbox);
  EXPECT_EQ(LinksOf(sandbox), "eth0 eth1 lo");
  engine_->DeleteSandbox(sandbox);
  EXPECT_EQ(Shell(container.Inside("ip -o link | wc -l")), "1");
}

TEST_F(EngineSandbox, TheHookBringsTheKey) {
  const std::string net = MakeNetwork("blue");
  const std::string sandbox = MakeExternal("c-web");
  engine_->Join(net, MakeEndpoint(net, "web"), sandbox);
  const SetKeyListener listener(*engine_);
  const testing::OtherNetns container;
  const std::string state =
      fmt::format(R"({{"id":"c-web","namespace_paths":{{"NEWNET":"{}"}}}})", container.path());
  const auto run = [&](const std::string& id) {
    return MessageOf([&] {
      RunSetKey({"-exec-root=" + root_ + "/run", id, engine_->id()}, state);
    });
  };
  EXPECT_EQ(run("nobody"),
            "failed to set the key of container nobody: no sandbox present for nobody");
  EXPECT_EQ(run("c-web"), "");
  EXPECT_EQ(LinksOf(sandbox), "eth0 lo");
  EXPECT_EQ(run("c-web"),
            "failed to set the key of container c-web: failed to set sandbox key : already "
            "assigned");
  EXPECT_EQ(Shell("stat -c %a " + SetKeyPath(root_ + "/run", engine_->id())), "600");
  EXPECT_NE(MessageOf([&] { RunSetKey({"c-web"}, state); }), "");
}

TEST_F(EngineSandbox, HostSandboxesShareOneMount) {
  SandboxSpec spec;
  spec.container_id = "c-one";
  spec.use_default_sandbox = true;
  const std::string one = engine_->CreateSandbox(spec);
  spec.container_id = "c-two";
  const std::string two = engine_->CreateSandbox(spec);
  const std::string key = engine_->GetSandbox(two).key;
  EXPECT_EQ(engine_->GetSandbox(one).key, key);
  EXPECT_EQ(key, root_ + "/netns/default");
  const std::string host = Shell("stat -Lc %i /proc/self/ns/net");
  EXPECT_EQ(Shell("stat -c %i " + key), host);
  engine_->DeleteSandbox(one);
  EXPECT_EQ(Shell("stat -c %i " + key), host);
  EXPECT_EQ(Shell(fmt::format("grep -c {} /proc/self/mountinfo", key)), "1");
  engine_->DeleteSandbox(two);
  EXPECT_FALSE(testing::Succeeds("test -e " + key));
}

TEST_F(EngineSandbox, FilesAreCopiesOfTheOriginsOrBuiltAndGo) {
  std::ofstream(root_ + "/origin") << "nameserver 192.0.2.53\n";
  SandboxSpec spec;
  spec.container_id = "c-one";
  spec.origin_resolv_conf_path = root_ + "/origin";
  spec.extra_hosts = {{"db", "192.0.2.7"}};
  const std::string one = engine_->CreateSandbox(spec);
  const std::string directory = root_ + "/files/" + one;
  EXPECT_EQ(Shell("cat " + directory + "/resolv.conf"), "nameserver 192.0.2.53");
  EXPECT_NE(Shell("cat " + directory + "/hosts").find("192.0.2.7\tdb"), std::string::npos);
  spec = {};
  spec.container_id = "c-two";
  spec.hosts_path = root_ + "/hosts-of-two";
  spec.dns = {"192.0.2.54"};
  spec.dns_search = {"example"};
  const std::string two = engine_->CreateSandbox(spec);
  const std::string resolv = Shell(fmt::format("cat {}/files/{}/resolv.conf", root_, two));
  EXPECT_NE(resolv.find("nameserver 192.0.2.54"), std::string::npos) << resolv;
  EXPECT_NE(resolv.find("search example"), std::string::npos) << resolv;
  engine_->DeleteSandbox(one);
  engine_->DeleteSandbox(two);
  EXPECT_FALSE(testing::Succeeds("test -e " + directory));
  EXPECT_TRUE(testing::Succeeds("test -e " + root_ + "/hosts-of-two"));
}

TEST_F(EngineSandbox, AParentsHostsFileIsUpdated) {
  SandboxSpec spec;
  spec.container_id = "c-parent";
  spec.extra_hosts = {{"child", "192.0.2.7"}};
  const std::string parent = engine_->CreateSandbox(spec);
  spec = {};
  spec.container_id = "c-child";
  spec.parent_updates = {{"c-parent", "child", "192.0.2.8"}};
  engine_->CreateSandbox(spec);
  EXPECT_NE(Shell("cat " + HostsPath(parent)).find("192.0.2.8\tchild"), std::string::npos);
}

TEST_F(EngineSandbox, ARefreshJoinsEverybodyAgain) {
  const std::string net = MakeNetwork("blue");
  const std::string sandbox = MakeSandbox("c-web");
  const std::string endpoint = MakeEndpoint(net, "web");
  engine_->Join(net, endpoint, sandbox, {.priority = 4});
  SandboxSpec spec;
  spec.container_id = "ignored";
  spec.host_name = "renamed";
  engine_->Refresh(sandbox, spec);
  EXPECT_EQ(engine_->GetEndpoint(net, endpoint).sandbox_id, sandbox);
  EXPECT_EQ(engine_->GetSandbox(sandbox).container_id, "c-web");
  EXPECT_EQ(LinksOf(sandbox), "eth0 lo");
  EXPECT_NE(Shell("cat " + HostsPath(sandbox)).find("\trenamed"), std::string::npos);
}

TEST_F(EngineSandbox, ManyThreadsAtOnceLeaveNothing) {
  const std::string before = Leftovers();
  const std::string net = MakeNetwork("blue");
  std::vector<std::thread> threads;
  threads.reserve(6);
  for (int i = 0; i < 6; ++i) {
    threads.emplace_back([this, &net, i] {
      for (int round = 0; round < 4; ++round) {
        const std::string sandbox = MakeSandbox(fmt::format("c-{}", i));
        const std::string endpoint = MakeEndpoint(net, fmt::format("e-{}", i));
        engine_->Join(net, endpoint, sandbox);
        if (round % 2 == 0) engine_->Leave(net, endpoint, sandbox);
        engine_->DeleteSandbox(sandbox);
        engine_->DeleteEndpoint(net, endpoint);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  engine_->DeleteNetwork(net);
  EXPECT_EQ(Leftovers(), before);
}

}  // namespace
}  // namespace cnm::engine
