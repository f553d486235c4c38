// plan_test.cc: bridge options and the plan of an endpoint, without a kernel.
#include <gtest/gtest.h>

#include "cnm/drivers/bridge/driver.h"
#include "cnm/drivers/bridge/options.h"
#include "cnm/id.h"
#include "common/base/error.h"

namespace cnm::bridge {
namespace {

Options DecodeText(const char* text) {
  return Decode(json::Parse(text, "test"));
}

std::string MessageOf(const char* text) {
  try {
    DecodeText(text);
  } catch (const Error& e) {
    return e.message();
  }
  return "accepted";
}

TEST(BridgeOptions, DefaultsAreTheReferences) {
  const Options options = DecodeText("{}");
  EXPECT_EQ(options, Options());
  EXPECT_EQ(options.bridge, "cni0");
}

TEST(BridgeOptions, SurviveTheRecord) {
  Options options{.bridge = "br0", .is_gateway = true, .is_default_gateway = true, .ip_masq = true};
  options.mtu = 1400;
  options.vlan = 5;
  options.trunk_given = true;
  options.trunk = {7, 9};
  options.mac_spoof_check = true;
  options.port_isolation = true;
  EXPECT_EQ(DecodeText(Encode(options).c_str()), options);
}

TEST(BridgeOptions, TrunkRangesAreSortedAndUnique) {
  const Options options = DecodeText(R"({"vlanTrunk":[{"minID":5,"maxID":7},{"id":6},{"id":2}]})");
  EXPECT_EQ(options.trunk, (std::vector<uint16_t>{2, 5, 6, 7}));
  EXPECT_TRUE(DecodeText(R"({"vlanTrunk":[]})").vlan_filtering());
}

TEST(BridgeOptions, RefusesInTheReferencesWords) {
  EXPECT_EQ(MessageOf(R"({"vlan":4095})"), "invalid VLAN ID 4095 (must be between 0 and 4094)");
  EXPECT_EQ(MessageOf(R"({"vlan":-1})"), "invalid VLAN ID -1 (must be between 0 and 4094)");
  EXPECT_EQ(MessageOf(R"({"vlanTrunk":[{"minID":9,"maxID":7}]})"),
            "minID is greater than maxID in trunk parameter");
  EXPECT_EQ(MessageOf(R"({"vlanTrunk":[{"minID":9}]})"),
            "minID and maxID should be configured simultaneously, maxID is missing");
  EXPECT_EQ(MessageOf(R"({"vlanTrunk":[{"maxID":9}]})"),
            "minID and maxID should be configured simultaneously, minID is missing");
  EXPECT_EQ(MessageOf(R"({"vlanTrunk":[{"minID":0,"maxID":7}]})"),
            "incorrect trunk minID parameter");
  EXPECT_EQ(MessageOf(R"({"vlanTrunk":[{"id":5000}]})"), "incorrect trunk id parameter");
  EXPECT_EQ(MessageOf(R"({"hairpinMode":true,"promiscMode":true})"),
            "cannot set hairpin mode and promiscuous mode at the same time");
  EXPECT_EQ(MessageOf(R"({"ipMasqBackend":"pf"})"), "unknown ipmasq backend \"pf\"");
}

TEST(BridgeOptions, RefusesNamesThatAreNoLinkNames) {
  for (const char* text : {R"({"bridge":""})", R"({"bridge":"../x"})", R"({"bridge":"a b"})",
                           R"({"bridge":"sixteen-bytes-xx"})", R"({"bridge":".."})"}) {
    EXPECT_THROW(DecodeText(text), Error) << text;
  }
}

Network BridgeNetwork(const Options& options) {
  return {"blue", NetworkId("blue"), "bridge", Encode(options)};
}

Endpoint Planned(const Options& options, std::vector<RouteSpec> routes = {}) {
  Endpoint endpoint;
  endpoint.key = {"blue", "c1", "eth0"};
  endpoint.owner = OwnerOf("blue", "c1", "eth0");
  const BridgeDriver driver;
  driver.CreateEndpoint(BridgeNetwork(options), endpoint);
  endpoint.addressing.addresses = {{*net::Prefix::Parse("192.0.2.7/24"), std::nullopt},
                                   {*net::Prefix::Parse("2001:db8::7/64"), std::nullopt}};
  endpoint.addressing.routes = std::move(routes);
  driver.PlanAddressing(BridgeNetwork(options), endpoint);
  return endpoint;
}

TEST(BridgePlan, ChoosesNamesAndMacsFromTheOwnerAlone) {
  const Endpoint a = Planned({});
  EXPECT_EQ(a.host_link->name, HostLinkName(a.owner, 0));
  EXPECT_NE(a.mac, a.host_link->mac);
  EXPECT_EQ(a, Planned({}));
  EXPECT_TRUE(a.attachments.empty());
}

TEST(BridgePlan, TheGatewayIsTheFirstAddressOfTheSubnet) {
  const Endpoint e = Planned({.is_gateway = true});
  EXPECT_EQ(e.addressing.addresses[0].gateway, net::Address::Parse("192.0.2.1"));
  EXPECT_EQ(e.addressing.addresses[1].gateway, net::Address::Parse("2001:db8::1"));
  EXPECT_TRUE(e.addressing.routes.empty());
  EXPECT_FALSE(Planned({}).addressing.addresses[0].gateway);
}

TEST(BridgePlan, ADefaultGatewayGivesOneDefaultRouteForEachFamily) {
  const Endpoint e = Planned({.is_gateway = true, .is_default_gateway = true});
  ASSERT_EQ(e.addressing.routes.size(), 2U);
  EXPECT_EQ(e.addressing.routes[0].destination.ToString(), "0.0.0.0/0");
  EXPECT_EQ(e.addressing.routes[1].destination.ToString(), "::/0");
}

TEST(BridgePlan, AConfiguredDefaultRouteIsNotDoubled) {
  RouteSpec configured;
  configured.destination = *net::Prefix::Parse("0.0.0.0/0");
  const Endpoint e = Planned({.is_gateway = true, .is_default_gateway = true}, {configured});
  ASSERT_EQ(e.addressing.routes.size(), 2U) << "one v4, one v6";
  EXPECT_EQ(e.addressing.routes[0].gateway, net::Address::Parse("192.0.2.1"));
}

TEST(BridgePlan, MasqueradeAndSpoofGuardAreRulesOfTheEndpoint) {
  const Endpoint e = Planned({.ip_masq = true, .mac_spoof_check = true});
  ASSERT_EQ(e.attachments.size(), 1U) << "one transaction for both";
  const Attachment& own = e.attachments.front();
  EXPECT_EQ(own.plugin, "bridge");
  EXPECT_EQ(own.backend, "nftables");
  EXPECT_EQ(own.rules.owner, e.owner);
  EXPECT_EQ(own.rules.masquerades.size(), 2U);
  EXPECT_EQ(own.rules.spoof_guard->link, e.host_link->name);
  EXPECT_EQ(own.rules.spoof_guard->mac, e.mac);
}

TEST(BridgePlan, AnIpamThatGivesTheGatewayAddressIsRefused) {
  Endpoint endpoint;
  endpoint.address_source = "{}";
  endpoint.addressing.addresses = {{*net::Prefix::Parse("192.0.2.1/24"), std::nullopt}};
  EXPECT_THROW(BridgeDriver().PlanAddressing(BridgeNetwork({.is_gateway = true}), endpoint), Error);
  endpoint.addressing.addresses.clear();
  EXPECT_THROW(BridgeDriver().PlanAddressing(BridgeNetwork({}), endpoint), Error);
}

TEST(BridgePlan, OnlyTheBridgeItselfMakesTwoConfigurationsConflict) {
  const BridgeDriver driver;
  EXPECT_TRUE(driver.Conflict(BridgeNetwork({.bridge = "a"}), BridgeNetwork({.bridge = "b"})));
  EXPECT_FALSE(driver.Conflict(BridgeNetwork({.mtu = 1400}), BridgeNetwork({.mtu = 1500})));
}

}  // namespace
}  // namespace cnm::bridge
