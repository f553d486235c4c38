// engine_test.cc: an engine without a kernel: who is told what, in which order, and what is undone.
#include "cnm/engine/engine.h"

#include <ctime>
#include <filesystem>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "cnm/engine/sandbox_namespace.h"
#include "common/base/atomic_file.h"
#include "common/base/error.h"
#include "tests/cnm/engine/scripted.h"

namespace cnm::engine {
namespace {

TEST_F(EngineTest, AsksInOrderAndGivesBackInOrder) {
  const std::string net = engine_->CreateNetwork(BlueSpec());
  EndpointSpec spec;
  spec.name = "web";
  spec.exposed_ports = {{.protocol = 6, .port = 80}};
  spec.options = R"({"own":"label"})";
  const std::string endpoint = engine_->CreateEndpoint(net, spec);
  const std::string sandbox = MakeSandbox();
  engine_->Join(net, endpoint, sandbox);
  engine_->Leave(net, endpoint, sandbox);
  engine_->DeleteEndpoint(net, endpoint);
  engine_->DeleteNetwork(net);
  constexpr const char* kCreated = R"({"own":"label","com.docker.network.endpoint.exposedports":)"
                                   R"([{"Proto":6,"Port":80}],"com.docker.network.portmap":[]})";
  const Log expected = {"pool 192.0.2.0/24",
                        "address 192.0.2.1",
                        "address 192.0.2.9",
                        "create network blue",
                        "address 192.0.2.2",
                        std::string("create endpoint ") + kCreated,
                        R"(join {"label":1})",
                        "program",
                        "revoke",
                        "leave",
                        "delete endpoint",
                        "release 192.0.2.2",
                        "delete network",
                        "release 192.0.2.1",
                        "release 192.0.2.9",
                        "release pool 192.0.2.0/24"};
  EXPECT_EQ(script_.log, expected);
}

TEST_F(EngineTest, TellsHowEachRequestEnded) {
  const std::string net = engine_->CreateNetwork(BlueSpec());
  const std::string endpoint = engine_->CreateEndpoint(net, {.name = "web"});
  const std::string sandbox = MakeSandbox();
  engine_->Join(net, endpoint, sandbox);
  EXPECT_THROW(engine_->DeleteNetwork(net), Error);
  engine_->Leave(net, endpoint, sandbox);
  engine_->DeleteEndpoint(net, endpoint);
  engine_->DeleteSandbox(sandbox);
  engine_->DeleteNetwork(net);
  EXPECT_THROW(engine_->DeleteNetwork("gone"), Error);
  EXPECT_EQ(told_, (Log{"create-network blue/ ", "create-endpoint blue/web ", "create-sandbox / c1",
                        "join blue/web c1",
                        fmt::format("delete-network blue/  network with name blue id {} has active "
                                    "endpoints",
                                    net),
                        "leave blue/web c1", "delete-endpoint blue/web ", "delete-sandbox / c1",
                        "delete-network blue/ ", "delete-network gone/  network gone not found"}));
}

TEST_F(EngineTest, WhatFailsIsUndone) {
  script_.fails = "create network";
  EXPECT_THROW(engine_->CreateNetwork(BlueSpec()), Error);
  EXPECT_EQ(script_.log.back(), "release pool 192.0.2.0/24");
  EXPECT_TRUE(engine_->Networks().empty());
  script_.fails = "address 192.0.2.9";
  EXPECT_THROW(engine_->CreateNetwork(BlueSpec()), Error);
  EXPECT_EQ(script_.log.back(), "release pool 192.0.2.0/24");
  script_.fails = "create endpoint";
  const std::string net = engine_->CreateNetwork(BlueSpec());
  EndpointSpec spec;
  spec.name = "web";
  try {
    engine_->CreateEndpoint(net, spec);
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.message(), "failed to create endpoint web on network blue: refused");
  }
  EXPECT_EQ(script_.log.back(), "release 192.0.2.2");
  script_.fails = "join";
  const std::string endpoint = engine_->CreateEndpoint(net, spec);
  const std::string sandbox = MakeSandbox();
  EXPECT_THROW(engine_->Join(net, endpoint, sandbox), Error);
  EXPECT_EQ(engine_->GetEndpoint(net, endpoint).sandbox_id, "");
  script_.fails = "program";
  EXPECT_THROW(engine_->Join(net, endpoint, sandbox), Error);
  EXPECT_EQ(engine_->GetEndpoint(net, endpoint).sandbox_id, "");
  EXPECT_EQ(script_.log.back(), "leave");
}

TEST_F(EngineTest, ADriversRefusalKeepsTheObject) {
  const std::string net = engine_->CreateNetwork(BlueSpec());
  script_.fails = "delete network";
  script_.code = Code::kInUse;
  EXPECT_THROW(engine_->DeleteNetwork(net), Error);
  EXPECT_EQ(engine_->GetNetwork(net).name, "blue");
  script_.code = Code::kKernel;  // a failure is told, and nobody is left with the network
  engine_->DeleteNetwork(net);
  EXPECT_TRUE(engine_->Networks().empty());
}

TEST_F(EngineTest, WrongAddressesAreRefused) {
  NetworkSpec spec = BlueSpec();
  spec.ipv4[0].aux_addresses = {{"router", "198.51.100.9"}};
  EXPECT_THROW(engine_->CreateNetwork(spec), Error);
  spec.ipv4[0].aux_addresses.clear();
  spec.ipv4[0].gateway = "nonsense";
  EXPECT_THROW(engine_->CreateNetwork(spec), Error);
  const std::string net = engine_->CreateNetwork(BlueSpec());
  EndpointSpec endpoint;
  endpoint.name = "web";
  endpoint.interface.address = net::Prefix::Parse("198.51.100.2/24");
  EXPECT_THROW(engine_->CreateEndpoint(net, endpoint), Error);
  EXPECT_TRUE(engine_->Endpoints(net).empty());
}

TEST_F(EngineTest, ListsAreLinear) {
  for (int n = 0; n < 50; ++n) {
    NetworkSpec spec;
    spec.name = fmt::format("net{}", n);
    const std::string net = engine_->CreateNetwork(spec);
    for (int e = 0; e < 5; ++e) {
      EndpointSpec endpoint;
      endpoint.name = fmt::format("ep{}", e);
      engine_->CreateEndpoint(net, endpoint);
    }
  }
  const std::clock_t start = std::clock();
  EXPECT_EQ(engine_->Networks().size(), 50U);
  const std::vector<EndpointInfo> endpoints = engine_->Endpoints();
  const double us = 1e6 * static_cast<double>(std::clock() - start) / CLOCKS_PER_SEC;
  EXPECT_EQ(endpoints.size(), 250U);
  EXPECT_EQ(endpoints[0].network, "net0");
  EXPECT_EQ(endpoints[0].name, "ep0");
  EXPECT_LT(us / 300, 80);  // of CPU for each object, sanitizers included
}

TEST_F(EngineTest, ManyNeighboursLearnOfANewcomer) {
  const std::string net = engine_->CreateNetwork(BlueSpec());
  std::vector<std::string> sandboxes;
  for (int i = 0; i < 20; ++i) {
    SandboxSpec sandbox;
    sandbox.container_id = fmt::format("c{}", i);
    sandbox.use_external_key = true;
    sandboxes.push_back(engine_->CreateSandbox(sandbox));
    EndpointSpec endpoint;
    endpoint.name = fmt::format("ep{}", i);
    engine_->Join(net, engine_->CreateEndpoint(net, endpoint), sandboxes.back());
  }
  engine_->DeleteSandbox(sandboxes[7]);  // while files may still be written
  EndpointSpec late;
  late.name = "late";
  engine_->CreateEndpoint(net, late);
  engine_.reset();  // it ends when all is written
  for (size_t i = 0; i < sandboxes.size(); ++i) {
    const std::string path = fmt::format("{}/files/{}", root_, sandboxes[i]);
    if (i == 7) {
      EXPECT_FALSE(std::filesystem::exists(path));
    } else {
      EXPECT_NE(ReadFile(path + "/hosts").value_or("").find("\tlate\n"), std::string::npos) << i;
    }
  }
}

TEST(SandboxStatistics, AreReadFromProcNetDev) {
  const auto statistics = ParseStatistics(
      "Inter-|   Receive                            |  Transmit\n"
      " face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs "
      "drop fifo colls carrier compressed\n"
      "    lo:       0       0    0    0    0     0          0         0        0       0    0    "
      "0    0     0       0          0\n"
      "  eth0:    1296      16    1    2    3     4          5         6      758       9    7    "
      "8    0     0       0          0\n");
  ASSERT_EQ(statistics.size(), 2U);
  const InterfaceStatistics& eth0 = statistics.at("eth0");
  EXPECT_EQ(eth0.rx_bytes, 1296U);
  EXPECT_EQ(eth0.rx_packets, 16U);
  EXPECT_EQ(eth0.rx_errors, 1U);
  EXPECT_EQ(eth0.rx_dropped, 2U);
  EXPECT_EQ(eth0.tx_bytes, 758U);
  EXPECT_EQ(eth0.tx_packets, 9U);
  EXPECT_EQ(eth0.tx_errors, 7U);
  EXPECT_EQ(eth0.tx_dropped, 8U);
}

}  // namespace
}  // namespace cnm::engine
