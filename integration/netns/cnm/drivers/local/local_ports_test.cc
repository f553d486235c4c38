// local_ports_test.cc: published ports of the local driver's endpoints, judged by connections.
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include "integration/netns/cnm/drivers/local/local_site.h"

namespace cnm::local {
namespace {

TEST_F(LocalDriverTest, PortsArePublishedAndWithdrawn) {
  const Outside outside;
  driver_->CreateNetwork(MakeNetwork(kBlue, "192.0.2.0/24", "192.0.2.1/24"));
  const OtherNetns a;
  EndpointConfig endpoint = MakeEndpoint(kBlue, "e1", "192.0.2.2/24");
  endpoint.exposed_ports = {{.protocol = 6, .port = 80}};
  endpoint.port_bindings = {{.port = 80, .host_port = 8091, .host_port_end = 8091}, {.port = 80}};
  Attach(endpoint, a);
  const Server server(a, 80, "blue");
  driver_->ProgramExternalConnectivity(kBlue, "e1", endpoint.port_bindings, "");
  Shell("nft flush ruleset");  // as if killed between the record and the rules
  driver_->ProgramExternalConnectivity(kBlue, "e1", endpoint.port_bindings, "");
  EXPECT_EQ(Ask(outside.netns(), "198.51.100.1", 8091), "blue");
  const std::string info = driver_->OperInfo(kBlue, "e1");
  EXPECT_NE(info.find(R"("com.docker.network.endpoint.exposedports":[{"Proto":6,"Port":80}])"),
            std::string::npos);
  EXPECT_NE(info.find(R"({"Proto":6,"IP":"192.0.2.2","Port":80,"HostIP":"","HostPort":8091,)"
                      R"("HostPortEnd":8091})"),
            std::string::npos)
      << info;
  EXPECT_EQ(info.find(R"("HostPort":0)"), std::string::npos) << info;

  const OtherNetns b;
  EndpointConfig other = MakeEndpoint(kBlue, "e2", "192.0.2.3/24");
  Attach(other, b);
  const std::vector<engine::PortBinding> taken = {{.port = 80, .host_port = 8091}};
  for (int restart = 0; restart < 2; ++restart) {
    EXPECT_EQ(Failure([&] { driver_->ProgramExternalConnectivity(kBlue, "e2", taken, ""); }),
              "Bind for 0.0.0.0:8091 failed: port is already allocated; held on 0.0.0.0:8091; port "
              "8091 is endpoint e1 on network docker-bbbbbbbbbbbb's");
    driver_ = Open();
  }
  driver_->RevokeExternalConnectivity(kBlue, "e1");
  EXPECT_EQ(Ask(outside.netns(), "198.51.100.1", 8091), "");
  driver_->ProgramExternalConnectivity(kBlue, "e2", taken, "");
  const Server second(b, 80, "two");
  EXPECT_EQ(Ask(outside.netns(), "198.51.100.1", 8091), "two");
  driver_->Leave(kBlue, "e2");
  EXPECT_EQ(Ask(outside.netns(), "198.51.100.1", 8091), "");
}

TEST_F(LocalDriverTest, ACallThatIsRepeatedMeanwhilePublishesOnce) {
  const auto ports = std::make_shared<HostPorts>(PortRange{40000, 40001});
  driver_ = Open("docker", ports);
  driver_->CreateNetwork(MakeNetwork(kBlue, "192.0.2.0/24", "192.0.2.1/24"));
  driver_->CreateEndpoint(MakeEndpoint(kBlue, "e1", "192.0.2.2/24"));
  driver_->Join(kBlue, "e1", "/run/x", "");
  const std::vector<engine::PortBinding> wanted = {{.port = 80}};
  for (int round = 0; round < 20; ++round) {
    const auto publish = [&] { driver_->ProgramExternalConnectivity(kBlue, "e1", wanted, ""); };
    std::string repeated;
    std::thread other([&] { repeated = Failure(publish); });
    EXPECT_EQ(Failure(publish), "");
    other.join();
    EXPECT_EQ(repeated, "");
    driver_->RevokeExternalConnectivity(kBlue, "e1");
  }
  EXPECT_EQ(ports->Take({{.port = 80}, {.port = 81}}).size(), 2U) << "all are free again";
}

}  // namespace
}  // namespace cnm::local
