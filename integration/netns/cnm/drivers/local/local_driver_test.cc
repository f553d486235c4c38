// local_driver_test.cc: the life of Docker's and the REST API's endpoints, judged by ip, nft and
// ping.
#include "cnm/drivers/local/local_driver.h"

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "common/base/error.h"
#include "integration/support/fresh_netns.h"

namespace cnm::local {
namespace {

using engine::EndpointConfig;
using engine::JoinInfo;
using engine::NetworkConfig;
using testing::OtherNetns;
using testing::Shell;
using testing::Succeeds;

const std::string kBlue = std::string(63, 'b') + "1";
const std::string kRed = std::string(63, 'c') + "2";

net::Prefix Cidr(const std::string& text) {
  return net::Prefix::Parse(text).value();
}

NetworkConfig MakeNetwork(const std::string& id, const std::string& pool,
                          const std::string& gateway, const std::string& options = "") {
  NetworkConfig config{.id = id, .options = options};
  config.ipv4 = {{.address_space = "LocalDefault", .pool = Cidr(pool), .gateway = Cidr(gateway)}};
  return config;
}

EndpointConfig MakeEndpoint(const std::string& network, const std::string& id,
                            const std::string& address) {
  EndpointConfig config{.network_id = network, .id = id};
  config.interface.address = Cidr(address);
  return config;
}

/// "code message; details" of what `work` throws; "" if nothing.
template <class Work>
std::string Failure(Work work) {
  try {
    work();
  } catch (const Error& e) {
    return fmt::format("{}; {}", e.message(), e.details());
  }
  return "";
}

class LocalDriverTest : public testing::NetnsTest {
 protected:
  void SetUp() override {
    NetnsTest::SetUp();
    if (IsSkipped()) return;
    std::string name = std::filesystem::temp_directory_path() / "cnm-local-XXXXXX";
    root_ = ::mkdtemp(name.data());
    driver_ = Open();
  }
  void TearDown() override {
    if (!root_.empty()) std::filesystem::remove_all(root_);
  }

  /// A driver over the test's state, as after a restart of the daemon.
  std::unique_ptr<LocalDriver> Open(const std::string& door = "docker") const {
    return std::make_unique<LocalDriver>(LocalOptions{.paths = {.runtime = root_ + "/run"},
                                                      .durable_directory = root_ + "/durable",
                                                      .lease_directory = root_ + "/leases",
                                                      .door = door,
                                                      .runtime = "/usr/bin/dockerd"});
  }

  /// Creates and joins an endpoint, and does what Docker does with the link.
  JoinInfo Attach(const EndpointConfig& config, const OtherNetns& sandbox) const {
    driver_->CreateEndpoint(config);
    JoinInfo info = driver_->Join(config.network_id, config.id, "/run/docker/netns/x", "");
    Shell(fmt::format("ip link set {} netns {}", info.src_name, sandbox.path()));
    Shell(sandbox.Inside(fmt::format("ip link set {} name eth0", info.src_name)));
    for (const auto& address : {config.interface.address, config.interface.address_ipv6}) {
      if (!address) continue;
      Shell(sandbox.Inside(fmt::format("ip addr add {} dev eth0 {}", address->ToString(),
                                       address->address.is_v4() ? "" : "nodad")));
    }
    Shell(sandbox.Inside("ip link set eth0 up"));
    if (info.gateway) {
      Shell(sandbox.Inside(fmt::format("ip route add default via {}", info.gateway->ToString())));
    }
    return info;
  }

  std::string Lease(const std::string& network, const std::string& address) const {
    std::ifstream file(fmt::format("{}/leases/{}/{}", root_, network, address));
    return {std::istreambuf_iterator<char>(file), {}};
  }

  std::string root_;
  std::unique_ptr<LocalDriver> driver_;
};

bool Pings(const OtherNetns& from, const std::string& address) {
  return Succeeds(from.Inside("ping -c1 -W2 " + address));
}

TEST_F(LocalDriverTest, TwoEndpointsReachEachOtherAndNothingIsLeftBehind) {
  const std::string before = Shell("ip -br link");
  driver_->CreateNetwork(MakeNetwork(kBlue, "192.0.2.0/24", "192.0.2.1/24"));
  EXPECT_TRUE(Succeeds("ip addr show br-bbbbbbbbbbbb | grep -q 'inet 192.0.2.1/24'"));
  const OtherNetns a;
  const OtherNetns b;
  const JoinInfo info = Attach(MakeEndpoint(kBlue, "e1", "192.0.2.2/24"), a);
  EXPECT_EQ(info.gateway, net::Address::Parse("192.0.2.1"));
  EXPECT_EQ(info.dst_prefix, "eth");
  Attach(MakeEndpoint(kBlue, "e2", "192.0.2.3/24"), b);
  EXPECT_TRUE(Pings(a, "192.0.2.3"));
  EXPECT_TRUE(Pings(b, "192.0.2.1"));
  EXPECT_EQ(Lease("pool-192.0.2.0-24", "192.0.2.2"), "e1");
  for (const char* id : {"e1", "e2"}) {
    driver_->Leave(kBlue, id);
    driver_->DeleteEndpoint(kBlue, id);
    driver_->Leave(kBlue, id);  // Docker may ask twice
    driver_->DeleteEndpoint(kBlue, id);
  }
  EXPECT_EQ(Lease("pool-192.0.2.0-24", "192.0.2.2"), "");
  EXPECT_FALSE(Succeeds("nft list ruleset | grep -qE '192.0.2.[23]|br-bbbbb'"));
  driver_->DeleteNetwork(kBlue);
  driver_->DeleteNetwork(kBlue);
  EXPECT_EQ(Shell("ip -br link"), before);
}

TEST_F(LocalDriverTest, EveryCallMayComeTwice) {
  const NetworkConfig network = MakeNetwork(kBlue, "192.0.2.0/24", "192.0.2.1/24");
  driver_->CreateNetwork(network);
  driver_->CreateNetwork(network);
  EXPECT_NE(Failure([&] {
              driver_->CreateNetwork(MakeNetwork(kBlue, "198.51.100.0/24", "198.51.100.1/24"));
            }),
            "");
  const EndpointConfig endpoint = MakeEndpoint(kBlue, "e1", "192.0.2.2/24");
  const engine::Interface first = driver_->CreateEndpoint(endpoint);
  ASSERT_TRUE(first.mac);
  EXPECT_EQ(driver_->CreateEndpoint(endpoint), first);
  EXPECT_EQ(Failure([&] { driver_->CreateEndpoint(MakeEndpoint(kBlue, "e1", "192.0.2.9/24")); }),
            "Endpoint (e1) already exists (Only one endpoint allowed); ");
  const JoinInfo joined = driver_->Join(kBlue, "e1", "/run/x", "");
  EXPECT_EQ(driver_->Join(kBlue, "e1", "/run/x", ""), joined);
  EXPECT_NE(Failure([&] { driver_->Join(kBlue, "e1", "/run/y", ""); }), "");
  EXPECT_EQ(Shell(fmt::format("cat /sys/class/net/{}/address", joined.src_name)),
            first.mac->ToString());
  driver_->Leave(kBlue, "e1");
  EXPECT_FALSE(Succeeds("ip link show " + joined.src_name));
  EXPECT_EQ(driver_->Join(kBlue, "e1", "/run/y", ""), joined) << "it keeps what it has";
}

TEST_F(LocalDriverTest, ARestartForgetsNothing) {
  driver_->CreateNetwork(MakeNetwork(kBlue, "192.0.2.0/24", "192.0.2.1/24"));
  const OtherNetns a;
  Attach(MakeEndpoint(kBlue, "e1", "192.0.2.2/24"), a);
  driver_ = Open();
  EXPECT_EQ(driver_->Reconcile(), 0U);
  EXPECT_TRUE(Pings(a, "192.0.2.1"));
  driver_->Leave(kBlue, "e1");
  driver_->DeleteEndpoint(kBlue, "e1");
  Shell("ip link del br-bbbbbbbbbbbb");  // as after a reboot
  driver_ = Open();
  EXPECT_TRUE(Succeeds("ip addr show br-bbbbbbbbbbbb | grep -q 'inet 192.0.2.1/24'"));
  driver_->DeleteNetwork(kBlue);
  EXPECT_FALSE(Succeeds("ip link show br-bbbbbbbbbbbb"));
}

TEST_F(LocalDriverTest, AnAddressIsNeverGivenTwice) {
  driver_->CreateNetwork(MakeNetwork(kBlue, "192.0.2.0/24", "192.0.2.1/24"));
  driver_->CreateEndpoint(MakeEndpoint(kBlue, "e1", "192.0.2.2/24"));
  EXPECT_EQ(Failure([&] { driver_->CreateEndpoint(MakeEndpoint(kBlue, "e2", "192.0.2.2/24")); }),
            "address 192.0.2.2 of network pool-192.0.2.0-24 is taken; held by container e1 ");
  driver_->DeleteEndpoint(kBlue, "e1");
  driver_->CreateEndpoint(MakeEndpoint(kBlue, "e2", "192.0.2.2/24"));
}

TEST_F(LocalDriverTest, OverlappingNetworksAreRefused) {
  driver_->CreateNetwork(MakeNetwork(kBlue, "192.0.2.0/24", "192.0.2.1/24"));
  EXPECT_EQ(
      Failure(
          [&] { driver_->CreateNetwork(MakeNetwork(kRed, "192.0.2.128/25", "192.0.2.129/25")); }),
      "subnet 192.0.2.128/25 of network docker-cccccccccccc overlaps 192.0.2.1/24 of network "
      "docker-bbbbbbbbbbbb; to share that network: -o cnm.network=docker-bbbbbbbbbbbb --ipam-opt "
      "cnm.network=docker-bbbbbbbbbbbb");
  EXPECT_FALSE(Succeeds("ip link show br-cccccccccccc"));
}

TEST_F(LocalDriverTest, TheDeadAndTheForgottenAreCollected) {
  driver_->CreateNetwork(MakeNetwork(kBlue, "192.0.2.0/24", "192.0.2.1/24"));
  driver_->CreateEndpoint(MakeEndpoint(kBlue, "waits", "192.0.2.9/24"));
  {
    const OtherNetns a;
    Attach(MakeEndpoint(kBlue, "dies", "192.0.2.2/24"), a);
    EXPECT_EQ(driver_->Reconcile(), 0U);
    Shell(a.Inside("ip link del eth0"));  // as the end of the namespace does, but at once
  }
  EXPECT_EQ(driver_->Reconcile(), 1U);
  EXPECT_EQ(Lease("pool-192.0.2.0-24", "192.0.2.2"), "");
  EXPECT_FALSE(Succeeds("nft list ruleset | grep -q 192.0.2.2"));
  EXPECT_EQ(Lease("pool-192.0.2.0-24", "192.0.2.9"), "waits");
  EXPECT_EQ(driver_->Reconcile(0), 1U);
  EXPECT_EQ(Lease("pool-192.0.2.0-24", "192.0.2.9"), "");
}

TEST_F(LocalDriverTest, Ipv6AndAChosenMac) {
  NetworkConfig network = MakeNetwork(kBlue, "192.0.2.0/24", "192.0.2.1/24");
  network.enable_ipv6 = true;
  network.ipv6 = {{.address_space = "LocalDefault",
                   .pool = Cidr("2001:db8::/64"),
                   .gateway = Cidr("2001:db8::1/64")}};
  driver_->CreateNetwork(network);
  const OtherNetns a;
  EndpointConfig endpoint = MakeEndpoint(kBlue, "e1", "192.0.2.2/24");
  endpoint.interface.address_ipv6 = Cidr("2001:db8::2/64");
  endpoint.interface.mac = net::Mac::Parse("02:00:5e:10:00:07");
  EXPECT_EQ(driver_->CreateEndpoint(endpoint), engine::Interface());
  const JoinInfo info = Attach(endpoint, a);
  EXPECT_EQ(info.gateway_ipv6, net::Address::Parse("2001:db8::1"));
  EXPECT_TRUE(Succeeds(a.Inside("ip link show eth0 | grep -q 02:00:5e:10:00:07")));
  EXPECT_TRUE(Pings(a, "2001:db8::1"));
}

}  // namespace
}  // namespace cnm::local
