// local_iptables_test.cc: the local driver on a kernel without nf_tables, judged by traffic and
// iptables-save.
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "integration/netns/cnm/drivers/local/without_nftables.h"

namespace cnm::local {
namespace {

TEST_F(WithoutNftables, PortsArePublishedAndWithdrawn) {
  Run([&] {
    const Outside outside;
    Shell("iptables -P FORWARD DROP");
    driver_->CreateNetwork(MakeNetwork(kBlue, "192.0.2.0/24", "192.0.2.1/24"));
    const OtherNetns a;
    const OtherNetns b;
    Attach(MakeEndpoint(kBlue, "e1", "192.0.2.2/24"), a);
    Attach(MakeEndpoint(kBlue, "e2", "192.0.2.3/24"), b);
    const Server server(a, 80, "blue");
    const std::vector<engine::PortBinding> ports = {{.port = 80, .host_port = 8091}};
    driver_->ProgramExternalConnectivity(kBlue, "e1", ports, "");
    EXPECT_EQ(Ask(outside.netns(), "198.51.100.1", 8091), "blue");
    EXPECT_EQ(Ask(b, "198.51.100.1", 8091), "blue");
    EXPECT_EQ(Python("print(s.create_connection(('127.0.0.1',8091),20).recv(9).decode())"), "blue");
    EXPECT_TRUE(Pings(a, "198.51.100.9")) << "masqueraded";
    Shell("iptables -t nat -F && iptables -F");
    EXPECT_EQ(Ask(outside.netns(), "198.51.100.1", 8091), "");
    EXPECT_TRUE(Reload().errors.empty());
    EXPECT_EQ(Ask(outside.netns(), "198.51.100.1", 8091), "blue");
    driver_->RevokeExternalConnectivity(kBlue, "e1");
    EXPECT_EQ(Ask(outside.netns(), "198.51.100.1", 8091), "");
    EXPECT_FALSE(Saved("to-destination"));
    for (const char* const id : {"e1", "e2"}) driver_->Leave(kBlue, id);
    for (const char* const id : {"e1", "e2"}) driver_->DeleteEndpoint(kBlue, id);
    driver_->DeleteNetwork(kBlue);
    EXPECT_FALSE(Saved("192.0.2")) << Shell("iptables-save");
    EXPECT_FALSE(Saved("br-bbbb")) << Shell("iptables-save");
  });
}

TEST_F(WithoutNftables, APortIsNotPublishedTwice) {
  Run([&] {
    driver_->CreateNetwork(MakeNetwork(kBlue, "192.0.2.0/24", "192.0.2.1/24"));
    const OtherNetns a;
    const OtherNetns b;
    Attach(MakeEndpoint(kBlue, "e1", "192.0.2.2/24"), a);
    Attach(MakeEndpoint(kBlue, "e2", "192.0.2.3/24"), b);
    const std::vector<engine::PortBinding> ports = {{.port = 80, .host_port = 8091}};
    driver_->ProgramExternalConnectivity(kBlue, "e1", ports, "");

    EXPECT_NE(Failure([&] { driver_->ProgramExternalConnectivity(kBlue, "e2", ports, ""); }), "");
    EXPECT_FALSE(Saved("192.0.2.3:80"));
    driver_->DeleteEndpoint(kBlue, "e1");
    driver_->ProgramExternalConnectivity(kBlue, "e2", ports, "");
    EXPECT_TRUE(Saved("192.0.2.3:80"));
  });
}

TEST_F(WithoutNftables, NetworksAreKeptApartAndInternalOnesIn) {
  Run([&] {
    const Outside outside;
    Shell(outside.netns().Inside("ip route add 203.0.113.0/24 via 198.51.100.1"));
    driver_->CreateNetwork(MakeNetwork(kBlue, "192.0.2.0/24", "192.0.2.1/24"));
    NetworkConfig inside = MakeNetwork(kRed, "203.0.113.0/24", "203.0.113.1/24");
    inside.internal = true;
    driver_->CreateNetwork(inside);
    const OtherNetns a;
    const OtherNetns b;
    const OtherNetns c;
    Attach(MakeEndpoint(kBlue, "e1", "192.0.2.2/24"), a);
    Attach(MakeEndpoint(kRed, "e2", "203.0.113.2/24"), b);
    Attach(MakeEndpoint(kRed, "e3", "203.0.113.3/24"), c);
    Shell(b.Inside("ip route add default via 203.0.113.1"));
    EXPECT_FALSE(Pings(a, "203.0.113.2"));
    EXPECT_FALSE(Pings(b, "192.0.2.2"));
    EXPECT_FALSE(Pings(b, "198.51.100.9"));
    EXPECT_FALSE(Pings(outside.netns(), "203.0.113.2"));
    EXPECT_TRUE(Pings(b, "203.0.113.3"));
    EXPECT_TRUE(Pings(a, "198.51.100.9"));
    for (const char* const id : {"e2", "e3"}) driver_->DeleteEndpoint(kRed, id);
    driver_->DeleteNetwork(kRed);
    EXPECT_FALSE(Saved("br-cccc")) << Shell("iptables-save");
  });
}

}  // namespace
}  // namespace cnm::local
