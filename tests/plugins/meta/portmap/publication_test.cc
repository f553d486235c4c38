// publication_test.cc: what the packet filter is asked for.
#include "plugins/meta/portmap/publication.h"

#include <string>
#include <string_view>
#include <vector>

#include <fmt/format.h>
#include <gtest/gtest.h>

namespace cnm::portmap {
namespace {

using firewall::Publication;

net::Prefix Cidr(std::string_view text) {
  return net::Prefix::Parse(text).value();
}

Config Decode(std::string_view text) {
  return DecodeConfig(json::Parse(text, "test"));
}

/// A tcp port 80 on each of these host addresses.
Config Published(std::initializer_list<std::string_view> host_addresses) {
  Config config;
  for (const std::string_view text : host_addresses) {
    Mapping mapping{.host_port = 80, .container_port = 8080};
    if (!text.empty()) mapping.host_address = net::Address::Parse(text);
    config.mappings.push_back(mapping);
  }
  return config;
}

std::vector<std::string> Lines(const Publication& publication) {
  std::vector<std::string> lines;
  for (const firewall::PortMapping& m : publication.mappings) {
    lines.push_back(fmt::format("{} -> {}",
                                m.host_address ? m.host_address->ToString() : std::string("any"),
                                m.target.ToString()));
  }
  return lines;
}

using Text = std::vector<std::string>;
const Targets kDual = {.v4 = Cidr("192.0.2.5/24"), .v6 = Cidr("2001:db8::5/64")};
const Targets kV4 = {.v4 = Cidr("192.0.2.5/24")};

TEST(PortmapTargets, AreTheFirstAddressOfEachFamily) {
  const std::vector<net::Prefix> addresses = {Cidr("2001:db8::5/64"), Cidr("192.0.2.5/24"),
                                              Cidr("192.0.2.6/24"), Cidr("2001:db8::6/64")};
  const Targets targets = Targets::Of(addresses);
  EXPECT_EQ(targets.v4, Cidr("192.0.2.5/24"));
  EXPECT_EQ(targets.v6, Cidr("2001:db8::5/64"));
  EXPECT_FALSE(Targets::Of({}).v4);
}

TEST(PortmapPublication, AMappingIsForEveryFamilyThatItServesAndTheContainerHas) {
  const Config config = Published({"", "198.51.100.1", "2001:db8:1::1", "0.0.0.0", "::"});
  EXPECT_EQ(
      Lines(MakePublication(config, kDual)),
      (Text{"any -> 192.0.2.5/24", "198.51.100.1 -> 192.0.2.5/24", "any -> 192.0.2.5/24",
            "any -> 2001:db8::5/64", "2001:db8:1::1 -> 2001:db8::5/64", "any -> 2001:db8::5/64"}));
  EXPECT_EQ(Lines(MakePublication(config, kV4)),
            (Text{"any -> 192.0.2.5/24", "198.51.100.1 -> 192.0.2.5/24", "any -> 192.0.2.5/24"}));
  EXPECT_TRUE(MakePublication(config, {}).mappings.empty());
}

TEST(PortmapPublication, NamesTheMappingsNobodyServes) {
  const Config config = Published({"", "198.51.100.1", "2001:db8:1::1", "::"});
  EXPECT_TRUE(Unserved(config, kDual).empty());
  const std::vector<Mapping> unserved = Unserved(config, kV4);
  ASSERT_EQ(unserved.size(), 2U);
  EXPECT_EQ(ToString(unserved[0]), "[2001:db8:1::1]:80/tcp");
  EXPECT_EQ(Unserved(config, {}).size(), 4U);
}

TEST(PortmapPublication, CarriesPortsRangesAndOptions) {
  const Config config = Decode(
      R"({"markMasqBit":7,"conditionsV4":["-s","203.0.113.0/24"],"runtimeConfig":{"portMappings":[
          {"hostPort":100,"hostPortEnd":109,"containerPort":200,"protocol":"udp"}]}})");
  const Publication publication = MakePublication(config, kV4);
  ASSERT_EQ(publication.mappings.size(), 1U);
  const firewall::PortMapping& mapping = publication.mappings[0];
  EXPECT_EQ(mapping.protocol, firewall::Protocol::kUdp);
  EXPECT_EQ(mapping.host_port, 100);
  EXPECT_EQ(mapping.target_port, 200);
  EXPECT_EQ(mapping.count, 10);
  EXPECT_EQ(publication.mark_bit, 7);
  EXPECT_EQ(publication.conditions_v4, (Text{"-s", "203.0.113.0/24"}));
}

TEST(PortmapPublication, MasqAllMeansNothingWithoutSnat) {
  Config config = Published({""});
  config.masquerade_all = true;
  EXPECT_TRUE(MakePublication(config, kV4).masquerade_all);
  EXPECT_TRUE(MakePublication(config, kV4).masquerade_local);
  config.snat = false;
  EXPECT_FALSE(MakePublication(config, kV4).masquerade_all);
  EXPECT_FALSE(MakePublication(config, kV4).masquerade_local);
}

TEST(PortmapPublication, LocalhostIsForIpv4OnAnyOrLoopbackAddresses) {
  const auto reachable = [](const Config& config, const Targets& targets) {
    return IsReachableByLocalhost(MakePublication(config, targets));
  };
  EXPECT_TRUE(reachable(Published({""}), kDual));
  EXPECT_TRUE(reachable(Published({"198.51.100.1", "127.0.0.1"}), kV4));
  EXPECT_FALSE(reachable(Published({"198.51.100.1"}), kV4));
  EXPECT_FALSE(reachable(Published({"::", "::1"}), kDual));
  Config without = Published({""});
  without.snat = false;
  EXPECT_FALSE(reachable(without, kV4));
}

}  // namespace
}  // namespace cnm::portmap
