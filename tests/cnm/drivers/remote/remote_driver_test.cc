// remote_driver_test.cc: the remote network driver against a plugin on a unix socket.
#include "cnm/drivers/remote/remote_driver.h"

#include <memory>
#include <string>

#include <gtest/gtest.h>

#include "tests/cnm/drivers/remote/fake_plugin.h"

namespace cnm::remote {
namespace {

class RemoteDriverTest : public FakePluginTest {
 protected:
  std::shared_ptr<RemoteDriver> Find() const { return RemoteDriver::Find("fake", Settings()); }
  static engine::EndpointConfig Endpoint() {
    return {.network_id = "n1", .id = "e1", .options = R"({"foo":"bar"})"};
  }
};

TEST_F(RemoteDriverTest, IsActivatedOnceAndTellsItsScope) {
  const auto driver = Find();
  EXPECT_EQ(driver->type(), "fake");
  EXPECT_EQ(driver->scope(), engine::Scope::kLocal);
  EXPECT_EQ(Requests(), (std::vector<std::string>{"Activate ", "GetCapabilities "}));
  Says("GetCapabilities", R"({"Scope":"global"})");
  EXPECT_EQ(Find()->scope(), engine::Scope::kGlobal);
}

TEST_F(RemoteDriverTest, PluginsWithoutScopeOrInterfaceAreRefused) {
  for (const char* capabilities : {"{}", "null", "", R"({"Scope":"fake"})"}) {
    Says("GetCapabilities", capabilities);
    const Error error = FailureOf([&] { Find(); });
    EXPECT_EQ(error.code(), Code::kConfig);
    EXPECT_EQ(error.message(), "invalid driver bound to network: fake");
  }
  Says("Activate", R"({"Implements":["IpamDriver"]})");
  EXPECT_EQ(FailureOf([&] { Find(); }).message(),
            "plugin fake: Plugin does not implement the requested driver");
  EXPECT_EQ(RemoteDriver::Find("another", Settings()), nullptr);
}

TEST_F(RemoteDriverTest, NetworksAreToldAsDockerTellsThem) {
  const auto driver = Find();
  driver->CreateNetwork({.id = "n1",
                         .options = R"({"myopt":"1"})",
                         .ipv4 = {{.address_space = "s",
                                   .pool = *net::Prefix::Parse("192.0.2.0/24"),
                                   .gateway = net::Prefix::Parse("192.0.2.1/24")}}});
  EXPECT_EQ(LastRequest(),
            R"(CreateNetwork {"NetworkID":"n1","Options":{"com.docker.network.enable_ipv6":false,)"
            R"("com.docker.network.generic":{"myopt":"1"}},"IPv4Data":[{"AddressSpace":"s",)"
            R"("Pool":"192.0.2.0/24","Gateway":"192.0.2.1/24"}],"IPv6Data":[]})");
  driver->DeleteNetwork("n1");
  EXPECT_EQ(LastRequest(), R"(DeleteNetwork {"NetworkID":"n1"})");
}

TEST_F(RemoteDriverTest, EndpointsGetWhatThePluginChose) {
  Says("CreateEndpoint", R"({"Interface":{"Address":"192.0.2.7/24","AddressIPv6":"2001:db8::7/64",)"
                         R"("MacAddress":"02:00:00:00:00:07"}})");
  const engine::Interface chosen = Find()->CreateEndpoint(Endpoint());
  EXPECT_EQ(chosen.address->ToString(), "192.0.2.7/24");
  EXPECT_EQ(chosen.address_ipv6->ToString(), "2001:db8::7/64");
  EXPECT_EQ(chosen.mac->ToString(), "02:00:00:00:00:07");
  EXPECT_EQ(LastRequest(),
            R"(CreateEndpoint {"NetworkID":"n1","EndpointID":"e1","Interface":{"Address":"",)"
            R"("AddressIPv6":"","MacAddress":""},"Options":{"foo":"bar"}})");
}

TEST_F(RemoteDriverTest, MissingValuesAreNone) {
  const auto driver = Find();
  for (const char* answer : {"{}", "null", R"({"Interface":{"Address":""}})"}) {
    Says("CreateEndpoint", answer);
    EXPECT_TRUE(driver->CreateEndpoint(Endpoint()).empty()) << answer;
  }
  EXPECT_EQ(driver->Join("n1", "e1", "/run/netns/x", ""), engine::JoinInfo{});
  EXPECT_EQ(driver->OperInfo("n1", "e1"), "{}");
}

TEST_F(RemoteDriverTest, WhatAPluginMayNotAnswerIsRolledBack) {
  const auto driver = Find();
  engine::EndpointConfig endpoint = Endpoint();
  endpoint.interface.address = net::Prefix::Parse("192.0.2.2/24");
  Says("CreateEndpoint", R"({"Interface":{"MacAddress":"02:00:00:00:00:07"}})");
  EXPECT_EQ(driver->CreateEndpoint(endpoint).mac->ToString(), "02:00:00:00:00:07");
  Says("CreateEndpoint", R"({"Interface":{"Address":"192.0.2.3/24"}})");
  EXPECT_EQ(FailureOf([&] { driver->CreateEndpoint(endpoint); }).message(),
            "driver attempted to add interface ignoring the one provided; rolled back");
  EXPECT_EQ(LastRequest(), R"(DeleteEndpoint {"NetworkID":"n1","EndpointID":"e1"})");
  Says("CreateEndpoint", R"({"Interface":{"AddressIPv6":"bogus"}})");
  Says("DeleteEndpoint", R"({"Err":"no"})");
  const std::string message = FailureOf([&] { driver->CreateEndpoint(endpoint); }).message();
  EXPECT_NE(message.find("bogus"), std::string::npos) << message;
  EXPECT_TRUE(message.ends_with("; failed to roll back: remote: no")) << message;
}

TEST_F(RemoteDriverTest, JoinsAreReadWhole) {
  Says("Join", R"({"InterfaceName":{"SrcName":"vethx","DstPrefix":"eth"},"Gateway":"192.0.2.1",)"
               R"("GatewayIPv6":"2001:db8::1","StaticRoutes":[)"
               R"({"Destination":"198.51.100.0/24","RouteType":1,"NextHop":"192.0.2.1"},)"
               R"({"Destination":"203.0.113.0/24","RouteType":0,"NextHop":"192.0.2.9"}],)"
               R"("DisableGatewayService":true})");
  const engine::JoinInfo info = Find()->Join("n1", "e1", "/run/netns/x", R"({"foo":"bar"})");
  EXPECT_EQ(LastRequest(),
            R"(Join {"NetworkID":"n1","EndpointID":"e1","SandboxKey":"/run/netns/x",)"
            R"("Options":{"foo":"bar"}})");
  EXPECT_EQ(info.src_name, "vethx");
  EXPECT_EQ(info.dst_prefix, "eth");
  EXPECT_EQ(info.gateway->ToString(), "192.0.2.1");
  EXPECT_EQ(info.gateway_ipv6->ToString(), "2001:db8::1");
  ASSERT_EQ(info.routes.size(), 2U);
  EXPECT_FALSE(info.routes[0].next_hop) << "a connected route has none";
  EXPECT_EQ(info.routes[1].next_hop->ToString(), "192.0.2.9");
  EXPECT_TRUE(info.disable_gateway_service);
}

TEST_F(RemoteDriverTest, JoinsThatCannotBeUsedAreLeft) {
  const auto driver = Find();
  const auto refused = [&](const std::string& answer) {
    Says("Join", answer);
    std::string message = FailureOf([&] { driver->Join("n1", "e1", "k", ""); }).message();
    EXPECT_EQ(LastRequest(), R"(Leave {"NetworkID":"n1","EndpointID":"e1"})");
    return message;
  };
  EXPECT_EQ(refused(R"({"Gateway":"x"})"), "unable to parse Gateway \"x\"; rolled back");
  EXPECT_EQ(refused(R"({"StaticRoutes":[{"Destination":"198.51.100.0/24","RouteType":2}]})"),
            "route type 2 is unknown; rolled back");
  EXPECT_EQ(refused(R"({"StaticRoutes":[{"Destination":"198.51.100.0/24","RouteType":0}]})"),
            "unable to parse NextHop \"\"; rolled back");
}

TEST_F(RemoteDriverTest, FailuresHaveThePluginsWords) {
  const auto driver = Find();
  const auto failure = [&](const std::string& body, unsigned status) {
    Says("Leave", body, status);
    return FailureOf([&] { driver->Leave("n1", "e1"); });
  };
  EXPECT_EQ(failure(R"({"Err":"boom"})", 200).message(), "remote: boom");
  EXPECT_EQ(failure(R"({"Err":"boom"})", 500).message(), "NetworkDriver.Leave: boom");
  EXPECT_EQ(failure("plain text\n", 400).message(), "NetworkDriver.Leave: plain text");
  EXPECT_EQ(failure("", 503).message(), "NetworkDriver.Leave: status 503");
  EXPECT_EQ(failure("", 404).code(), Code::kNotFound);
  EXPECT_EQ(failure("[1]", 200).code(), Code::kDecode);
}

TEST_F(RemoteDriverTest, PluginsNeedNotKnowExternalConnectivity) {
  const auto driver = Find();
  Says("ProgramExternalConnectivity", "404 page not found", 404);
  Says("RevokeExternalConnectivity", "", 404);
  driver->ProgramExternalConnectivity("n1", "e1", {{.port = 80, .host_port = 8080}}, "");
  EXPECT_EQ(LastRequest(),
            R"(ProgramExternalConnectivity {"NetworkID":"n1","EndpointID":"e1","Options":)"
            R"({"com.docker.network.portmap":[{"Proto":6,"IP":"","Port":80,"HostIP":"",)"
            R"("HostPort":8080,"HostPortEnd":0}]}})");
  driver->RevokeExternalConnectivity("n1", "e1");
  Says("ProgramExternalConnectivity", R"({"Err":"port taken"})");
  EXPECT_EQ(FailureOf([&] { driver->ProgramExternalConnectivity("n1", "e1", {}, "{}"); }).message(),
            "remote: port taken");
}

}  // namespace
}  // namespace cnm::remote
