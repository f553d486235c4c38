// local_driver_test.cc: the life of Docker's and the REST API's endpoints, judged by ip, nft and
// ping.
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "cnm/id.h"
#include "integration/netns/cnm/drivers/local/local_site.h"

namespace cnm::local {
namespace {

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
  EXPECT_FALSE(Succeeds("nft list ruleset | grep -qE '192.0.2.[23]'"));
  driver_->DeleteNetwork(kBlue);
  driver_->DeleteNetwork(kBlue);
  EXPECT_FALSE(Succeeds("nft list ruleset | grep -q br-bbbbb"));
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

TEST_F(LocalDriverTest, LeasesOfEndpointsEndWithTheBoot) {
  const std::string id(64, 'e');
  const std::string young(64, 'f');
  driver_->CreateNetwork(MakeNetwork(kBlue, "192.0.2.0/24", "192.0.2.1/24"));
  driver_->CreateEndpoint(MakeEndpoint(kBlue, id, "192.0.2.2/24"));
  driver_->CreateEndpoint(MakeEndpoint(kBlue, young, "192.0.2.3/24"));
  const std::string lease = root_ + "/leases/pool-192.0.2.0-24/192.0.2.2";
  Shell("touch -d 2001-01-01 " + lease);
  driver_ = Open();
  EXPECT_EQ(Lease("pool-192.0.2.0-24", "192.0.2.2"), id) << "it has a record";
  Shell("touch -d 2001-01-01 " + lease);
  std::filesystem::remove_all(root_ + "/run");  // as a reboot does
  driver_ = Open();
  EXPECT_EQ(Lease("pool-192.0.2.0-24", "192.0.2.2"), "");
  EXPECT_EQ(Lease("pool-192.0.2.0-24", "192.0.2.3"), young) << "cannot tell: kept";
  driver_->DeleteEndpoint(kBlue, young);  // Docker deletes what it finds in its own records
  EXPECT_EQ(Lease("pool-192.0.2.0-24", "192.0.2.3"), "");
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

TEST_F(LocalDriverTest, ATiedNetworkHasTheSubnetsOfTheOther) {
  const std::string tied = R"({"cnm.network":"blue"})";
  driver_->CreateNetwork(MakeNetwork(kBlue, "192.0.2.0/24", "192.0.2.1/24", tied));
  const auto other = Open("api");
  for (const char* wrong : {"198.51.100.0/24", "192.0.2.0/25", "192.0.0.0/16"}) {
    EXPECT_EQ(
        Failure([&] {
          other->CreateNetwork(MakeNetwork(
              kRed, wrong, net::Prefix::Parse(wrong)->address.Next().ToString() + "/32", tied));
        }),
        fmt::format("subnet {} is not network blue's, which has 192.0.2.0/24; give --subnet "
                    "192.0.2.0/24, or tie it to no network",
                    wrong));
  }
  EXPECT_EQ(Failure([&] {
              other->CreateNetwork(MakeNetwork(kRed, "192.0.2.0/24", "192.0.2.1/24", tied));
            }),
            "");
}

TEST_F(LocalDriverTest, AMisspeltOptionOfOursIsRefused) {
  EXPECT_EQ(Failure([&] {
              driver_->CreateNetwork(
                  MakeNetwork(kBlue, "192.0.2.0/24", "192.0.2.1/24", R"({"cnm.netwrok":"blue"})"));
            }),
            "option cnm.netwrok: unknown, did you mean cnm.network?; ");
  EXPECT_EQ(Failure([&] {
              driver_->CreateNetwork(MakeNetwork(kBlue, "192.0.2.0/24", "192.0.2.1/24",
                                                 R"({"com.docker.network.new":"1","x":"y"})"));
            }),
            "")
      << "Docker lets its users set whatever they like";
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

/// Docker does so when a sandbox ends, whether or not anybody answers it.
TEST_F(LocalDriverTest, AnEndpointWhoseLinkIsBackOnTheHostIsCollected) {
  driver_->CreateNetwork(MakeNetwork(kBlue, "192.0.2.0/24", "192.0.2.1/24"));
  const OtherNetns a;
  const JoinInfo info = Attach(MakeEndpoint(kBlue, "ends", "192.0.2.2/24"), a);
  const OtherNetns b;
  Attach(MakeEndpoint(kBlue, "stays", "192.0.2.3/24"), b);
  Shell(a.Inside("ip link set eth0 down name " + info.src_name));
  Shell(a.Inside(fmt::format("ip link set {} netns {}", info.src_name, ::getpid())));
  ASSERT_TRUE(Succeeds("ip link show " + info.src_name));
  EXPECT_EQ(driver_->Reconcile(), 0U) << "it may be on its way";
  Shell(fmt::format(R"(sed -Ei 's/(created[^0-9]*)[0-9]+/\11/' {}/run/endpoints/*.json)", root_));
  EXPECT_EQ(driver_->Reconcile(), 1U);
  EXPECT_EQ(Lease("pool-192.0.2.0-24", "192.0.2.2"), "");
  EXPECT_FALSE(Succeeds("nft list ruleset | grep -q 192.0.2.2"));
  EXPECT_FALSE(Succeeds("ip link show " + info.src_name));
  EXPECT_TRUE(Pings(b, "192.0.2.1"));
}

TEST_F(LocalDriverTest, ManyThreadsAtOnceLeaveNothingBehind) {
  const std::string before = Shell("ip -br link");
  driver_->CreateNetwork(MakeNetwork(kBlue, "192.0.2.0/24", "192.0.2.1/24"));
  std::vector<std::string> failures(8);
  std::vector<std::thread> threads;
  threads.reserve(failures.size());
  for (size_t t = 0; t < failures.size(); ++t) {
    threads.emplace_back([this, t, &failures] {
      failures[t] = Failure([&] {
        for (int round = 0; round < 6; ++round) {
          const std::string id = fmt::format("e{}-{}", t, round);
          const std::vector<engine::PortBinding> ports = {{.port = 80}};
          driver_->CreateEndpoint(MakeEndpoint(kBlue, id, fmt::format("192.0.2.{}/24", 10 + t)));
          driver_->Join(kBlue, id, "/run/" + id, "");
          driver_->ProgramExternalConnectivity(kBlue, id, ports, "");
          driver_->OperInfo(kBlue, id);
          driver_->RevokeExternalConnectivity(kBlue, id);
          driver_->Leave(kBlue, id);
          driver_->DeleteEndpoint(kBlue, id);
          driver_->Reconcile();
        }
      });
    });
  }
  for (std::thread& thread : threads) thread.join();
  for (const std::string& failure : failures) EXPECT_EQ(failure, "");
  EXPECT_FALSE(Succeeds("nft list ruleset | grep -qE '192.0.2.1[0-9]'"));
  driver_->DeleteNetwork(kBlue);
  EXPECT_EQ(Shell("ip -br link"), before);
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

TEST_F(LocalDriverTest, ABridgeWithIpv6HasItWhereNewLinksHaveNone) {
  Shell("sysctl -qw net.ipv6.conf.default.disable_ipv6=1");
  NetworkConfig network = MakeNetwork(kBlue, "192.0.2.0/24", "192.0.2.1/24");
  network.ipv6 = {{.address_space = "LocalDefault",
                   .pool = Cidr("2001:db8::/64"),
                   .gateway = Cidr("2001:db8::1/64")}};
  driver_->CreateNetwork(network);
  EXPECT_TRUE(Succeeds("ip -6 addr show | grep -q 2001:db8::1/64"));
  driver_->CreateNetwork(MakeNetwork(kRed, "203.0.113.0/24", "203.0.113.1/24"));
  EXPECT_EQ(Shell("cat /proc/sys/net/ipv6/conf/br-cccccccccccc/disable_ipv6"), "1");
}

TEST_F(LocalDriverTest, EndpointsReachTheWorldWhereForwardingDrops) {
  const Outside outside;
  Shell("iptables -P FORWARD DROP");
  driver_->CreateNetwork(MakeNetwork(kBlue, "192.0.2.0/24", "192.0.2.1/24"));
  const OtherNetns a;
  Attach(MakeEndpoint(kBlue, "e1", "192.0.2.2/24"), a);
  EXPECT_TRUE(Pings(a, "198.51.100.9")) << "by the host's address, as nobody knows the way back";
  driver_->Leave(kBlue, "e1");
  EXPECT_FALSE(Succeeds("iptables-save | grep -q 192.0.2.2"));
}

TEST_F(LocalDriverTest, NetworksAreKeptApartAndSoAreEndpointsWithoutIcc) {
  driver_->CreateNetwork(MakeNetwork(kBlue, "192.0.2.0/24", "192.0.2.1/24"));
  driver_->CreateNetwork(MakeNetwork(kRed, "203.0.113.0/24", "203.0.113.1/24",
                                     R"({"com.docker.network.bridge.enable_icc":"false"})"));
  const OtherNetns blue;
  const OtherNetns red;
  const OtherNetns red2;
  Attach(MakeEndpoint(kBlue, "e1", "192.0.2.2/24"), blue);
  Attach(MakeEndpoint(kRed, "e2", "203.0.113.2/24"), red);
  Attach(MakeEndpoint(kRed, "e3", "203.0.113.3/24"), red2);
  EXPECT_FALSE(Pings(blue, "203.0.113.2"));
  EXPECT_FALSE(Pings(red, "192.0.2.2"));
  EXPECT_FALSE(Pings(red, "203.0.113.3"));
  EXPECT_TRUE(Pings(red, "203.0.113.1"));
}

TEST_F(LocalDriverTest, NothingIsLeftOfANetworkThatIsDeleted) {
  const std::string links = Shell("ip -br link");
  NetworkConfig network = MakeNetwork(kBlue, "192.0.2.0/24", "192.0.2.1/24");
  network.enable_ipv6 = true;
  network.ipv6 = {{.address_space = "LocalDefault",
                   .pool = Cidr("2001:db8::/64"),
                   .gateway = Cidr("2001:db8::1/64")}};
  driver_->CreateNetwork(network);
  EndpointConfig endpoint = MakeEndpoint(kBlue, "e1", "192.0.2.2/24");
  endpoint.interface.address_ipv6 = Cidr("2001:db8::2/64");
  const OtherNetns sandbox;
  Attach(endpoint, sandbox);
  driver_->ProgramExternalConnectivity(kBlue, "e1", {{.port = 80, .host_port = 8091}}, "");
  EXPECT_TRUE(Succeeds("nft list ruleset | grep -q 'masquerade-192.0.2.0/24'"));
  driver_->Leave(kBlue, "e1");
  driver_->DeleteEndpoint(kBlue, "e1");
  driver_->DeleteNetwork(kBlue);
  EXPECT_EQ(Shell("nft list ruleset | grep -E '192\\.0\\.2|2001.db8' || true"), "");
  EXPECT_EQ(Shell("ip -br link"), links);
}

TEST_F(LocalDriverTest, AnInternalNetworkLeadsNowhere) {
  const Outside outside;
  NetworkConfig network = MakeNetwork(kBlue, "192.0.2.0/24", "192.0.2.1/24");
  network.internal = true;
  driver_->CreateNetwork(network);
  const OtherNetns a;
  const OtherNetns b;
  const JoinInfo info = Attach(MakeEndpoint(kBlue, "e1", "192.0.2.2/24"), a);
  EXPECT_FALSE(info.gateway);
  Attach(MakeEndpoint(kBlue, "e2", "192.0.2.3/24"), b);
  EXPECT_TRUE(Pings(a, "192.0.2.3"));
  EXPECT_FALSE(Pings(a, "198.51.100.9"));
  EXPECT_FALSE(Succeeds("nft list ruleset | grep -q 'saddr 192.0.2.0/24'"));
}

TEST_F(LocalDriverTest, AFailureAfterAnyStepLeavesTheEndpointAsItWas) {
  driver_->CreateNetwork(MakeNetwork(kBlue, "192.0.2.0/24", "192.0.2.1/24"));
  driver_->CreateEndpoint(MakeEndpoint(kBlue, "e1", "192.0.2.2/24"));
  // Somebody's link has each name that the endpoint's could get: the join fails late.
  const std::string owner = OwnerOf("docker-bbbbbbbbbbbb", "e1", "");
  for (uint32_t attempt = 0; attempt < 16; ++attempt) {
    Shell(fmt::format("ip link add {} type bridge", PeerLinkName(owner, attempt)));
  }
  EXPECT_NE(Failure([&] { driver_->Join(kBlue, "e1", "/run/x", ""); }), "");
  EXPECT_FALSE(Succeeds("nft list ruleset | grep -q 192.0.2.2"));
  EXPECT_EQ(Shell("ip -br link show type veth"), "");
  Shell(fmt::format("ip link del {}", PeerLinkName(owner, 3)));
  EXPECT_EQ(driver_->Join(kBlue, "e1", "/run/x", "").src_name, PeerLinkName(owner, 3));
}

}  // namespace
}  // namespace cnm::local
