// config_test.cc: the bandwidth plugin's configuration.
#include "plugins/meta/bandwidth/config.h"

#include <string>
#include <string_view>

#include <gtest/gtest.h>

#include "common/base/error.h"
#include "common/json/object.h"

namespace cnm::bandwidth {
namespace {

Config Decode(const std::string& text) {
  return DecodeConfig(json::Parse(text, "configuration"));
}

std::string ErrorOf(const std::string& text) {
  try {
    Decode(text);
  } catch (const Error& e) {
    return e.message() + "; " + e.details();
  }
  return "none";
}

TEST(BandwidthConfig, StaticRatesHideTheRuntimesWholly) {
  const Config config = Decode(
      R"({"egressRate":16,"egressBurst":80,
          "runtimeConfig":{"bandwidth":{"ingressRate":8,"ingressBurst":8}}})");
  EXPECT_EQ(config.ingress, Limit{});
  EXPECT_EQ(config.egress, (Limit{16, 80}));
}

TEST(BandwidthConfig, TakesTheCapabilityInGoSpelling) {
  const Config config =
      Decode(R"({"runtimeConfig":{"bandwidth":{"IngressRate":8000,"IngressBurst":4294967295}}})");
  EXPECT_EQ(config.ingress, (Limit{8000, 4294967295}));
}

TEST(BandwidthConfig, SubnetsOfTheNetworkServeTheRuntimesRates) {
  const Config config = Decode(
      R"({"unshapedSubnets":["10.1.2.3/8","10.0.0.0/8","2001:db8::/32"],
          "runtimeConfig":{"bandwidth":{"ingressRate":8,"ingressBurst":8}}})");
  ASSERT_EQ(config.unshaped.size(), 2U);
  EXPECT_EQ(config.unshaped[0].ToString(), "10.0.0.0/8");
  EXPECT_TRUE(config.ingress.set());
}

TEST(BandwidthConfig, SubnetsOfTheRuntimeReplaceTheNetworks) {
  const Config config = Decode(
      R"({"unshapedSubnets":["10.0.0.0/8"],
          "runtimeConfig":{"bandwidth":{"shapedSubnets":["192.0.2.0/24"]}}})");
  EXPECT_TRUE(config.unshaped.empty());
  EXPECT_EQ(config.shaped.size(), 1U);
}

TEST(BandwidthConfig, NothingIsNoLimit) {
  for (const char* text : {"{}", R"({"runtimeConfig":{}})", R"({"ingressRate":0})",
                           R"({"runtimeConfig":{"bandwidth":null}})"}) {
    EXPECT_FALSE(Decode(text).any()) << text;
  }
}

TEST(BandwidthConfig, ErrorsHaveTheReferencesWordsAndThePath) {
  EXPECT_EQ(ErrorOf(R"({"ingressRate":8})"),
            "if rate is set, burst must also be set; $.ingressBurst");
  EXPECT_EQ(ErrorOf(R"({"egressBurst":8})"),
            "if burst is set, rate must also be set; $.egressRate");
  EXPECT_EQ(ErrorOf(R"({"ingressRate":8,"ingressBurst":34359738360})"),
            "burst cannot be more than 4GB; $.ingressBurst");
  EXPECT_EQ(ErrorOf(R"({"runtimeConfig":{"bandwidth":{"egressRate":8}}})"),
            "if rate is set, burst must also be set; $.runtimeConfig.bandwidth.egressBurst");
  EXPECT_EQ(ErrorOf(R"({"ingressRate":8,"ingressBurst":34359738359})"), "none");
}

TEST(BandwidthConfig, EncodedAndDecodedItIsTheSame) {
  const Config config = Decode(
      R"({"ingressRate":18446744073,"ingressBurst":34359738359,"egressRate":80,"egressBurst":80,
          "shapedSubnets":["192.0.2.0/24","2001:db8::/32"]})");
  json::Writer w;
  w.BeginObject();
  Encode(config, w);
  EXPECT_EQ(Decode(w.EndObject().Take()), config);
}

}  // namespace
}  // namespace cnm::bandwidth
