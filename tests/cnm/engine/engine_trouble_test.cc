// engine_trouble_test.cc: an engine whose callers come at once, and whose drivers and disk fail.
#include <algorithm>
#include <atomic>
#include <chrono>
#include <filesystem>
#include <string>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include "cnm/engine/engine.h"
#include "common/base/atomic_file.h"
#include "common/base/error.h"
#include "tests/cnm/engine/scripted.h"

namespace cnm::engine {
namespace {

constexpr char kGatewayNetwork[] = "docker_gwbridge";

class EngineTrouble : public EngineTest {
 protected:
  /// A network whose sandboxes need the gateway network.
  std::string MakeRemote() {
    script_.no_gateway = engine_->CreateNetwork(BlueSpec());
    return script_.no_gateway;
  }
  std::string MakeEndpoint(const std::string& network, const std::string& name) {
    EndpointSpec spec;
    spec.name = name;
    return engine_->CreateEndpoint(network, spec);
  }
  static bool FileExists(const std::string& path) { return std::filesystem::exists(path); }
  /// kInternal when nothing is refused.
  template <class Call>
  static Code CodeOf(const Call& call) {
    try {
      call();
    } catch (const Error& error) {
      return error.code();
    }
    return Code::kInternal;
  }
  /// The same network, without endpoints.
  std::string EmptyNetwork(const std::string& network) {
    for (const EndpointInfo& endpoint : engine_->Endpoints(network)) {
      engine_->DeleteEndpoint(network, endpoint.id);
    }
    return network;
  }
  std::vector<EndpointInfo> GatewayEndpoints() {
    return engine_->Endpoints(engine_->GetNetworkByName(kGatewayNetwork).id);
  }
};

TEST_F(EngineTrouble, DeletingAGatewayEndpointMeanwhileEndsNobody) {
  const std::string net = MakeRemote();
  const std::string endpoint = MakeEndpoint(net, "web");
  const std::string sandbox = MakeSandbox();
  engine_->Join(net, endpoint, sandbox);
  engine_->Leave(net, endpoint, sandbox);
  const std::string gateways = engine_->GetNetworkByName(kGatewayNetwork).id;
  std::atomic<bool> done = false;
  std::thread deleting([&] {
    while (!done) {
      for (const EndpointInfo& gateway : engine_->Endpoints(gateways)) {
        if (!gateway.sandbox_id.empty()) continue;
        try {
          engine_->DeleteEndpoint(gateways, gateway.id);
        } catch (const Error&) {  // it has gone, or joined
        }
      }
    }
  });
  for (int i = 0; i < 40; ++i) {
    EXPECT_NO_THROW(engine_->Join(net, endpoint, sandbox)) << i;
    EXPECT_NO_THROW(engine_->Leave(net, endpoint, sandbox)) << i;
  }
  done = true;
  deleting.join();
  EXPECT_TRUE(GatewayEndpoints().empty());
}

TEST_F(EngineTrouble, AGatewayEndpointThatIsSentAwayIsMadeAnew) {
  const std::string net = MakeRemote();
  const std::string first = MakeEndpoint(net, "web");
  const std::string second = MakeEndpoint(net, "db");
  const std::string sandbox = MakeSandbox();
  engine_->Join(net, first, sandbox);
  for (int i = 0; i < 5; ++i) {
    const std::vector<EndpointInfo> before = GatewayEndpoints();
    ASSERT_EQ(before.size(), 1U) << i;
    engine_->Leave(before[0].network_id, before[0].id, sandbox);
    const std::vector<EndpointInfo> after = GatewayEndpoints();
    ASSERT_EQ(after.size(), 1U) << i;
    EXPECT_NE(after[0].id, before[0].id);
    EXPECT_EQ(after[0].name, "gateway_c1");
    EXPECT_EQ(after[0].sandbox_id, sandbox);
  }
  engine_->Join(net, second, sandbox);
}

TEST_F(EngineTrouble, AFailedJoinIsForgottenAlsoIfTheDriverCannotLeave) {
  const std::string net = engine_->CreateNetwork(BlueSpec());
  const std::string endpoint = MakeEndpoint(net, "web");
  const std::string sandbox = MakeSandbox();
  script_.fails = "join";
  script_.fails_too = "leave";
  EXPECT_THROW(engine_->Join(net, endpoint, sandbox), Error);
  EXPECT_EQ(engine_->GetEndpoint(net, endpoint).sandbox_id, "");
  script_.fails.clear();
  engine_->Join(net, endpoint, sandbox);
  EXPECT_EQ(engine_->GetSandbox(sandbox).endpoint_ids, std::vector<std::string>{endpoint});
}

TEST_F(EngineTrouble, ANetworkWhoseDeletionCannotBeWrittenStays) {
  const std::string net = engine_->CreateNetwork(BlueSpec());
  const std::string records = root_ + "/lib/engine-networks";
  std::filesystem::rename(records, root_ + "/aside");
  WriteFileAtomic(records, "in the way", Durability::kVolatile);
  EXPECT_THROW(engine_->DeleteNetwork(net), Error);
  EXPECT_EQ(engine_->Networks().size(), 1U);
  std::filesystem::remove(records);
  std::filesystem::rename(root_ + "/aside", records);
  ASSERT_NO_THROW(engine_->DeleteNetwork(net));
  engine_->CreateNetwork(BlueSpec());
}

/// As if killed between the release of the pools and the removal of the record.
TEST_F(EngineTrouble, AnEndedReleaseOfPoolsIsNotRepeated) {
  const std::string net = engine_->CreateNetwork(BlueSpec());
  const std::string record = fmt::format("{}/lib/engine-networks/{}.json", root_, net);
  std::string text = ReadFile(record).value();
  text.insert(text.find('{') + 1, "\"pending\":true,");
  engine_->DeleteNetwork(net);
  EXPECT_TRUE(script_.requests.empty());
  engine_.reset();
  WriteFileAtomic(record, text, Durability::kVolatile);
  script_.log.clear();
  Start();
  EXPECT_TRUE(engine_->Networks().empty());
  EXPECT_FALSE(std::filesystem::exists(record));
  // Nothing is given back but what the search for a forgotten pool was given by this allocator.
  EXPECT_EQ(std::ranges::count(script_.log, "release 192.0.2.1"), 0);
  EXPECT_EQ(std::ranges::count(script_.log, "release 192.0.2.9"), 0);
}

TEST_F(EngineTrouble, NamesThatNoFileCanHaveAreRefused) {
  NetworkSpec spec = BlueSpec();
  spec.name = std::string(65, 'n');
  EXPECT_EQ(CodeOf([&] { engine_->CreateNetwork(spec); }), Code::kConfig);
  spec.name.pop_back();
  const std::string net = engine_->CreateNetwork(spec);
  EXPECT_EQ(CodeOf([&] { MakeEndpoint(net, std::string(254, 'e')); }), Code::kConfig);
  EXPECT_NO_THROW(MakeEndpoint(net, std::string(253, 'e')));
}

TEST_F(EngineTrouble, AForgetfulIpamIsAskedForTheSamePools) {
  script_.replays = true;
  NetworkSpec spec = BlueSpec();
  spec.ipv4[0].sub_pool = "192.0.2.128/25";  // the router is outside, so nobody's to give
  engine_->CreateNetwork(spec);
  const Log created = script_.log;
  EXPECT_EQ(created[0], "pool 192.0.2.0/24 192.0.2.128/25");
  script_.log.clear();
  Start();
  EXPECT_EQ(script_.log, created);
}

/// A plugin whose socket takes connections and answers nobody.
TEST_F(EngineTrouble, AStartDoesNotWaitForADeadPlugin) {
  NetworkSpec spec = BlueSpec();
  spec.type = "plugin";
  plugin_.set_value(std::make_shared<ScriptedDriver>(&script_));
  const std::string net = engine_->CreateNetwork(spec);
  const std::string web = MakeEndpoint(net, "web");
  const std::string record = fmt::format("{}/run/engine-endpoints/{}.json", root_, web);
  std::string half = ReadFile(record).value();
  half.insert(half.find('{') + 1, "\"pending\":true,");
  engine_.reset();
  WriteFileAtomic(record, half, Durability::kVolatile);
  script_.log.clear();
  plugin_ = {};
  found_ = plugin_.get_future().share();
  const auto begin = std::chrono::steady_clock::now();
  Start();
  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(10));
  EXPECT_EQ(engine_->Networks().size(), 1U);
  EXPECT_EQ(script_.log, Log()) << "nobody was told yet";
  EXPECT_TRUE(FileExists(record)) << "it is undone when the plugin can be told";
  plugin_.set_value(std::make_shared<ScriptedDriver>(&script_));
  MakeEndpoint(net, "db");
  ASSERT_GE(script_.log.size(), 3U);
  EXPECT_EQ(script_.log[0], "address 192.0.2.2") << "the plugin's network, our allocator";
  EXPECT_EQ(script_.log[1], "create network blue");
  EXPECT_EQ(script_.log[2], "delete endpoint");
  EXPECT_FALSE(FileExists(record));
  EXPECT_EQ(std::ranges::count(script_.log, "create network blue"), 1);
  engine_->DeleteNetwork(EmptyNetwork(net));
}

TEST_F(EngineTrouble, APluginThatAnswersIsToldAtTheStart) {
  NetworkSpec spec = BlueSpec();
  spec.type = "plugin";
  plugin_.set_value(std::make_shared<ScriptedDriver>(&script_));
  engine_->CreateNetwork(spec);
  script_.log.clear();
  Start();
  EXPECT_EQ(script_.log, Log({"create network blue"}));
}

class PluginIpam : public ScriptedIpam {
 public:
  using ScriptedIpam::ScriptedIpam;
  std::string name() const override { return "plugin"; }
};

TEST_F(EngineTrouble, WhatAGoneIpamHasPartOfIsDeletedByForceAlone) {
  plugin_ipam_ = std::make_shared<PluginIpam>(&script_);
  Start();
  NetworkSpec spec = BlueSpec();
  spec.ipam = "plugin";
  const std::string net = engine_->CreateNetwork(spec);
  const std::string web = MakeEndpoint(net, "web");
  plugin_ipam_.reset();
  Start();
  EXPECT_THROW(engine_->DeleteEndpoint(net, web), Error);
  EXPECT_THROW(engine_->DeleteNetwork(net), Error);
  for (int again = 0; again < 2; ++again) {
    EXPECT_EQ(CodeOf([&] { MakeEndpoint(net, "db"); }), Code::kConfig) << "its name is free";
  }
  EXPECT_EQ(engine_->Endpoints(net).size(), 1U);
  engine_->DeleteEndpoint(net, web, true);
  EXPECT_EQ(CodeOf([&] { engine_->DeleteNetwork(net); }), Code::kConfig);
  EXPECT_EQ(engine_->Networks().size(), 1U) << "refused before anything was changed";
  engine_->DeleteNetwork(net, true);
  EXPECT_NO_THROW(engine_->CreateNetwork(BlueSpec()));
}

/// As if killed while it was made.
TEST_F(EngineTrouble, ACreationIsUndoneWhenItsIpamAnswersAgain) {
  plugin_ipam_ = std::make_shared<PluginIpam>(&script_);
  Start();
  NetworkSpec spec = BlueSpec();
  spec.ipam = "plugin";
  const std::string net = engine_->CreateNetwork(spec);
  const std::string record = fmt::format("{}/lib/engine-networks/{}.json", root_, net);
  std::string half = ReadFile(record).value();
  half.insert(half.find('{') + 1, "\"pending\":true,");
  engine_.reset();
  WriteFileAtomic(record, half, Durability::kVolatile);
  plugin_ipam_.reset();
  Start();
  EXPECT_TRUE(engine_->Networks().empty());
  EXPECT_EQ(CodeOf([&] { engine_->CreateNetwork(BlueSpec()); }), Code::kExists);
  plugin_ipam_ = std::make_shared<PluginIpam>(&script_);
  EXPECT_NO_THROW(engine_->CreateNetwork(BlueSpec()));
  EXPECT_FALSE(FileExists(record));
}

TEST_F(EngineTrouble, ANetworkWhoseDriverIsGoneIsDeletedByForceAlone) {
  NetworkSpec spec = BlueSpec();
  spec.type = "plugin";
  plugin_.set_value(std::make_shared<ScriptedDriver>(&script_));
  const std::string net = engine_->CreateNetwork(spec);
  plugin_ = {};
  plugin_.set_value(nullptr);
  found_ = plugin_.get_future().share();
  Start();
  EXPECT_EQ(CodeOf([&] { engine_->DeleteNetwork(net); }), Code::kNotFound);
  EXPECT_EQ(engine_->Networks().size(), 1U);
  script_.log.clear();
  engine_->DeleteNetwork(net, true);
  EXPECT_EQ(std::ranges::count(script_.log, "release pool 192.0.2.0/24"), 1) << "our own";
  EXPECT_NO_THROW(engine_->CreateNetwork(BlueSpec()));
}

TEST_F(EngineTrouble, NamesThatNoHostsFileCanHaveAreRefused) {
  const std::string net = engine_->CreateNetwork(BlueSpec());
  const std::string web = MakeEndpoint(net, "web");
  const std::string sandbox = MakeSandbox();
  for (const char* name : {"a#b", "a b", "a\nb"}) {
    EXPECT_EQ(CodeOf([&] {
                engine_->Join(net, web, sandbox, {.aliases = {{name, "web"}}});
              }),
              Code::kConfig);
    EXPECT_EQ(CodeOf([&] { engine_->CreateSandbox({.container_id = "c2", .host_name = name}); }),
              Code::kConfig);
    EXPECT_EQ(
        CodeOf([&] {
          engine_->CreateSandbox({.container_id = "c2", .host_name = "h", .domain_name = name});
        }),
        Code::kConfig);
  }
  EXPECT_EQ(engine_->Sandboxes().size(), 1U);
}

/// Such a network's name is no part of a host's name; its endpoints have names all the same.
TEST_F(EngineTrouble, ANetworksOddNameKeepsNobodyOutOfTheHostsFile) {
  NetworkSpec spec = BlueSpec();
  spec.name = "odd #1";
  const std::string net = engine_->CreateNetwork(spec);
  const std::string web = MakeEndpoint(net, "web");
  const std::string sandbox = MakeSandbox();
  engine_->Join(net, web, sandbox);
  const std::string hosts = ReadFile(fmt::format("{}/files/{}/hosts", root_, sandbox)).value_or("");
  EXPECT_NE(hosts.find("192.0.2.2\tweb\n"), std::string::npos) << hosts;
  EXPECT_EQ(hosts.find("odd"), std::string::npos) << hosts;
}

TEST_F(EngineTrouble, ADriverLearnsOfANetworkWhosePoolsAreLost) {
  script_.replays = true;
  engine_->CreateNetwork(BlueSpec());
  script_.log.clear();
  script_.fails = "pool";
  Start();
  EXPECT_EQ(script_.log, Log({"pool 192.0.2.0/24", "create network blue"}));
}

}  // namespace
}  // namespace cnm::engine
