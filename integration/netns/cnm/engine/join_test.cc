// join_test.cc: endpoints in sandboxes, judged by ip, ping and the files that containers mount.
#include <fstream>
#include <string>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "integration/netns/cnm/engine/fakes.h"

namespace cnm::engine {
namespace {

using testing::Shell;

class EngineJoin : public EngineNetns {};

TEST_F(EngineJoin, SandboxesOnOneNetworkReachEachOtherByName) {
  const std::string net = MakeNetwork("blue");
  const std::string web = MakeSandbox("c-web");
  const std::string db = MakeSandbox("c-db");
  engine_->Join(net, MakeEndpoint(net, "web"), web);
  engine_->Join(net, MakeEndpoint(net, "db"), db);
  EXPECT_TRUE(Pings(web, "db"));
  EXPECT_TRUE(Pings(web, "db.blue"));
  EXPECT_TRUE(Pings(db, "web"));
  EXPECT_TRUE(Pings(db, "c-db.example"));
  EXPECT_FALSE(Knows(db, "nobody"));

  const EndpointInfo info = engine_->GetEndpointByName(net, "web");
  EXPECT_EQ(info.sandbox_id, web);
  ASSERT_TRUE(info.gateway);
  EXPECT_EQ(DefaultGateway(web), info.gateway->ToString());
  ASSERT_TRUE(info.interface.mac);
  EXPECT_NE(Shell(Inside(web, "ip -o link show eth0")).find(info.interface.mac->ToString()),
            std::string::npos);
  const auto statistics = engine_->Statistics(web);
  ASSERT_TRUE(statistics.contains("eth0"));
  EXPECT_GT(statistics.at("eth0").rx_packets, 0U);
}

TEST_F(EngineJoin, DeletingEverythingLeavesNothing) {
  const std::string before = Leftovers();
  const std::string net = MakeNetwork("blue");
  const std::string endpoint = MakeEndpoint(net, "web");
  const std::string sandbox = MakeSandbox("c-web");
  EXPECT_EQ(engine_->Join(net, endpoint, sandbox), engine_->GetSandbox(sandbox).key);
  EXPECT_NE(Leftovers(), before);
  engine_->Leave(net, endpoint, sandbox);
  EXPECT_EQ(LinksOf(sandbox), "lo");
  EXPECT_FALSE(engine_->GetEndpoint(net, endpoint).gateway);
  engine_->DeleteEndpoint(net, endpoint);
  engine_->DeleteSandbox(sandbox);
  engine_->DeleteNetwork(net);
  EXPECT_EQ(Leftovers(), before);
}

TEST_F(EngineJoin, ASecondNetworkGivesEth1AndKeepsTheFirstsNames) {
  const std::string blue = MakeNetwork("blue");
  const std::string red = MakeNetwork("red");
  const std::string web = MakeSandbox("c-web");
  const std::string db = MakeSandbox("c-db");
  const std::string first = MakeEndpoint(blue, "web");
  const std::string second = MakeEndpoint(red, "web");
  engine_->Join(blue, MakeEndpoint(blue, "db"), db);
  engine_->Join(blue, first, web);
  engine_->Join(red, second, web);
  EXPECT_EQ(LinksOf(web), "eth0 eth1 lo");
  EXPECT_TRUE(Pings(web, "db"));
  EXPECT_TRUE(Pings(web, "web.red"));

  engine_->Leave(blue, first, web);
  EXPECT_EQ(LinksOf(web), "eth1 lo");
  EXPECT_FALSE(Knows(web, "db"));
  EXPECT_EQ(DefaultGateway(web), engine_->GetEndpoint(red, second).gateway->ToString());
  engine_->Join(blue, first, web);  // the lowest free number
  EXPECT_EQ(LinksOf(web), "eth0 eth1 lo");
  EXPECT_TRUE(Pings(web, "db"));
}

TEST_F(EngineJoin, NewcomersAndLeaversShowInEverybodysHosts) {
  const std::string net = MakeNetwork("blue");
  const std::string web = MakeSandbox("c-web");
  engine_->Join(net, MakeEndpoint(net, "web"), web);
  EXPECT_FALSE(Knows(web, "late"));
  EndpointSpec spec;
  spec.name = "late";
  spec.aliases = {"everyone"};
  const std::string late = engine_->CreateEndpoint(net, spec);
  EXPECT_NE(Shell("cat " + HostsPath(web)).find("\tlate.blue"), std::string::npos);
  EXPECT_NE(Shell("cat " + HostsPath(web)).find("\teveryone"), std::string::npos);
  engine_->DeleteEndpoint(net, late);
  EXPECT_EQ(Shell("cat " + HostsPath(web)).find("late"), std::string::npos);
}

TEST_F(EngineJoin, AUsersLinesInTheHostsFileStay) {
  const std::string net = MakeNetwork("blue");
  const std::string web = MakeSandbox("c-web");
  const std::string endpoint = MakeEndpoint(net, "web");
  engine_->Join(net, endpoint, web);
  std::ofstream(HostsPath(web), std::ios::app) << "192.0.2.99\tmine\n";
  MakeEndpoint(net, "db");
  engine_->Leave(net, endpoint, web);
  const std::string hosts = Shell("cat " + HostsPath(web));
  EXPECT_NE(hosts.find("192.0.2.99\tmine"), std::string::npos);
  EXPECT_NE(hosts.find("localhost"), std::string::npos);
  EXPECT_EQ(hosts.find("db"), std::string::npos) << hosts;
}

TEST_F(EngineJoin, PriorityMovesTheDefaultRouteAndThePorts) {
  const std::string blue = MakeNetwork("blue");
  const std::string red = MakeNetwork("red");
  const std::string green = MakeNetwork("green");
  const std::string web = MakeSandbox("c-web");
  const std::string first = MakeEndpoint(blue, "web");
  const std::string second = MakeEndpoint(green, "web");
  const std::string third = MakeEndpoint(red, "web");
  const auto gateway = [&](const std::string& network, const std::string& id) {
    return engine_->GetEndpoint(network, id).gateway->ToString();
  };
  engine_->Join(red, third, web);
  EXPECT_EQ(DefaultGateway(web), gateway(red, third));
  engine_->Join(green, second, web);  // of equals, the first by name
  EXPECT_EQ(DefaultGateway(web), gateway(green, second));
  engine_->Join(blue, first, web, {.priority = -1});
  EXPECT_EQ(DefaultGateway(web), gateway(green, second));
  EXPECT_EQ(engine_->GetSandbox(web).endpoint_ids, (std::vector{second, third, first}));
  engine_->Leave(green, second, web);
  EXPECT_EQ(DefaultGateway(web), gateway(red, third));
  engine_->Leave(red, third, web);
  EXPECT_EQ(DefaultGateway(web), gateway(blue, first));
  engine_->Join(red, third, web, {.priority = 5});
  EXPECT_EQ(DefaultGateway(web), gateway(red, third));
  EXPECT_EQ(bridge_->log,
            (std::vector<std::string>{
                "program " + third + " 0", "revoke " + third, "program " + second + " 0",
                "revoke " + second, "program " + third + " 0", "revoke " + third,
                "program " + first + " 0", "revoke " + first, "program " + third + " 0"}));
}

TEST_F(EngineJoin, PortsThatMoveAreTold) {
  const std::string red = MakeNetwork("red");
  const std::string blue = MakeNetwork("blue");
  const std::string web = MakeSandbox("c-web");
  const std::string published = engine_->CreateEndpoint(
      red, {.name = "shop", .port_bindings = {{.port = 80, .host_port = 8080}}});
  const std::string other = MakeEndpoint(blue, "db");
  engine_->Join(red, published, web);
  ::testing::internal::CaptureStderr();
  engine_->Join(blue, other, web);  // before red by name
  EXPECT_EQ(::testing::internal::GetCapturedStderr(),
            "cnm: ports of endpoint shop are published no more: the sandbox's default route is "
            "endpoint db's now, and only its ports are published; the highest priority at the join "
            "decides\n");
  ::testing::internal::CaptureStderr();
  engine_->Leave(blue, other, web);
  EXPECT_EQ(::testing::internal::GetCapturedStderr(), "") << "db had none";
}

TEST_F(EngineJoin, AnEndpointWithoutGatewayGetsTheGatewayNetwork) {
  const std::string net = MakeNetwork("blue", "plain");
  const std::string web = MakeSandbox("c-web");
  EndpointSpec spec;
  spec.name = "web";
  spec.port_bindings = {{.protocol = 6, .port = 80, .host_port = 8080}};
  const std::string endpoint = engine_->CreateEndpoint(net, spec);
  engine_->Join(net, endpoint, web);
  const std::string gateway = engine_->GetNetworkByName("docker_gwbridge").id;
  const EndpointInfo way = engine_->GetEndpointByName(gateway, "gateway_c-web");
  EXPECT_EQ(way.sandbox_id, web);
  EXPECT_EQ(engine_->GetSandbox(web).endpoint_ids, (std::vector{way.id, endpoint}));
  EXPECT_EQ(DefaultGateway(web), way.gateway->ToString());
  EXPECT_EQ(bridge_->log, (std::vector<std::string>{"program " + way.id + " 1"}));
  EXPECT_EQ(Shell("cat " + HostsPath(web)).find("gateway_"), std::string::npos);

  // One with a gateway makes it needless.
  const std::string red = MakeNetwork("red");
  const std::string other = MakeEndpoint(red, "web");
  engine_->Join(red, other, web);
  EXPECT_TRUE(engine_->Endpoints(gateway).empty());
  EXPECT_EQ(DefaultGateway(web), engine_->GetEndpoint(red, other).gateway->ToString());
  engine_->Leave(red, other, web);
  EXPECT_EQ(engine_->Endpoints(gateway).size(), 1U);
  engine_->Leave(net, endpoint, web);
  EXPECT_TRUE(engine_->Endpoints(gateway).empty());
  EXPECT_EQ(LinksOf(web), "lo");
}

TEST_F(EngineJoin, ALinkOfADriverThatWantsItComesBackUnderItsName) {
  plain_->returns_links = true;
  NetworkSpec spec;
  spec.name = "blue";
  spec.type = "plain";
  spec.internal = true;
  const std::string net = engine_->CreateNetwork(spec);
  const std::string web = MakeSandbox("c-web");
  const std::string endpoint = MakeEndpoint(net, "web");
  engine_->Join(net, endpoint, web);
  EXPECT_EQ(LinksOf(web), "eth0 lo");
  engine_->Leave(net, endpoint, web);
  EXPECT_EQ(LinksOf(web), "lo");
  const std::string flags = Shell("ip -o link show c" + endpoint.substr(0, 10));
  EXPECT_EQ(flags.find(",UP"), std::string::npos) << flags;
}

TEST_F(EngineJoin, ALinkWithoutAnIpv6AddressHasNoIpv6) {
  const std::string net = MakeNetwork("blue");
  const std::string web = MakeSandbox("c-web");
  engine_->Join(net, MakeEndpoint(net, "web"), web);
  EXPECT_EQ(Shell(Inside(web, "sysctl -n net.ipv6.conf.eth0.disable_ipv6")), "1");
  EXPECT_EQ(Shell(Inside(web, "ip -6 address show dev eth0")), "");

  NetworkSpec spec;
  spec.name = "red";
  spec.type = "bridge";
  spec.enable_ipv6 = true;
  PoolConfig pool;
  pool.preferred_pool = "2001:db8:1::/64";
  spec.ipv6 = {pool};
  const std::string red = engine_->CreateNetwork(spec);
  engine_->Join(red, MakeEndpoint(red, "web"), web);
  EXPECT_EQ(Shell(Inside(web, "sysctl -n net.ipv6.conf.eth1.disable_ipv6")), "0");
  EXPECT_NE(Shell(Inside(web, "ip -6 address show dev eth1")).find("2001:db8:1::"),
            std::string::npos);
}

TEST_F(EngineJoin, Ipv6HasAddressAndGateway) {
  NetworkSpec spec;
  spec.name = "six";
  spec.enable_ipv6 = true;
  PoolConfig pool;
  pool.preferred_pool = "2001:db8:1::/64";
  spec.ipv6 = {pool};
  const std::string net = engine_->CreateNetwork(spec);
  const std::string web = MakeSandbox("c-web");
  const std::string db = MakeSandbox("c-db");
  engine_->Join(net, MakeEndpoint(net, "web"), web);
  engine_->Join(net, MakeEndpoint(net, "db"), db);
  EXPECT_TRUE(testing::Succeeds(Inside(web, "ping -c1 -W5 2001:db8:1::3")));
  EXPECT_NE(Shell(Inside(web, "ip -6 route show default")).find("via 2001:db8:1::1"),
            std::string::npos);
}

TEST_F(EngineJoin, RefusalsHaveTheirTexts) {
  const std::string net = MakeNetwork("blue");
  const std::string endpoint = MakeEndpoint(net, "web");
  const std::string web = MakeSandbox("c-web");
  const std::string db = MakeSandbox("c-db");
  const auto leave = [&] { engine_->Leave(net, endpoint, db); };
  EXPECT_EQ(MessageOf(leave), "cannot leave endpoint with no attached sandbox");
  engine_->Join(net, endpoint, web);
  EXPECT_EQ(MessageOf(leave),
            fmt::format("unexpected sandbox ID in leave request. Expected {}. Got {}", web, db));
  EXPECT_EQ(MessageOf([&] { engine_->Join(net, endpoint, db); }),
            "a sandbox has already joined the endpoint");
  EXPECT_EQ(MessageOf([&] { engine_->DeleteEndpoint(net, endpoint); }),
            fmt::format("endpoint with name web id {} has active containers", endpoint));
  EXPECT_EQ(MessageOf([&] { engine_->DeleteNetwork(net); }),
            fmt::format("network with name blue id {} has active endpoints", net));
  EXPECT_EQ(MessageOf([&] { MakeNetwork("blue"); }), "network with name blue already exists");
  EXPECT_EQ(MessageOf([&] { MakeNetwork("a.b"); }), "invalid name: a.b");
  EXPECT_EQ(MessageOf([&] { MakeNetwork("x", "unheard-of"); }), "Plugin not found");
  EXPECT_EQ(MessageOf([&] { MakeEndpoint(net, "web"); }),
            "service endpoint with name web already exists");
  EXPECT_EQ(MessageOf([&] { MakeSandbox("c-web"); }), "container c-web is already present");
  EXPECT_EQ(MessageOf([&] { MakeSandbox(""); }), "invalid container ID");
  EXPECT_EQ(MessageOf([&] { engine_->GetSandbox("x"); }), "sandbox x not found");
  engine_->DeleteEndpoint(net, endpoint, true);
  EXPECT_EQ(LinksOf(web), "lo");
}

}  // namespace
}  // namespace cnm::engine
