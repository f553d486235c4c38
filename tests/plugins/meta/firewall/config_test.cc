// config_test.cc: what the firewall plugin accepts, and in which words it refuses.
#include "plugins/meta/firewall/config.h"

#include <string>
#include <string_view>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "tests/plugins/cni/thrown.h"

namespace cnm::firewall_plugin {
namespace {

Config Decode(std::string_view text) {
  return DecodeConfig(json::Parse(text, "test"));
}

std::string Refusal(std::string_view text) {
  return cni::Thrown([&] { Decode(text); });
}

TEST(FirewallConfig, DefaultsAreTheReferences) {
  for (const char* text :
       {"{}", R"({"backend":"","iptablesAdminChainName":"","firewalldZone":"","ingressPolicy":""})",
        R"({"backend":null,"ingressPolicy":"open"})"}) {
    const Config config = Decode(text);
    EXPECT_EQ(config.backend, "");
    EXPECT_EQ(config.unknown_backend, "");
    EXPECT_EQ(config.admin_chain, "CNI-ADMIN");
    EXPECT_EQ(config.zone, "trusted");
    EXPECT_EQ(config.policy, IngressPolicy::kOpen);
  }
}

TEST(FirewallConfig, ReadsEveryKey) {
  const Config config = Decode(
      R"({"backend":"firewalld","iptablesAdminChainName":"OPS","firewalldZone":"work",
          "ingressPolicy":"isolated"})");
  EXPECT_EQ(config.backend, "firewalld");
  EXPECT_EQ(config.admin_chain, "OPS");
  EXPECT_EQ(config.zone, "work");
  EXPECT_EQ(config.policy, IngressPolicy::kIsolated);
  EXPECT_EQ(Decode(R"({"ingressPolicy":"same-bridge"})").policy, IngressPolicy::kSameBridge);
}

TEST(FirewallConfig, TakesAnUnknownBackendAsNoneAndRemembersIt) {
  for (const char* known : {"nftables", "iptables", "firewalld"}) {
    const Config config = Decode(fmt::format(R"({{"backend":"{}"}})", known));
    EXPECT_EQ(config.backend, known);
    EXPECT_EQ(config.unknown_backend, "");
  }
  for (const char* unknown : {"ipfw", "Nftables", "iptables "}) {
    const Config config = Decode(fmt::format(R"({{"backend":"{}"}})", unknown));
    EXPECT_EQ(config.backend, "");
    EXPECT_EQ(config.unknown_backend, unknown);
  }
}

TEST(FirewallConfig, RefusesAnUnknownPolicyInTheReferencesWords) {
  EXPECT_EQ(
      Refusal(R"({"ingressPolicy":"closed"})"),
      "7 unknown ingress policy: \"closed\" | $.ingressPolicy: want open, same-bridge or isolated");
  EXPECT_EQ(
      Refusal(R"({"ingressPolicy":"Open"})"),
      "7 unknown ingress policy: \"Open\" | $.ingressPolicy: want open, same-bridge or isolated");
}

TEST(FirewallConfig, RefusesNamesThatWouldEndTheLineTheyAreWrittenInto) {
  for (const char* name : {"A B", "A\\nCOMMIT", "-j", "!A", "\\\"", "\\u0001",
                           "A23456789012345678901234567890", "\\u00e9", "ACCEPT", "FORWARD"}) {
    SCOPED_TRACE(name);
    EXPECT_EQ(Refusal(fmt::format(R"({{"iptablesAdminChainName":"{}"}})", name)).substr(0, 27),
              "7 $.iptablesAdminChainName:");
  }
  EXPECT_EQ(Decode(R"({"iptablesAdminChainName":"A234567890123456789012345678"})").admin_chain,
            "A234567890123456789012345678");
  for (const char* zone : {"a b", "a\\nb", "\\u007f"}) {
    EXPECT_EQ(Refusal(fmt::format(R"({{"firewalldZone":"{}"}})", zone)).substr(0, 18),
              "7 $.firewalldZone:");
  }
}

TEST(FirewallConfig, RefusesOtherTypes) {
  EXPECT_EQ(Refusal(R"({"backend":1})"), "6 $.backend: want a string, got a number");
  EXPECT_EQ(Refusal(R"({"ingressPolicy":[]})"), "6 $.ingressPolicy: want a string, got an array");
}

}  // namespace
}  // namespace cnm::firewall_plugin
