// local_filter_test.cc: what packet filters do to the local driver's networks, judged by traffic.
#include <string>
#include <vector>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "integration/netns/cnm/drivers/local/local_site.h"

namespace cnm::local {
namespace {

/// On a host whose iptables drops as dockerd has it; the parameter is the variant of iptables.
class BehindDocker : public LocalDriverTest, public ::testing::WithParamInterface<const char*> {
 protected:
  void SetUp() override {
    LocalDriverTest::SetUp();
    if (IsSkipped()) return;
    UseIptables(GetParam());
    DropAsDockerDoes();
    driver_->CreateNetwork(MakeNetwork(kBlue, "192.0.2.0/24", "192.0.2.1/24"));
  }

  static void DropAsDockerDoes() {
    Shell("iptables -N DOCKER-USER && iptables -A DOCKER-USER -j RETURN");
    Shell("iptables -I FORWARD -j DOCKER-USER && iptables -P FORWARD DROP");
  }
};

TEST_P(BehindDocker, PublishedPortsAreReachedFromOtherHosts) {
  const Outside outside;
  const OtherNetns a;
  Attach(MakeEndpoint(kBlue, "e1", "192.0.2.2/24"), a);
  const Server server(a, 80, "blue");
  driver_->ProgramExternalConnectivity(kBlue, "e1", {{.port = 80, .host_port = 8091}}, "");
  EXPECT_EQ(Ask(outside.netns(), "198.51.100.1", 8091), "blue");
  Shell(outside.netns().Inside("ip route add 192.0.2.0/24 via 198.51.100.1"));
  EXPECT_EQ(Ask(outside.netns(), "192.0.2.2", 80), "") << "what nobody published";
  driver_->RevokeExternalConnectivity(kBlue, "e1");
  EXPECT_FALSE(Succeeds("iptables-save | grep 192.0.2.2 | grep -q DNAT"));
  EXPECT_TRUE(Pings(a, "198.51.100.9")) << "the rest stays";
  driver_->ProgramExternalConnectivity(kBlue, "e1", {{.port = 80, .host_port = 8092}}, "");
  driver_->Leave(kBlue, "e1");
  EXPECT_FALSE(Succeeds("iptables-save | grep -q 192.0.2.2"));
}

TEST_P(BehindDocker, AnOperatorRefusesThemInEitherChain) {
  Shell("iptables -I DOCKER-USER -p tcp --dport 81 -j DROP");  // older than our rules
  const Outside outside;
  const OtherNetns a;
  Attach(MakeEndpoint(kBlue, "e1", "192.0.2.2/24"), a);
  const Server server(a, 80, "blue");
  const Server second(a, 81, "two");
  driver_->ProgramExternalConnectivity(
      kBlue, "e1", {{.port = 80, .host_port = 8091}, {.port = 81, .host_port = 8092}}, "");
  EXPECT_EQ(Ask(outside.netns(), "198.51.100.1", 8092), "");
  EXPECT_EQ(Ask(outside.netns(), "198.51.100.1", 8091), "blue");
  Shell("nft add rule inet cnm user tcp dport 80 drop");
  EXPECT_EQ(Ask(outside.netns(), "198.51.100.1", 8091), "");
  Shell("nft flush chain inet cnm user");
  EXPECT_EQ(Ask(outside.netns(), "198.51.100.1", 8091), "blue");
}

TEST_P(BehindDocker, AReloadOpensThemAgain) {
  Shell("iptables -P FORWARD ACCEPT && iptables -F FORWARD && iptables -F DOCKER-USER");
  Shell("iptables -X DOCKER-USER");
  const Outside outside;
  const OtherNetns a;
  Attach(MakeEndpoint(kBlue, "e1", "192.0.2.2/24"), a);
  const Server server(a, 80, "blue");
  driver_->ProgramExternalConnectivity(kBlue, "e1", {{.port = 80, .host_port = 8091}}, "");
  EXPECT_FALSE(Succeeds("iptables-save | grep -q CNI-PUBLISHED"));
  DropAsDockerDoes();
  EXPECT_EQ(Ask(outside.netns(), "198.51.100.1", 8091), "");
  const ReloadReport report = Reload();
  EXPECT_TRUE(report.errors.empty());
  EXPECT_EQ(Ask(outside.netns(), "198.51.100.1", 8091), "blue");
  EXPECT_TRUE(Pings(a, "198.51.100.9"));
}

/// Adds a default route as a container with NET_ADMIN can, and asks an outside that knows the way
/// back.
TEST_F(LocalDriverTest, NobodyLeavesAnInternalNetworkByARouteOfTheirOwn) {
  const Outside outside;
  Shell(outside.netns().Inside("ip route add 192.0.2.0/24 via 198.51.100.1"));
  NetworkConfig network = MakeNetwork(kBlue, "192.0.2.0/24", "192.0.2.1/24");
  network.internal = true;
  driver_->CreateNetwork(network);
  const OtherNetns a;
  const OtherNetns b;
  Attach(MakeEndpoint(kBlue, "e1", "192.0.2.2/24"), a);
  Attach(MakeEndpoint(kBlue, "e2", "192.0.2.3/24"), b);
  Shell("sysctl -qw net.ipv4.ip_forward=1");
  for (const OtherNetns* const netns : {&a, &b}) {
    Shell(netns->Inside("ip route add default via 192.0.2.1"));
  }
  EXPECT_FALSE(Pings(a, "198.51.100.9"));
  EXPECT_FALSE(Pings(outside.netns(), "192.0.2.2"));
  EXPECT_TRUE(Pings(a, "192.0.2.3"));
  EXPECT_TRUE(Pings(a, "192.0.2.1"));
  for (const char* const id : {"e1", "e2"}) driver_->Leave(kBlue, id);
  for (const char* const id : {"e1", "e2"}) driver_->DeleteEndpoint(kBlue, id);
  driver_->DeleteNetwork(kBlue);
  EXPECT_FALSE(Succeeds("nft list ruleset | grep -q br-bbbbb"));
}

TEST_F(LocalDriverTest, PublishedPortsAreKeptFromOtherPrograms) {
  const std::string tcp = "s.create_server(('',8091))";  // with SO_REUSEADDR, as servers have it
  const std::string tcp6 = "s.create_server(('::',8091),family=s.AF_INET6)";
  const std::string udp = "s.socket(s.AF_INET,s.SOCK_DGRAM).bind(('127.0.0.1',8091))";
  driver_->CreateNetwork(MakeNetwork(kBlue, "192.0.2.0/24", "192.0.2.1/24"));
  const OtherNetns a;
  Attach(MakeEndpoint(kBlue, "e1", "192.0.2.2/24"), a);
  const std::vector<engine::PortBinding> ports = {{.port = 80, .host_port = 8091},
                                                  {.protocol = 17, .port = 80, .host_port = 8091}};
  driver_->ProgramExternalConnectivity(kBlue, "e1", ports, "");
  for (int restart = 0; restart < 2; ++restart) {
    for (const std::string& bind : {tcp, tcp6, udp}) {
      EXPECT_TRUE(Python(bind).starts_with("Address already in use")) << bind;
    }
    EXPECT_EQ(Python("s.create_connection(('::1',8091),1)"), "Connection refused");
    driver_.reset();
    EXPECT_EQ(Python(tcp), "");  // a socket goes with its process
    driver_ = Open();
  }
  driver_->RevokeExternalConnectivity(kBlue, "e1");
  for (const std::string& bind : {tcp, tcp6, udp}) EXPECT_EQ(Python(bind), "") << bind;
}

TEST_F(LocalDriverTest, PortsOfOtherProgramsAreNotPublished) {
  driver_->CreateNetwork(MakeNetwork(kBlue, "192.0.2.0/24", "192.0.2.1/24"));
  const OtherNetns a;
  Attach(MakeEndpoint(kBlue, "e1", "192.0.2.2/24"), a);
  const OwnServer other(8091);
  EXPECT_EQ(Failure([&] {
              driver_->ProgramExternalConnectivity(
                  kBlue, "e1", {{.port = 81, .host_port = 8090}, {.port = 80, .host_port = 8091}},
                  "");
            }),
            "listen tcp 0.0.0.0:8091: bind: address already in use; another program of this host "
            "has it");
  EXPECT_FALSE(Succeeds("nft list ruleset | grep -qE '809[01]'"));
  EXPECT_EQ(Python("s.create_server(('',8090))"), "") << "all or nothing";
  driver_->ProgramExternalConnectivity(
      kBlue, "e1", {{.port = 80, .host_port = 8091, .host_port_end = 8092}}, "");
  EXPECT_TRUE(Succeeds("nft list map inet cnm any_ports_v4 | grep -q 8092"));
}

/// What the packet filter refused after it was on record could not be taken away again either.
TEST_F(LocalDriverTest, WhatCannotBePublishedIsRefusedBeforeItIsRecorded) {
  driver_->CreateNetwork(MakeNetwork(kBlue, "192.0.2.0/24", "192.0.2.1/24"));
  const OtherNetns a;
  Attach(MakeEndpoint(kBlue, "e1", "192.0.2.2/24"), a);
  const std::vector<engine::PortBinding> wrong = {
      {.port = 0, .host_port = 8091},
      {.protocol = 1, .port = 80, .host_port = 8091},
      {.port = 80, .host_port = 8091, .host_port_end = 8090}};
  for (const engine::PortBinding& binding : wrong) {
    EndpointConfig other = MakeEndpoint(kBlue, "e2", "192.0.2.3/24");
    other.port_bindings = {binding};
    EXPECT_NE(Failure([&] { driver_->CreateEndpoint(other); }), "");
    EXPECT_NE(Failure([&] { driver_->ProgramExternalConnectivity(kBlue, "e1", {binding}, ""); }),
              "");
  }
  driver_->Leave(kBlue, "e1");
  driver_->DeleteEndpoint(kBlue, "e1");
  EXPECT_EQ(Shell(fmt::format("ls {}/run/endpoints", root_)), "");
}

INSTANTIATE_TEST_SUITE_P(Variants, BehindDocker, ::testing::Values("nft", "legacy"));

}  // namespace
}  // namespace cnm::local
