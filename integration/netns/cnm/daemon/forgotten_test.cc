// forgotten_test.cc: what nobody will ask to be removed any more: collected, or removed by an
// operator.
#include "cnm/daemon/forgotten.h"

#include <stdlib.h>

#include <filesystem>
#include <string>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "cnm/daemon/docker_leftovers.h"
#include "integration/netns/cnm/drivers/local/local_site.h"

namespace cnm::daemon {
namespace {

using local::Cidr;
using local::kBlue;
using local::kRed;
using local::MakeEndpoint;
using local::MakeNetwork;
using testing::Shell;

class ForgottenTest : public testing::NetnsTest {
 protected:
  void SetUp() override {
    NetnsTest::SetUp();
    if (IsSkipped()) return;
    std::string name = std::filesystem::temp_directory_path() / "cnm-forgotten-XXXXXX";
    root_ = ::mkdtemp(name.data());
    Start();
  }
  void TearDown() override {
    if (!root_.empty()) std::filesystem::remove_all(root_);
  }

  /// A daemon over the test's state; another one ends before.
  void Start() {
    parts_ = {};
    parts_ = Assemble({.runtime_directory = root_ + "/run",
                       .durable_directory = root_ + "/durable",
                       .lease_directory = root_ + "/leases",
                       .files_directory = root_ + "/files",
                       .netns_directory = root_ + "/netns"});
  }

  /// Docker's call; it must succeed.
  void Docker(const std::string& method, const std::string& body) const {
    const http::Response answer =
        parts_.docker->Handle({.method = "POST", .target = "/" + method, .body = body});
    EXPECT_EQ(answer.status, 200U) << method << " " << answer.body;
  }
  /// What docker network create asks for, with our allocator and with `driver` ours or not.
  void DockerNetwork(const std::string& id, const std::string& subnet, const std::string& gateway,
                     bool ours = true) const {
    const std::string pool = fmt::format("LocalDefault/{}", subnet);
    Docker("IpamDriver.RequestPool",
           fmt::format(R"({{"AddressSpace":"LocalDefault","Pool":"{}","SubPool":"","V6":false}})",
                       subnet));
    Docker("IpamDriver.RequestAddress",
           fmt::format(R"({{"PoolID":"{}","Address":"{}",)"
                       R"("Options":{{"RequestAddressType":"com.docker.network.gateway"}}}})",
                       pool, gateway));
    if (!ours) return;
    Docker("NetworkDriver.CreateNetwork",
           fmt::format(R"({{"NetworkID":"{}","Options":{{}},"IPv6Data":[],"IPv4Data":[)"
                       R"({{"AddressSpace":"LocalDefault","Pool":"{}","Gateway":"{}/24"}}]}})",
                       id, subnet, gateway));
  }

  /// A container on kBlue that has ended only when its link does.
  void RunContainer() const {
    Docker("NetworkDriver.CreateEndpoint",
           fmt::format(R"({{"NetworkID":"{}","EndpointID":"{}","Interface":)"
                       R"({{"Address":"192.0.2.2/24"}},"Options":{{}}}})",
                       kBlue, kRed));
    Docker("NetworkDriver.Join",
           fmt::format(R"({{"NetworkID":"{}","EndpointID":"{}","SandboxKey":"/run/docker/netns/x",)"
                       R"("Options":{{}}}})",
                       kBlue, kRed));
  }

  /// "status body" of an operator's request.
  std::string Operator(const std::string& method, const std::string& target,
                       const std::string& body = "") const {
    const auto answer = AskOfDocker(parts_, {.method = method, .target = target, .body = body});
    if (!answer) return "not ours";
    std::string text = fmt::format("{} {}", answer->status, answer->body);
    while (text.ends_with('\n')) text.pop_back();
    return text;
  }

  static std::string Bridges() {
    return Shell("ip -j link show type bridge | jq -r 'map(.ifname // empty) | join(\" \")'");
  }
  std::string Files(const std::string& directory) const {
    return Shell(
        fmt::format("cd {} && find {} -name '*[0-9a-f]*' -type f -printf '%f ' 2>/dev/null "
                    "|| true",
                    root_, directory));
  }

  std::string root_;
  Assembly parts_;
};

TEST_F(ForgottenTest, WhatTheDriverCouldNotDeleteGoesLater) {
  engine::NetworkSpec spec{.name = "green"};
  spec.ipv4 = {{.preferred_pool = "198.51.100.0/24"}};
  const std::string green = parts_.engine->CreateNetwork(spec);
  const std::string web = parts_.engine->CreateEndpoint(green, {.name = "web"});
  const std::string before = Bridges();
  // As the driver has it when it failed and the engine has forgotten it.
  parts_.api_bridge->CreateNetwork(MakeNetwork(kBlue, "192.0.2.0/24", "192.0.2.1/24"));
  parts_.api_bridge->CreateEndpoint(MakeEndpoint(green, kRed, "198.51.100.9/24"));
  EXPECT_NE(Bridges(), before);
  EXPECT_NE(Files("leases/green").find("198.51.100.9"), std::string::npos);
  Start();
  EXPECT_EQ(CollectForgotten(parts_), 1U);
  EXPECT_EQ(Bridges(), before);
  EXPECT_EQ(Files("leases/green").find("198.51.100.9"), std::string::npos);
  EXPECT_EQ(Files("durable/bridge-networks"), green + ".json ");
  EXPECT_EQ(parts_.engine->GetEndpoint(green, web).interface.address, Cidr("198.51.100.2/24"));
  EXPECT_EQ(CollectForgotten(parts_), 0U);
  EXPECT_EQ(Files("run/endpoints").empty(), false) << "the one that the engine knows";
}

TEST_F(ForgottenTest, AnOperatorRemovesANetworkThatDockerHasForgotten) {
  const std::string before = Bridges();
  DockerNetwork(kBlue, "192.0.2.0/24", "192.0.2.1");
  Start();
  CollectForgotten(parts_);
  EXPECT_NE(Bridges(), before) << "nothing proves that it has ended";
  EXPECT_EQ(Operator("GET", "/docker-pools"), "200 []") << "it is the network's";
  const std::string target = "/docker-networks/" + kBlue;
  EXPECT_EQ(Operator("DELETE", target),
            "403 network docker-bbbbbbbbbbbb is Docker's: docker network rm bbbbbbbbbbbb");
  EXPECT_NE(Bridges(), before);
  EXPECT_EQ(Operator("DELETE", target, R"({"force":true})"), "200 ");
  EXPECT_EQ(Bridges(), before);
  EXPECT_EQ(Files("durable/bridge-networks"), "");
  EXPECT_EQ(Files("leases"), "");
  EXPECT_EQ(Operator("GET", "/docker-pools"), "200 []");
  EXPECT_TRUE(Operator("DELETE", target, R"({"force":true})").starts_with("404 "));
  DockerNetwork(kRed, "192.0.2.0/24", "192.0.2.1");  // the pool is free
}

TEST_F(ForgottenTest, ANetworkWithARunningContainerStays) {
  DockerNetwork(kBlue, "192.0.2.0/24", "192.0.2.1");
  RunContainer();
  Docker("IpamDriver.ReleasePool", R"({"PoolID":"LocalDefault/192.0.2.0/24"})");
  CollectForgotten(parts_);
  EXPECT_EQ(Operator("DELETE", "/docker-networks/" + kBlue, R"({"force":true})"),
            "403 network docker-bbbbbbbbbbbb has a running container");
  EXPECT_NE(Bridges(), "");
}

TEST_F(ForgottenTest, AnOperatorReleasesAPoolOfAnotherDriversNetwork) {
  DockerNetwork("", "192.0.2.0/24", "192.0.2.1", false);
  DockerNetwork(kRed, "198.51.100.0/24", "198.51.100.1");
  Start();
  EXPECT_EQ(Operator("GET", "/docker-pools"),
            R"(200 [{"id":"LocalDefault/192.0.2.0/24","uses":1}])");
  EXPECT_TRUE(Operator("DELETE", "/docker-pools", R"({"pool":"LocalDefault/192.0.2.0/24"})")
                  .starts_with("403 pool LocalDefault/192.0.2.0/24 is Docker's"));
  EXPECT_TRUE(
      Operator("DELETE", "/docker-pools", R"({"pool":"LocalDefault/198.51.100.0/24","force":true})")
          .starts_with("404 "));
  EXPECT_NE(Files("leases").find("192.0.2.1"), std::string::npos);
  EXPECT_EQ(
      Operator("DELETE", "/docker-pools", R"({"pool":"LocalDefault/192.0.2.0/24","force":true})"),
      "200 ");
  EXPECT_EQ(Files("leases").find("192.0.2.1 "), std::string::npos);
  EXPECT_EQ(Operator("GET", "/docker-pools"), "200 []");
  EXPECT_EQ(Operator("GET", "/networks"), "not ours");
}

}  // namespace
}  // namespace cnm::daemon
