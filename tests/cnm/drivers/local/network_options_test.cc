// network_options_test.cc: the options of a bridge network, as Docker and libnetwork write them.
#include "cnm/drivers/local/network_options.h"

#include <gtest/gtest.h>

#include "cnm/drivers/local/local_network.h"
#include "common/base/error.h"

namespace cnm::local {
namespace {

NetworkOptions Decode(const std::string& options) {
  return DecodeNetworkOptions({.id = "1", .options = options});
}

std::string Failure(const std::string& options) {
  try {
    Decode(options);
  } catch (const Error& e) {
    return e.message();
  }
  return "";
}

TEST(NetworkOptions, HaveDockersDefaults) {
  EXPECT_EQ(Decode(""), NetworkOptions());
  EXPECT_EQ(Decode(R"({"myopt":"1","EnableIPTables":true})"), NetworkOptions())
      << "unknown keys are other people's";
}

TEST(NetworkOptions, ReadDockersLabels) {
  const NetworkOptions options = Decode(R"({"cnm.network":"blue",
    "com.docker.network.bridge.name":"br7","com.docker.network.driver.mtu":"1400",
    "com.docker.network.bridge.enable_ip_masquerade":"false",
    "com.docker.network.bridge.enable_icc":"0","com.docker.network.bridge.inhibit_ipv4":"true",
    "com.docker.network.bridge.host_binding_ipv4":"198.51.100.7"})");
  EXPECT_EQ(options.network, "blue");
  EXPECT_EQ(options.bridge, "br7");
  EXPECT_EQ(options.mtu, 1400U);
  EXPECT_FALSE(options.masquerade);
  EXPECT_FALSE(options.icc);
  EXPECT_TRUE(options.bare);
  EXPECT_EQ(options.binding, net::Address::Parse("198.51.100.7"));
}

TEST(NetworkOptions, ReadLibnetworksKeys) {
  const NetworkOptions options = Decode(R"({"BridgeName":"br8","AddressIPv4":"192.0.2.9/24",
    "FixedCIDR":"192.0.2.128/25","FixedCIDRv6":"2001:db8::/64","Mtu":"9000","EnableICC":"f",
    "EnableIPMasquerade":"F","EnableIPv6":"t","DefaultGatewayIPv4":"192.0.2.3",
    "DefaultGatewayIPv6":"2001:db8::3","DefaultBindingIP":"203.0.113.1"})");
  EXPECT_EQ(options.bridge, "br8");
  EXPECT_EQ(options.address, net::Prefix::Parse("192.0.2.9/24"));
  EXPECT_EQ(options.mtu, 9000U);
  EXPECT_TRUE(options.ipv6);
  EXPECT_FALSE(options.icc);
  EXPECT_FALSE(options.masquerade);
  EXPECT_EQ(options.gateway, net::Address::Parse("192.0.2.3"));
  EXPECT_EQ(options.gateway_ipv6, net::Address::Parse("2001:db8::3"));
}

TEST(NetworkOptions, RefuseWithLibnetworksWords) {
  EXPECT_EQ(Failure(R"({"Mtu":"large"})"), "failed to parse Mtu value");
  EXPECT_EQ(Failure(R"({"Mtu":9000})"), "invalid type for Mtu value");
  EXPECT_EQ(Failure(R"({"Mtu":"-1"})"), "invalid MTU number: -1");
  EXPECT_EQ(Failure(R"({"EnableICC":"perhaps"})"), "failed to parse EnableICC value");
  EXPECT_EQ(Failure(R"({"AddressIPv4":"192.0.2.1"})"), "failed to parse AddressIPv4 value");
  EXPECT_EQ(Failure(R"({"AddressIPv4":"192.0.2.1/24","FixedCIDR":"198.51.100.0/25"})"),
            "container subnet must be a subset of bridge network");
  EXPECT_EQ(Failure(R"({"AddressIPv4":"192.0.2.1/24","DefaultGatewayIPv4":"198.51.100.1"})"),
            "default gateway ip must be part of the network");
  EXPECT_EQ(Failure(R"({"DefaultGatewayIPv6":"2001:db8::1"})"),
            "default gateway ip must be part of the network");
  EXPECT_EQ(Failure(R"({"BridgeName":"a/b"})"), R"("a/b" is no link name)");
}

TEST(LocalNetwork, IsTheSameAfterTheStore) {
  LocalNetwork network{.config = {.id = std::string(64, 'a'),
                                  .options = R"({"EnableICC":"false"})",
                                  .enable_ipv6 = true,
                                  .internal = true},
                       .door = "docker",
                       .name = "docker-aaaaaaaaaaaa",
                       .core = R"({"bridge":"br-aaaaaaaaaaaa"})",
                       .shared = true,
                       .lease_networks = {"pool-192.0.2.0-24"}};
  network.config.ipv4 = {{.address_space = "LocalDefault",
                          .pool = *net::Prefix::Parse("192.0.2.0/24"),
                          .gateway = net::Prefix::Parse("192.0.2.1/24")}};
  network.options = DecodeNetworkOptions(network.config);
  EXPECT_EQ(DecodeLocalNetwork(Encode(network)), network);
}

}  // namespace
}  // namespace cnm::local
