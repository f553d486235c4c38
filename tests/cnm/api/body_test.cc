// body_test.cc: bodies of the REST API's requests.
#include "cnm/api/body.h"

#include <algorithm>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "cnm/api/status.h"
#include "common/base/error.h"

namespace cnm::api {
namespace {

template <class Decode>
std::string Failure(const Decode& decode) {
  try {
    decode();
  } catch (const Error& error) {
    return fmt::format("{} {}", StatusOf(error.code()), error.message());
  }
  return "none";
}

TEST(NetworkBody, ABridgeIsNamedAsItsNetworkUnlessItIsNamed) {
  const engine::NetworkSpec plain = DecodeNetworkBody(R"({"name":"blue"})", "bridge");
  EXPECT_EQ(plain.name, "blue");
  EXPECT_EQ(plain.type, "bridge");
  EXPECT_EQ(
      plain.options,
      R"({"com.docker.network.generic":{"BridgeName":"blue","AllowNonDefaultBridge":"true"}})");
  const engine::NetworkSpec named = DecodeNetworkBody(
      R"({"name":"blue","network_type":"bridge","options":{"a":[1.50],
          "com.docker.network.generic":{"BridgeName":"br0","AllowNonDefaultBridge":"false"}}})",
      "null");
  EXPECT_EQ(named.options, R"({"a":[1.50],"com.docker.network.generic":)"
                           R"({"BridgeName":"br0","AllowNonDefaultBridge":"false"}})");
  EXPECT_EQ(DecodeNetworkBody(R"({"name":"blue","network_type":"test"})", "bridge").options,
            R"({"com.docker.network.generic":{}})");
}

TEST(NetworkBody, DriverOptionsAreTheDriversAndWin) {
  const engine::NetworkSpec spec = DecodeNetworkBody(
      R"({"name":"n","driver_opts":{"Mtu":"1400","com.docker.network.bridge.name":"br1"},
          "options":{"com.docker.network.generic":{"Mtu":"9000","EnableICC":"false"}}})",
      "bridge");
  EXPECT_EQ(spec.options,
            R"({"com.docker.network.generic":{"EnableICC":"false","Mtu":"1400",)"
            R"("com.docker.network.bridge.name":"br1","AllowNonDefaultBridge":"true"}})");
}

TEST(NetworkBody, PoolsAndLabelsOfTheLaterGeneration) {
  const engine::NetworkSpec spec = DecodeNetworkBody(
      R"({"name":"n","id":"abc","network_type":"x","ipam_driver":"pools",
          "ipam_options":{"cnm.network":"blue"},
          "network_opts":{"com.docker.network.internal":"T","com.docker.network.enable_ipv6":"1"},
          "ipv4_configuration":[{"PreferredPool":"192.0.2.0/24","SubPool":"192.0.2.128/25",
             "Gateway":"192.0.2.1","AuxAddresses":{"router":"192.0.2.2"}}],
          "ipv6_configuration":[{"PreferredPool":"2001:db8::/64"}]})",
      "bridge");
  EXPECT_EQ(spec.id, "abc");
  EXPECT_EQ(spec.ipam, "pools");
  EXPECT_EQ(spec.ipam_options.at("cnm.network"), "blue");
  EXPECT_TRUE(spec.internal);
  EXPECT_TRUE(spec.enable_ipv6);
  ASSERT_EQ(spec.ipv4.size(), 1U);
  EXPECT_EQ(spec.ipv4[0].preferred_pool, "192.0.2.0/24");
  EXPECT_EQ(spec.ipv4[0].sub_pool, "192.0.2.128/25");
  EXPECT_EQ(spec.ipv4[0].gateway, "192.0.2.1");
  EXPECT_EQ(spec.ipv4[0].aux_addresses.at("router"), "192.0.2.2");
  ASSERT_EQ(spec.ipv6.size(), 1U);
  EXPECT_EQ(spec.ipv6[0].preferred_pool, "2001:db8::/64");
}

TEST(NetworkBody, Ipv6LabelInOptionsCounts) {
  EXPECT_TRUE(
      DecodeNetworkBody(R"({"options":{"com.docker.network.enable_ipv6":true}})", "x").enable_ipv6);
}

/// What is said of the network's options; "none" if nothing.
std::string Complaint(const std::string& type, const std::string& members) {
  return Failure([&] {
    DecodeNetworkBody(fmt::format(R"({{"name":"n","network_type":"{}",{}}})", type, members), "");
  });
}

TEST(NetworkBody, AMisspeltOptionIsNamedWithTheNearestOne) {
  EXPECT_EQ(
      Complaint("bridge", R"("driver_opts":{"com.docker.network.driver.mtuu":"1400"})"),
      "400 Invalid body: $.driver_opts[\"com.docker.network.driver.mtuu\"]: unknown option of "
      "driver bridge, did you mean com.docker.network.driver.mtu?");
  EXPECT_EQ(
      Complaint("bridge", R"("options":{"com.docker.network.generic":{"BridgName":"br0"}})"),
      "400 Invalid body: $.options[\"com.docker.network.generic\"].BridgName: unknown option of "
      "driver bridge, did you mean BridgeName?");
  EXPECT_EQ(Complaint("bridge", R"("options":{"com.docker.network.enable_ipv5":true})"),
            "400 Invalid body: $.options[\"com.docker.network.enable_ipv5\"]: unknown label, did "
            "you mean com.docker.network.enable_ipv6?");
  EXPECT_EQ(Complaint("bridge", R"("network_opts":{"com.docker.network.intrenal":"1"})"),
            "400 Invalid body: $.network_opts[\"com.docker.network.intrenal\"]: unknown label, did "
            "you mean com.docker.network.internal?");
  EXPECT_EQ(Complaint("bridge", R"("ipam_options":{"cnm.netwrok":"blue"})"),
            "400 Invalid body: $.ipam_options[\"cnm.netwrok\"]: unknown option of IPAM driver "
            "default, did you mean cnm.network?");
  EXPECT_EQ(Complaint("host", R"("driver_opts":{"colour":"red"})"),
            "400 Invalid body: $.driver_opts.colour: unknown option of driver host");
}

TEST(NetworkBody, TheKnownOptionsAreListed) {
  try {
    DecodeNetworkBody(R"({"name":"n","driver_opts":{"cnm.nothing":"1"}})", "bridge");
    FAIL();
  } catch (const Error& error) {
    EXPECT_TRUE(error.details().starts_with("known: cnm.network, com.docker.network.bridge.name,"))
        << error.details();
  }
}

TEST(NetworkBody, OptionsOfOthersPass) {
  for (
      const char* members :
      {R"("driver_opts":{"com.example.team":"red","MTU":"1400"})",
       R"("options":{"a":1,"com.docker.network.generic":{"AddressIP":"x","EnableIPTables":true}})"}) {
    EXPECT_EQ(Complaint("bridge", members), "none");
  }
  EXPECT_EQ(Complaint("plugin", R"("driver_opts":{"Mtuu":"1","com.docker.network.x":"y"})"),
            "none");
  EXPECT_EQ(Complaint("bridge", R"("ipam_driver":"plugin","ipam_options":{"x":"y"})"), "none");
}

TEST(NetworkBody, Ipv6PoolsNeedIpv6) {
  const std::string pools = R"("ipv6_configuration":[{"PreferredPool":"2001:db8::/64"}])";
  EXPECT_EQ(Complaint("bridge", pools),
            "400 Invalid body: $.ipv6_configuration: without network_opts "
            "{\"com.docker.network.enable_ipv6\": \"true\"} no endpoint gets an address of it");
  EXPECT_EQ(
      Complaint("bridge", pools + R"(,"network_opts":{"com.docker.network.enable_ipv6":"true"})"),
      "none");
}

TEST(EndpointBody, PortsAndAddresses) {
  const EndpointBody body = DecodeEndpointBody(
      R"({"name":"web","network_name":"blue","my_aliases":["w"],"address":"192.0.2.9",
          "mac_address":"02:00:5e:10:00:01","exposed_ports":[{"Proto":17,"Port":53}],
          "port_mapping":[{"Proto":6,"IP":"","Port":80,"HostIP":"192.0.2.1","HostPort":8080,
                           "HostPortEnd":8090}]})");
  EXPECT_EQ(body.network, "blue");
  EXPECT_EQ(body.spec.name, "web");
  EXPECT_EQ(body.spec.aliases, std::vector<std::string>{"w"});
  EXPECT_EQ(body.spec.interface.address->ToString(), "192.0.2.9/32");
  EXPECT_EQ(body.spec.interface.mac->ToString(), "02:00:5e:10:00:01");
  EXPECT_EQ(body.spec.exposed_ports,
            (std::vector<engine::ExposedPort>{{.protocol = 17, .port = 53}}));
  ASSERT_EQ(body.spec.port_bindings.size(), 1U);
  EXPECT_EQ(body.spec.port_bindings[0].host_ip->ToString(), "192.0.2.1");
  EXPECT_EQ(body.spec.port_bindings[0].host_port_end, 8090);
  EXPECT_FALSE(body.spec.port_bindings[0].ip);
}

TEST(EndpointBody, NullListsAreNone) {
  const EndpointBody body =
      DecodeEndpointBody(R"({"name":"w","exposed_ports":null,"port_mapping":null})");
  EXPECT_TRUE(body.spec.exposed_ports.empty() && body.spec.port_bindings.empty());
}

TEST(JoinBody, AliasesPointToTheirTargets) {
  const JoinBody body = DecodeJoinBody(R"({"sandbox_id":"s","aliases":["web:w"],"priority":-3})");
  EXPECT_EQ(body.sandbox_id, "s");
  EXPECT_EQ(body.spec.aliases.at("w"), "web");
  EXPECT_EQ(body.spec.priority, -3);
}

TEST(SandboxBody, EveryMember) {
  const engine::SandboxSpec spec = DecodeSandboxBody(
      R"({"container_id":"c","host_name":"h","domain_name":"example","hosts_path":"/h",
          "resolv_conf_path":"/r","dns":["192.0.2.53"],"extra_hosts":[{"name":"n","address":"a"}],
          "use_default_sandbox":true,"use_external_key":true,
          "options":{"com.docker.network.generic":{"ChildEndpoints":["e"]}}})");
  EXPECT_EQ(spec.container_id, "c");
  EXPECT_EQ(spec.host_name, "h");
  EXPECT_EQ(spec.domain_name, "example");
  EXPECT_EQ(spec.hosts_path, "/h");
  EXPECT_EQ(spec.resolv_conf_path, "/r");
  EXPECT_EQ(spec.dns, std::vector<std::string>{"192.0.2.53"});
  ASSERT_EQ(spec.extra_hosts.size(), 1U);
  EXPECT_EQ(spec.extra_hosts[0].name, "n");
  EXPECT_EQ(spec.extra_hosts[0].address, "a");
  EXPECT_TRUE(spec.use_default_sandbox && spec.use_external_key);
  EXPECT_EQ(spec.options, R"({"com.docker.network.generic":{"ChildEndpoints":["e"]}})");
}

TEST(Force, IsAskedForOnlyByABody) {
  EXPECT_FALSE(DecodeForce(""));
  EXPECT_FALSE(DecodeForce(R"({"name":"svc"})"));
  EXPECT_TRUE(DecodeForce(R"({"name":"svc","force":true})"));
  EXPECT_EQ(Failure([] { DecodeForce(R"({"name":5,"force":true})"); }),
            "400 Invalid body: $.name: want a string, got a number");
}

/// What every decoder makes of a body that is none.
TEST(Body, WhatIsNoObjectIsRefusedByEveryDecoder) {
  const std::vector<std::string> bodies = {
      "", " \n", "null", "[]", "\"bad\"", "{", "{}{}", "{\"name\":\"\xff\"}", "1", "{\"a\":1,}"};
  for (const std::string& body : bodies) {
    const std::vector<std::string> failures = {Failure([&] { DecodeNetworkBody(body, "bridge"); }),
                                               Failure([&] { DecodeEndpointBody(body); }),
                                               Failure([&] { DecodeJoinBody(body); }),
                                               Failure([&] { DecodeSandboxBody(body); })};
    for (const std::string& failure : failures) {
      EXPECT_TRUE(failure.starts_with("400 Invalid body: ")) << body << ": " << failure;
    }
  }
  EXPECT_EQ(Failure([] { DecodeNetworkBody("", "bridge"); }),
            "400 Invalid body: unexpected end of JSON input");
}

TEST(Body, EveryMemberOfAWrongTypeIsRefusedWithItsPath) {
  const std::vector<std::string> wrong = {
      "true",      "1",  "\"x\"", "[]",    "{}", "[1]", "[{\"Port\":\"x\"}]",
      "{\"a\":1}", "-1", "1.5",   "[null]"};
  struct Row {
    const char* member;
    std::vector<std::string> right;  ///< of `wrong`, what this member may be
    void (*decode)(const std::string& body);
  };
  constexpr auto kNetwork = [](const std::string& b) { DecodeNetworkBody(b, "bridge"); };
  constexpr auto kEndpoint = [](const std::string& b) { DecodeEndpointBody(b); };
  constexpr auto kJoin = [](const std::string& b) { DecodeJoinBody(b); };
  constexpr auto kSandbox = [](const std::string& b) { DecodeSandboxBody(b); };
  const Row rows[] = {
      {"name", {"\"x\""}, kNetwork},
      {"id", {"\"x\""}, kNetwork},
      {"network_type", {"\"x\""}, kNetwork},
      {"options", {"{}", "{\"a\":1}"}, kNetwork},
      {"driver_opts", {"{}"}, kNetwork},
      {"network_opts", {"{}"}, kNetwork},
      {"ipam_options", {"{}"}, kNetwork},
      {"ipv4_configuration", {"[]", "[{\"Port\":\"x\"}]"}, kNetwork},
      {"name", {"\"x\""}, kEndpoint},
      {"network_name", {"\"x\""}, kEndpoint},
      {"exposed_ports", {"[]"}, kEndpoint},
      {"port_mapping", {"[]"}, kEndpoint},
      {"my_aliases", {"[]"}, kEndpoint},
      {"address", {}, kEndpoint},
      {"mac_address", {}, kEndpoint},
      {"sandbox_id", {"\"x\""}, kJoin},
      {"aliases", {"[]"}, kJoin},
      {"priority", {"1", "-1"}, kJoin},
      {"container_id", {"\"x\""}, kSandbox},
      {"dns", {"[]"}, kSandbox},
      {"extra_hosts", {"[]", "[{\"Port\":\"x\"}]"}, kSandbox},
      {"use_default_sandbox", {"true"}, kSandbox},
      {"use_external_key", {"true"}, kSandbox},
      {"options", {"{}", "{\"a\":1}"}, kSandbox},
  };
  for (const Row& row : rows) {
    for (const std::string& value : wrong) {
      const std::string body = fmt::format(R"({{"{}":{}}})", row.member, value);
      const std::string failure = Failure([&] { row.decode(body); });
      const bool right = std::find(row.right.begin(), row.right.end(), value) != row.right.end();
      EXPECT_EQ(failure == "none", right) << body << ": " << failure;
      if (right) continue;
      EXPECT_TRUE(failure.starts_with(fmt::format("400 Invalid body: $.{}", row.member)))
          << body << ": " << failure;
    }
  }
}

TEST(Body, ValuesThatNoTypeForbids) {
  EXPECT_EQ(Failure([] {
              DecodeNetworkBody(R"({"options":{"com.docker.network.enable_ipv6":"yes"}})", "x");
            }),
            "400 Invalid body: $.options[\"com.docker.network.enable_ipv6\"]: want true or false, "
            "got a string");
  EXPECT_EQ(Failure([] {
              DecodeNetworkBody(R"({"options":{"com.docker.network.generic":[]}})", "bridge");
            }),
            "400 Invalid body: $.options[\"com.docker.network.generic\"]: want an object, got an "
            "array");
  EXPECT_EQ(Failure([] { DecodeEndpointBody(R"({"port_mapping":[{"Port":65536}]})"); }),
            "400 Invalid body: $.port_mapping[0].Port: 65536 is not in 0..65535");
  EXPECT_EQ(Failure([] { DecodeJoinBody(R"({"aliases":["w"]})"); }),
            "400 Invalid body: $.aliases: \"w\" is not TARGET:ALIAS");
  EXPECT_EQ(Failure([] {
              DecodeNetworkBody(R"({"network_opts":{"com.docker.network.internal":"yes"}})", "x");
            }),
            "400 Invalid body: $.network_opts: com.docker.network.internal: \"yes\" is not a "
            "boolean");
}

}  // namespace
}  // namespace cnm::api
