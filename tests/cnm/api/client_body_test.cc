// client_body_test.cc: what the REST API's client writes is what its server reads.
#include "cnm/api/client_body.h"

#include <gtest/gtest.h>

#include "cnm/api/body.h"

namespace cnm::api {
namespace {

TEST(ClientBody, ANetworkArrivesAsItWasAsked) {
  const engine::NetworkSpec spec =
      DecodeNetworkBody(EncodeNetworkRequest({.name = "blue",
                                              .id = "abc",
                                              .driver = "bridge",
                                              .driver_options = {{"Mtu", "1400"}},
                                              .internal = true,
                                              .ipv6 = true,
                                              .subnets = {"192.0.2.0/24", "2001:db8::/64"},
                                              .ip_range = "192.0.2.128/25",
                                              .gateway = "192.0.2.1",
                                              .ipam = "default",
                                              .ipam_options = {{"cnm.network", "blue"}}}),
                        "null");
  EXPECT_EQ(spec.name, "blue");
  EXPECT_EQ(spec.id, "abc");
  EXPECT_EQ(spec.type, "bridge");
  EXPECT_NE(spec.options.find(R"("Mtu":"1400")"), std::string::npos);
  EXPECT_TRUE(spec.internal && spec.enable_ipv6);
  ASSERT_EQ(spec.ipv4.size(), 1U);
  EXPECT_EQ(spec.ipv4[0].sub_pool, "192.0.2.128/25");
  EXPECT_EQ(spec.ipv4[0].gateway, "192.0.2.1");
  ASSERT_EQ(spec.ipv6.size(), 1U);
  EXPECT_EQ(spec.ipv6[0].preferred_pool, "2001:db8::/64");
  EXPECT_EQ(spec.ipam_options.at("cnm.network"), "blue");
  EXPECT_EQ(EncodeNetworkRequest({.name = "n"}), R"({"name":"n","network_type":"","options":{}})");
}

TEST(ClientBody, AServiceArrivesAsItWasAsked) {
  const EndpointBody body = DecodeEndpointBody(EncodeServiceRequest(
      {.name = "web",
       .aliases = {"w"},
       .address = "192.0.2.9",
       .mac = "02:00:5e:10:00:01",
       .ports = {{.protocol = 17, .port = 53, .host_address = "192.0.2.1", .host_port = 5353}}},
      "blue"));
  EXPECT_EQ(body.network, "blue");
  EXPECT_EQ(body.spec.aliases.at(0), "w");
  EXPECT_EQ(body.spec.exposed_ports.at(0), (engine::ExposedPort{.protocol = 17, .port = 53}));
  EXPECT_EQ(body.spec.port_bindings.at(0).host_port, 5353);
  EXPECT_EQ(body.spec.port_bindings.at(0).host_ip->ToString(), "192.0.2.1");
}

TEST(ClientBody, AJoinAndASandboxArriveAsTheyWereAsked) {
  const JoinBody join = DecodeJoinBody(EncodeJoinRequest("s1", {"web:w"}));
  EXPECT_EQ(join.sandbox_id, "s1");
  EXPECT_EQ(join.spec.aliases.at("w"), "web");
  const engine::SandboxSpec sandbox =
      DecodeSandboxBody(EncodeSandboxRequest({.container_id = "c",
                                              .host_name = "h",
                                              .use_default_sandbox = true,
                                              .use_external_key = true}));
  EXPECT_EQ(sandbox.container_id, "c");
  EXPECT_EQ(sandbox.host_name, "h");
  EXPECT_TRUE(sandbox.use_default_sandbox && sandbox.use_external_key);
}

TEST(ClientBody, AnswersAndTheReferencesNull) {
  EXPECT_TRUE(DecodeNetworks("null\n").empty());
  EXPECT_TRUE(DecodeServices("[]\n").empty());
  const auto networks = DecodeNetworks(
      R"([{"name":"n","id":"1","type":"t","endpoints":[{"name":"e","id":"2","network":"n"}]}])");
  ASSERT_EQ(networks.size(), 1U);
  EXPECT_EQ(networks[0].type, "t");
  EXPECT_EQ(networks[0].endpoints.at(0).id, "2");
  EXPECT_EQ(DecodeSandbox(R"({"id":"","key":"","container_id":""})").id, "");
  EXPECT_EQ(DecodeText("\"/run/x\"\n"), "/run/x");
}

TEST(ClientBody, QueryValuesAreEncoded) {
  EXPECT_EQ(QueryValue("a b&c=d/é"), "a%20b%26c%3Dd%2F%C3%A9");
  EXPECT_EQ(QueryValue("web-1_x.y~"), "web-1_x.y~");
}

}  // namespace
}  // namespace cnm::api
