// records_test.cc: networks and endpoints as JSON documents.
#include "cnm/records.h"

#include <gtest/gtest.h>

#include "cnm/id.h"
#include "common/base/error.h"

namespace cnm {
namespace {

Endpoint FullEndpoint() {
  Endpoint e;
  e.owner = "0123456789abcdef";
  e.key = {"blue", "c1", "eth0"};
  e.driver = "bridge";
  e.door = "cni";
  e.runtime = "/usr/bin/podman";
  e.state = EndpointState::kReady;
  e.host = {"2b0c6b9e-0000-4000-8000-000000000000", {4, 4026531840}};
  e.sandbox = {"/run/netns/c1", {4, 4026532200}};
  e.host_link = HostLink{"veth0123456789a", 7, *net::Mac::Parse("02:00:00:00:00:01"), 1};
  e.mac = *net::Mac::Parse("02:00:00:00:00:02");
  e.addressing.addresses = {{*net::Prefix::Parse("192.0.2.7/24"), net::Address::Parse("192.0.2.1")},
                            {*net::Prefix::Parse("2001:db8::7/64"), std::nullopt}};
  e.addressing.routes = {{*net::Prefix::Parse("0.0.0.0/0"), net::Address::Parse("192.0.2.1"), 1400,
                          1360, 5, 100U, uint8_t{253}}};
  e.addressing.dns = {{"192.0.2.53"}, "example.net", {"a.example"}, {"ndots:2"}};
  e.address_source = R"({"type":"host-local"})";
  Attachment& own = EnsureAttachment(e, "bridge", "nftables");
  own.rules.masquerades = {{*net::Prefix::Parse("192.0.2.7/24")}};
  own.rules.spoof_guard = firewall::SpoofGuard{"veth0123456789a", e.mac};
  Attachment& ports = EnsureAttachment(e, "portmap", "iptables");
  ports.rules.publication = {.mappings = {{.protocol = firewall::Protocol::kUdp,
                                           .host_address = net::Address::Parse("198.51.100.1"),
                                           .host_port = 8000,
                                           .target_port = 80,
                                           .count = 3,
                                           .target = *net::Prefix::Parse("192.0.2.7/24")},
                                          {.host_port = 1,
                                           .target_port = 2,
                                           .target = *net::Prefix::Parse("2001:db8::7/64")}},
                             .masquerade_local = false,
                             .masquerade_all = true,
                             .conditions_v4 = {"!", "-d", "192.0.2.0/24"},
                             .conditions_v6 = {"ip6", "saddr", "::1"},
                             .mark_bit = 7,
                             .mark_chain = "PLUGIN-SET-MARK"};
  ports.sysctls = {{"net/ipv4/conf/br0/route_localnet", "1"}};
  Attachment& rest = EnsureAttachment(e, "firewall", "firewalld");
  rest.rules.forwarding = {.addresses = {*net::Address::Parse("192.0.2.7")},
                           .published = {*net::Address::Parse("2001:db8::7")},
                           .admin_chain = "ADMIN",
                           .zone = "internal"};
  rest.rules.isolation = firewall::Isolation{"br0", true, true};
  rest.rules.passages = {{.bridge = "br0",
                          .protocol = firewall::Protocol::kUdp,
                          .from = *net::Address::Parse("2001:db8::5"),
                          .to = *net::Address::Parse("2001:db8::6"),
                          .port = 53}};
  rest.follows_host = true;
  rest.links = {"bwp0123456789a"};
  rest.files = {"/run/cni/tuning/c1_eth0.json"};
  rest.state = R"({"a":1})";
  e.details = R"({"networkID":"n"})";
  return e;
}

TEST(Records, EndpointSurvivesTheRoundTrip) {
  const Endpoint e = FullEndpoint();
  EXPECT_EQ(DecodeEndpoint(Encode(e)), e);
}

TEST(Records, ACreatedEndpointKeepsTheNameOfALinkThatWaits) {
  Endpoint e = FullEndpoint();
  e.state = EndpointState::kCreated;
  e.host_link->peer = "cnm0123456789ab";
  EXPECT_EQ(DecodeEndpoint(Encode(e)), e);
}

TEST(Records, PendingEndpointWithoutAddressesSurvivesTheRoundTrip) {
  Endpoint e;
  e.owner = "0123456789abcdef";
  e.key = {"blue", "c1", "eth0"};
  e.driver = "null";
  e.host.boot_id = "b";
  EXPECT_EQ(DecodeEndpoint(Encode(e)), e);
}

TEST(Records, NetworkSurvivesTheRoundTrip) {
  Network n{"blue", "id", "bridge", R"({"bridge":"br0"})"};
  EXPECT_EQ(DecodeNetwork(Encode(n)), n);
  Attachment& attachment =
      n.attachments.emplace_back(Attachment{.plugin = "bridge", .backend = "iptables"});
  attachment.rules.forwarding.subnets = {*net::Prefix::Parse("192.0.2.0/24"),
                                         *net::Prefix::Parse("2001:db8::/64")};
  NameRules(n, attachment);
  EXPECT_EQ(DecodeNetwork(Encode(n)), n);
  EXPECT_EQ(attachment.rules.owner, OwnerOf("blue", "", ""));
}

TEST(Records, ANewerSchemaIsLeftForANewerProgram) {
  try {
    DecodeNetwork(R"({"schema":99,"name":"blue"})");
    FAIL() << "decoded";
  } catch (const Error& e) {
    EXPECT_EQ(e.code(), Code::kTryAgain) << e.message();
  }
}

TEST(Records, DamagedTextIsADecodingError) {
  for (const char* text : {"", "{", "[]", "{\"schema\":1}", "{\"schema\":1,\"state\":7}"}) {
    EXPECT_THROW(DecodeEndpoint(text), Error) << text;
  }
}

}  // namespace
}  // namespace cnm
