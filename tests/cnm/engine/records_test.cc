// records_test.cc: the engine's records, as JSON and back.
#include "cnm/engine/records.h"

#include <gtest/gtest.h>

#include "common/base/error.h"

namespace cnm::engine {
namespace {

NetworkRecord MakeNetwork() {
  NetworkRecord record{.name = "blue", .type = "bridge", .ipam = "default"};
  record.ipam_options = {{"cnm.network", "blue"}};
  record.config.id = "0123";
  record.config.name = "blue";
  record.config.options = R"({"BridgeName":"br0"})";
  record.config.internal = true;
  PoolHold hold{.id = "local/192.0.2.0/24", .data = {"local", *net::Prefix::Parse("192.0.2.0/24")}};
  hold.data.gateway = net::Prefix::Parse("192.0.2.1/24");
  hold.data.aux["router"] = *net::Prefix::Parse("192.0.2.9/24");
  hold.gateway_requested = true;
  hold.sub_pool = net::Prefix::Parse("192.0.2.128/25");
  record.ipv4 = {hold};
  record.config.ipv4 = {hold.data};
  record.created_ns = 1'000'000'000'000'000'001;
  return record;
}

TEST(NetworkRecord, ComesBackAsItWas) {
  const NetworkRecord wanted = MakeNetwork();
  const NetworkRecord record = DecodeNetworkRecord(Encode(wanted));
  EXPECT_EQ(record.name, wanted.name);
  EXPECT_EQ(record.type, wanted.type);
  EXPECT_EQ(record.ipam, wanted.ipam);
  EXPECT_EQ(record.ipam_options, wanted.ipam_options);
  EXPECT_EQ(record.config, wanted.config);
  EXPECT_EQ(record.ipv4, wanted.ipv4);
  EXPECT_EQ(record.created_ns, wanted.created_ns);
  EXPECT_TRUE(record.pending);
}

TEST(EndpointRecord, ComesBackAsItWas) {
  EndpointRecord wanted{.name = "web", .id = "e1", .network_id = "0123", .boot_id = "b"};
  wanted.exposed_ports = {{.protocol = 17, .port = 53}};
  wanted.port_bindings = {{.protocol = 6, .port = 80, .host_port = 8080, .host_port_end = 8090}};
  wanted.options = R"({"a":1})";
  wanted.aliases = {"www"};
  wanted.interface.address = net::Prefix::Parse("192.0.2.2/24");
  wanted.pool = "local/192.0.2.0/24";
  wanted.pending = false;
  wanted.sandbox_id = "s1";
  wanted.moving = true;
  wanted.join_spec = {.priority = -3, .aliases = {{"db", "database"}}};
  wanted.join = {
      .src_name = "veth0",
      .dst_prefix = "eth",
      .gateway = net::Address::Parse("192.0.2.1"),
      .routes = {{*net::Prefix::Parse("198.51.100.0/24"), net::Address::Parse("192.0.2.7")},
                 {*net::Prefix::Parse("203.0.113.0/24"), {}}},
      .disable_gateway_service = true};
  wanted.link = "eth0";
  wanted.published = true;
  const EndpointRecord record = DecodeEndpointRecord(Encode(wanted));
  EXPECT_EQ(record.interface, wanted.interface);
  EXPECT_EQ(record.exposed_ports, wanted.exposed_ports);
  EXPECT_EQ(record.port_bindings, wanted.port_bindings);
  EXPECT_EQ(record.options, wanted.options);
  EXPECT_EQ(record.aliases, wanted.aliases);
  EXPECT_EQ(record.join, wanted.join);
  EXPECT_EQ(record.join_spec.priority, -3);
  EXPECT_EQ(record.join_spec.aliases, wanted.join_spec.aliases);
  EXPECT_EQ(Encode(record), Encode(wanted));
}

TEST(SandboxRecord, ComesBackAsItWas) {
  SandboxRecord wanted{.id = "s1", .key = "/run/netns/s1", .boot_id = "b"};
  wanted.spec.container_id = "c1";
  wanted.spec.host_name = "web";
  wanted.spec.extra_hosts = {{"db", "192.0.2.7"}};
  wanted.spec.dns = {"192.0.2.53"};
  wanted.spec.use_external_key = true;
  wanted.has_namespace = true;
  wanted.netns = {3, 4};
  wanted.pending = false;
  const SandboxRecord record = DecodeSandboxRecord(Encode(wanted));
  EXPECT_EQ(record.netns, wanted.netns);
  EXPECT_TRUE(record.has_namespace);
  EXPECT_EQ(Encode(record), Encode(wanted));
}

TEST(Records, OfANewerSchemaAreLeftAlone) {
  try {
    DecodeNetworkRecord(R"({"schema":2})");
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), Code::kTryAgain);
  }
}

}  // namespace
}  // namespace cnm::engine
