// config_test.cc: every key of host-local, every rule, and the reference's texts.
#include "ipam/host_local/config.h"

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "common/base/error.h"
#include "common/json/object.h"

namespace cnm::host_local {
namespace {

net::Address Ip(std::string_view text) {
  return net::Address::Parse(text).value();
}

Config Decode(const std::string& text, const std::vector<std::string>& args = {}) {
  return DecodeConfig(json::Parse(text, "network configuration"), args);
}

/// A configuration whose ipam object has these members.
std::string Conf(std::string_view ipam, std::string_view more = "") {
  return fmt::format(
      R"({{"cniVersion":"1.0.0","name":"net","ipam":{{"type":"host-local"{}{}}}{}}})",
      ipam.empty() ? "" : ",", ipam, more);
}

Error FailureOf(const std::string& text, const std::vector<std::string>& args = {}) {
  try {
    Decode(text, args);
  } catch (const Error& error) {
    return error;
  }
  ADD_FAILURE() << "accepted " << text;
  return Error(Code::kInternal, "");
}

TEST(Config, FillsInTheDefaults) {
  const Config config = Decode(Conf(R"("subnet":"192.0.2.0/24")"));
  EXPECT_EQ(config.network, "net");
  EXPECT_EQ(config.data_dir, "/var/lib/cni/networks");
  ASSERT_EQ(config.range_sets.size(), 1U);
  const Range& range = config.range_sets[0].ranges.at(0);
  EXPECT_EQ(range.ToString(), "192.0.2.1-192.0.2.254");
  EXPECT_EQ(range.gateway, Ip("192.0.2.1"));
  EXPECT_EQ(config.warnings, std::vector<std::string>());
  const Config v6 = Decode(Conf(R"("subnet":"2001:db8::/64")"));
  EXPECT_EQ(v6.range_sets[0].ToString(), "2001:db8::1-2001:db8::ffff:ffff:ffff:ffff");
}

TEST(Config, ReadsEveryKey) {
  const Config config = Decode(Conf(R"("subnet":"192.0.2.0/24","rangeStart":"192.0.2.10",
      "rangeEnd":"192.0.2.20","gateway":"192.0.2.254","dataDir":"/d","resolvConf":"/r",
      "exclude":["192.0.2.12","192.0.2.16/31"],
      "ranges":[[{"subnet":"2001:db8::/64","exclude":["2001:db8::5"]}]],
      "routes":[{"dst":"0.0.0.0/0"},{"dst":"198.51.100.7/24","gw":"192.0.2.9","mtu":1400,
                 "advmss":1360,"priority":5,"table":100,"scope":253}])"));
  EXPECT_EQ(config.data_dir, "/d");
  EXPECT_EQ(config.resolv_conf, "/r");
  ASSERT_EQ(config.range_sets.size(), 2U);
  EXPECT_EQ(config.range_sets[0].ToString(), "192.0.2.10-192.0.2.20");
  EXPECT_EQ(config.range_sets[0].Blocked(),
            (std::vector<Span>{{Ip("192.0.2.12"), Ip("192.0.2.12")},
                               {Ip("192.0.2.16"), Ip("192.0.2.17")},
                               {Ip("192.0.2.254"), Ip("192.0.2.254")}}));
  EXPECT_EQ(config.range_sets[1].Blocked(),
            (std::vector<Span>{{Ip("2001:db8::1"), Ip("2001:db8::1")},
                               {Ip("2001:db8::5"), Ip("2001:db8::5")}}));
  ASSERT_EQ(config.routes.size(), 2U);
  EXPECT_EQ(config.routes[0].gateway, std::nullopt);
  const Route full{net::Prefix{Ip("198.51.100.7"), 24}, Ip("192.0.2.9"), 1400, 1360, 5, 100, 253};
  EXPECT_EQ(config.routes[1], full);
  EXPECT_EQ(config.warnings, std::vector<std::string>());
}

TEST(Config, PutsTheRuntimesRangesFirstAndTheSingleRangeBeforeTheList) {
  const Config config =
      Decode(Conf(R"("subnet":"192.0.2.0/24","ranges":[[{"subnet":"198.51.100.0/24"}]])",
                  R"(,"runtimeConfig":{"ipRanges":[[{"subnet":"203.0.113.0/24"}]]})"));
  ASSERT_EQ(config.range_sets.size(), 3U);
  EXPECT_EQ(config.range_sets[0].ranges[0].path, "$.runtimeConfig.ipRanges[0][0]");
  EXPECT_EQ(config.range_sets[1].ranges[0].path, "$.ipam");
  EXPECT_EQ(config.range_sets[2].ranges[0].path, "$.ipam.ranges[0][0]");
}

TEST(Config, CollectsRequestedAddressesFromAllSources) {
  const Config config = Decode(
      Conf(
          R"("subnet":"192.0.2.0/24")",
          R"(,"args":{"cni":{"ips":["192.0.2.6/16"]}},"runtimeConfig":{"ips":["192.0.2.7","192.0.2.5"]})"),
      {"192.0.2.5"});
  EXPECT_EQ(config.requested, (std::vector{Ip("192.0.2.5"), Ip("192.0.2.6"), Ip("192.0.2.7")}));
}

struct Refusal {
  const char* ipam;
  Code code;
  const char* message;
  const char* details;
};

TEST(Config, RefusesInTheReferencesWords) {
  const std::vector<Refusal> refusals{
      {"", Code::kConfig, "no IP ranges specified", "$.ipam.ranges"},
      {R"("subnet":"192.0.2.0/31")", Code::kConfig,
       "invalid range set 0: Network 192.0.2.0/31 too small to allocate from", "$.ipam.subnet"},
      {R"("subnet":"2001:db8::/127")", Code::kConfig,
       "invalid range set 0: Network 2001:db8::/127 too small to allocate from", "$.ipam.subnet"},
      {R"("subnet":"192.0.2.9/24")", Code::kConfig,
       "invalid range set 0: Network has host bits set. For a subnet mask of length 24 the network "
       "address is 192.0.2.0",
       "$.ipam.subnet"},
      {R"("subnet":"nonsense")", Code::kConfig, "invalid CIDR address: nonsense", "$.ipam.subnet"},
      {R"("subnet":5)", Code::kDecode, "$.ipam.subnet: want a string, got a number", ""},
      {R"("subnet":"192.0.2.0/24","rangeStart":"192.0.2.300")", Code::kConfig,
       "invalid IP address: 192.0.2.300", "$.ipam.rangeStart"},
      {R"("subnet":"192.0.2.0/24","rangeStart":"198.51.100.1")", Code::kConfig,
       "invalid range set 0: RangeStart 198.51.100.1 not in network 192.0.2.0/24",
       "$.ipam.rangeStart"},
      {R"("subnet":"192.0.2.0/24","rangeEnd":"198.51.100.1")", Code::kConfig,
       "invalid range set 0: RangeEnd 198.51.100.1 not in network 192.0.2.0/24", "$.ipam.rangeEnd"},
      {R"("subnet":"192.0.2.0/24","rangeStart":"192.0.2.9","rangeEnd":"192.0.2.8")", Code::kConfig,
       "invalid range set 0: RangeStart 192.0.2.9 not in network 192.0.2.0/24",
       "$.ipam.rangeStart"},
      {R"("subnet":"192.0.2.0/24","gateway":"2001:db8::1")", Code::kConfig,
       "invalid range set 0: gateway 2001:db8::1 is of another address family than network "
       "192.0.2.0/24",
       "$.ipam.gateway"},
      {R"("subnet":"192.0.2.0/24","exclude":["x"])", Code::kConfig, "invalid IP or CIDR address: x",
       "$.ipam.exclude[0]"},
      {R"("ranges":[[]])", Code::kConfig, "invalid range set 0: empty range set", ""},
      {R"("ranges":[[{}]])", Code::kConfig, "invalid range set 0: subnet missing",
       "$.ipam.ranges[0][0].subnet"},
      {R"("ranges":{})", Code::kDecode, "$.ipam.ranges: want an array, got an object", ""},
      {R"("ranges":[[{"subnet":"192.0.2.0/24"},{"subnet":"2001:db8::/64"}]])", Code::kConfig,
       "invalid range set 0: mixed address families", "$.ipam.ranges[0][1].subnet"},
      {R"("ranges":[[{"subnet":"192.0.2.0/24"},{"subnet":"192.0.2.128/25"}]])", Code::kOverlap,
       "invalid range set 0: subnets 192.0.2.1-192.0.2.254 and 192.0.2.129-192.0.2.254 overlap",
       "$.ipam.ranges[0][0] and $.ipam.ranges[0][1]"},
      {R"("ranges":[[{"subnet":"198.51.100.0/24"}],[{"subnet":"192.0.2.128/25"}],)"
       R"([{"subnet":"192.0.2.0/24"}]])",
       Code::kOverlap, "range set 1 overlaps with 2",
       "$.ipam.ranges[1][0] and $.ipam.ranges[2][0]"},
      {R"("subnet":"192.0.2.0/24","routes":[{"gw":"192.0.2.1"}])", Code::kConfig,
       "$.ipam.routes[0].dst: missing, want a string", ""},
      {R"("subnet":"192.0.2.0/24","routes":[{"dst":"192.0.2.0"}])", Code::kConfig,
       "invalid CIDR address: 192.0.2.0", "$.ipam.routes[0].dst"},
      {R"("subnet":"192.0.2.0/24","routes":[{"dst":"192.0.2.0/24","scope":256}])", Code::kConfig,
       "$.ipam.routes[0].scope: 256 is not in 0..255", ""},
  };
  for (const Refusal& refusal : refusals) {
    const Error error = FailureOf(Conf(refusal.ipam));
    EXPECT_EQ(error.message(), refusal.message);
    EXPECT_EQ(error.details(), refusal.details) << refusal.message;
    EXPECT_EQ(error.code(), refusal.code) << refusal.message;
  }
}

TEST(Config, RefusesWhatIsMissingOrUnreadableOutsideIpam) {
  EXPECT_EQ(FailureOf(R"({"name":"net"})").message(), "IPAM config missing 'ipam' key");
  EXPECT_EQ(FailureOf(R"({"ipam":{"subnet":"192.0.2.0/24"}})").code(), Code::kConfig);
  const Error error = FailureOf(Conf(R"("subnet":"192.0.2.0/24")"), {"192.0.2.x"});
  EXPECT_EQ(error.message(), "cannot understand ip: 192.0.2.x");
  EXPECT_EQ(error.details(), "CNI_ARGS IP[0]");
}

TEST(Config, OldVersionsHaveOneAddressPerFamily) {
  const auto conf = [](std::string_view version) {
    return fmt::format(R"({{"cniVersion":"{}","name":"n","ipam":{{"ranges":[
        [{{"subnet":"192.0.2.0/24"}}],[{{"subnet":"198.51.100.0/24"}}]]}}}})",
                       version);
  };
  EXPECT_EQ(FailureOf(conf("0.2.0")).message(),
            "CNI version 0.2.0 does not support more than 1 address per family");
  EXPECT_EQ(Decode(conf("0.3.0")).range_sets.size(), 2U);
  EXPECT_EQ(Decode(R"({"cniVersion":"0.2.0","name":"n","ipam":{"ranges":[
        [{"subnet":"192.0.2.0/24"}],[{"subnet":"2001:db8::/64"}]]}})")
                .range_sets.size(),
            2U);
}

TEST(Config, WarnsOfWhatHasNoEffect) {
  const Config config =
      Decode(Conf(R"("rangeStart":"192.0.2.5","subnett":"x","exclude":["203.0.113.9"],
                     "ranges":[[{"subnet":"192.0.2.0/24","exclude":["203.0.113.8"],"gatewy":""}]])"));
  EXPECT_EQ(config.warnings,
            (std::vector<std::string>{
                "$.ipam: rangeStart, rangeEnd and gateway have no effect without subnet",
                "$.ipam.ranges[0][0].exclude: 203.0.113.8 is not in the subnet",
                "$.ipam.ranges[0][0].gatewy: unknown, did you mean gateway?",
                "$.ipam.exclude: 203.0.113.9 is in no range",
                "$.ipam.subnett: unknown, did you mean subnet?"}));
}

TEST(Config, RefusesAbsurdAmounts) {
  std::string ranges;
  for (int i = 0; i < 2000; ++i) ranges += R"({"subnet":"192.0.2.0/24"},)";
  ranges.pop_back();
  EXPECT_EQ(FailureOf(Conf(R"("ranges":[[)" + ranges + "]]")).message(),
            "2000 ranges are too many, at most 1024");
}

TEST(Config, FindsTheDataDirectoryInAnInvalidConfiguration) {
  const auto dir = [](const char* text) { return DecodeDataDir(json::Parse(text, "conf")); };
  EXPECT_EQ(dir(R"({"ipam":{"dataDir":"/d","subnet":"x"}})"), "/d");
  for (const char* text :
       {"{}", R"({"ipam":5})", R"({"ipam":{"dataDir":5}})", R"({"ipam":{"dataDir":""}})"}) {
    EXPECT_EQ(dir(text), "/var/lib/cni/networks") << text;
  }
}

}  // namespace
}  // namespace cnm::host_local
