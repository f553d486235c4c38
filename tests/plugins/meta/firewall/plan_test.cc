// plan_test.cc: which rules the firewall plugin asks for, and in which packet filter.
#include "plugins/meta/firewall/plan.h"

#include <string>
#include <string_view>
#include <vector>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "tests/plugins/cni/thrown.h"

namespace cnm::firewall_plugin {
namespace {

constexpr std::string_view kResult = R"({"cniVersion":"1.0.0",
  "interfaces":[{"name":"br1"},{"name":"veth1"},{"name":"eth0","sandbox":"/s"}],
  "ips":[{"address":"192.0.2.5/24","interface":2},{"address":"2001:db8::5/64","interface":2}]})";

cni::Result Result(std::string_view text = kResult) {
  return cni::DecodeResult(json::Parse(text, "test"), "1.0.0");
}

Config WithPolicy(IngressPolicy policy, std::string text) {
  Config config;
  config.policy = policy;
  config.policy_text = std::move(text);
  return config;
}

std::vector<std::string> Texts(const std::vector<net::Address>& addresses) {
  std::vector<std::string> texts;
  texts.reserve(addresses.size());
  for (const net::Address& address : addresses) texts.push_back(address.ToString());
  return texts;
}

using Strings = std::vector<std::string>;

TEST(FirewallPlan, ForwardsTheAddressesOfAllInterfacesOnce) {
  Config config;
  config.admin_chain = "OPS";
  config.zone = "work";
  const firewall::Forwarding forwarding = MakeForwarding(config, Result(R"({
    "interfaces":[{"name":"other","sandbox":"/s"}],
    "ips":[{"address":"192.0.2.5/24","interface":0},{"address":"192.0.2.5/32"},
           {"address":"2001:db8::5/64"},{"address":"198.51.100.1/24","interface":7}]})"));
  EXPECT_EQ(Texts(forwarding.addresses), (Strings{"192.0.2.5", "2001:db8::5", "198.51.100.1"}));
  EXPECT_EQ(forwarding.admin_chain, "OPS");
  EXPECT_EQ(forwarding.zone, "work");
}

TEST(FirewallPlan, IsolatesTheBridgeThatIsTheFirstInterface) {
  EXPECT_EQ(MakeIsolation(Config(), Result()), std::nullopt);
  EXPECT_EQ(MakeIsolation(WithPolicy(IngressPolicy::kSameBridge, "same-bridge"), Result()),
            (firewall::Isolation{"br1", false}));
  EXPECT_EQ(MakeIsolation(WithPolicy(IngressPolicy::kIsolated, "isolated"), Result()),
            (firewall::Isolation{"br1", true}));
}

TEST(FirewallPlan, RefusesToIsolateWithoutABridgeInTheReferencesWords) {
  const Config config = WithPolicy(IngressPolicy::kSameBridge, "same-bridge");
  EXPECT_EQ(cni::Thrown([&] { MakeIsolation(config, Result("{}")); }),
            "7 interface needs to be set for ingress policy \"same-bridge\", make sure to chain "
            "\"firewall\" plugin with \"bridge\" | $.prevResult.interfaces");
  EXPECT_EQ(cni::Thrown([&] { MakeIsolation(config, Result(R"({"interfaces":[{}]})")); }),
            "7 got empty bridge name | $.prevResult.interfaces[0].name");
  EXPECT_EQ(MakeIsolation(Config(), Result("{}")), std::nullopt);
}

TEST(FirewallPlan, RefusesNamesThatAreMoreThanOneBridge) {
  const Config config = WithPolicy(IngressPolicy::kSameBridge, "same-bridge");
  const auto refusal = [&](std::string_view name) {
    return cni::Thrown([&] {
      MakeIsolation(config, Result(fmt::format(R"({{"interfaces":[{{"name":"{}"}}]}})", name)));
    });
  };
  for (const char* name : {"br0 -j ACCEPT", "a\\nCOMMIT", "br+", "+", "..", "a/b", "a\\u0000",
                           "a\\u0001", "1234567890123456"}) {
    const std::string text = refusal(name);
    EXPECT_TRUE(text.starts_with("7 \"")) << text;
    EXPECT_TRUE(text.ends_with("\" is no name of a bridge | $.prevResult.interfaces[0].name"))
        << text;
  }
  EXPECT_EQ(refusal("br-1.2"), "");
}

TEST(FirewallPlan, AcceptsInEveryPacketFilterAndIsolatesInOne) {
  const Config config = WithPolicy(IngressPolicy::kIsolated, "isolated");
  const Backends backends{.forwarding = {"nftables", "iptables"}, .isolation = "nftables"};
  const std::vector<Attachment> made = MakeAttachments(config, Result(), backends);
  ASSERT_EQ(made.size(), 2U);
  EXPECT_EQ(made[0].backend, "nftables");
  EXPECT_EQ(made[1].backend, "iptables");
  for (const Attachment& attachment : made) {
    EXPECT_EQ(Texts(attachment.rules.forwarding.addresses), (Strings{"192.0.2.5", "2001:db8::5"}));
  }
  EXPECT_TRUE(made[0].rules.isolation);
  EXPECT_FALSE(made[1].rules.isolation);
}

TEST(FirewallPlan, IsolatesBesideFirewalldWhichCannot) {
  const Config config = WithPolicy(IngressPolicy::kSameBridge, "same-bridge");
  const std::vector<Attachment> made =
      MakeAttachments(config, Result(), {.forwarding = {"firewalld"}, .isolation = "nftables"});
  ASSERT_EQ(made.size(), 2U);
  EXPECT_EQ(made[0].backend, "firewalld");
  EXPECT_FALSE(made[0].rules.isolation);
  EXPECT_EQ(made[1].backend, "nftables");
  EXPECT_TRUE(made[1].rules.forwarding.addresses.empty());
}

TEST(FirewallPlan, AsksForNothingWithoutAddresses) {
  const Backends backends{.forwarding = {"nftables", "iptables"}, .isolation = "nftables"};
  EXPECT_TRUE(MakeAttachments(Config(), Result("{}"), backends).empty());
  const Config config = WithPolicy(IngressPolicy::kSameBridge, "same-bridge");
  const auto made = MakeAttachments(config, Result(R"({"interfaces":[{"name":"br1"}]})"), backends);
  ASSERT_EQ(made.size(), 1U);
  EXPECT_TRUE(made[0].rules.isolation);
}

}  // namespace
}  // namespace cnm::firewall_plugin
