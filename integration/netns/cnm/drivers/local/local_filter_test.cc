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

INSTANTIATE_TEST_SUITE_P(Variants, BehindDocker, ::testing::Values("nft", "legacy"));

}  // namespace
}  // namespace cnm::local
