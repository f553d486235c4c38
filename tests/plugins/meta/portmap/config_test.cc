// config_test.cc: what the portmap plugin accepts, and in which words it refuses.
#include "plugins/meta/portmap/config.h"

#include <string>
#include <string_view>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "tests/plugins/cni/thrown.h"

namespace cnm::portmap {
namespace {

Config Decode(std::string_view text) {
  return DecodeConfig(json::Parse(text, "test"));
}

Config DecodePorts(std::string_view mappings) {
  return Decode(fmt::format(R"({{"runtimeConfig":{{"portMappings":{}}}}})", mappings));
}

std::string Refusal(std::string_view text) {
  return cni::Thrown([&] { Decode(text); });
}

std::string PortRefusal(std::string_view mappings) {
  return cni::Thrown([&] { DecodePorts(mappings); });
}

TEST(PortmapConfig, DefaultsAreTheReferences) {
  const Config config = Decode("{}");
  EXPECT_EQ(config.backend, "");
  EXPECT_TRUE(config.snat);
  EXPECT_FALSE(config.masquerade_all);
  EXPECT_EQ(config.mark_bit, 13);
  EXPECT_TRUE(config.mappings.empty());
}

TEST(PortmapConfig, ReadsEveryKey) {
  const Config config =
      Decode(R"({"backend":"iptables","snat":false,"masqAll":true,"externalSetMarkChain":"KUBE-M",
                 "conditionsV4":["-s","192.0.2.0/24"],"conditionsV6":["!","-s","2001:db8::/64"]})");
  EXPECT_EQ(config.backend, "iptables");
  EXPECT_FALSE(config.snat);
  EXPECT_TRUE(config.masquerade_all);
  EXPECT_EQ(config.mark_chain, "KUBE-M");
  EXPECT_EQ(config.conditions_v4.size(), 2U);
  EXPECT_EQ(config.conditions_v6.size(), 3U);
  EXPECT_EQ(Decode(R"({"markMasqBit":5})").mark_bit, 5);
}

TEST(PortmapConfig, OptionsChooseTheBackendThatUnderstandsThem) {
  EXPECT_EQ(Decode(R"({"conditionsV4":["-s","192.0.2.0/24"]})").backend, "iptables");
  EXPECT_EQ(Decode(R"({"conditionsV6":["!","-s","2001:db8::/64"]})").backend, "iptables");
  EXPECT_EQ(Decode(R"({"conditionsV4":["ip","saddr","192.0.2.0/24"]})").backend, "nftables");
  EXPECT_EQ(Decode(R"({"externalSetMarkChain":"KUBE-MARK-MASQ"})").backend, "iptables");
  EXPECT_EQ(Decode(R"({"markMasqBit":13})").backend, "iptables");
  EXPECT_EQ(Decode(R"({"conditionsV4":[],"externalSetMarkChain":"","backend":""})").backend, "");
  EXPECT_EQ(Decode(R"({"backend":"nftables","markMasqBit":13})").backend, "nftables")
      << "the reference ignores it too";
}

TEST(PortmapConfig, RefusesOptionsOfTheOtherBackend) {
  EXPECT_EQ(Refusal(R"({"backend":"iptables","conditionsV4":["tcp"],"conditionsV6":["tcp"]})"),
            "7 iptables backend was requested but configuration contains nftables-specific options "
            "[conditionsV4 conditionsV6] | $.conditionsV4");
  EXPECT_EQ(Refusal(R"({"backend":"nftables","externalSetMarkChain":"X","conditionsV4":["-s"],
                        "conditionsV6":["!"]})"),
            "7 nftables backend was requested but configuration contains iptables-specific options "
            "[externalSetMarkChain conditionsV4 conditionsV6] | $.externalSetMarkChain");
  EXPECT_EQ(Refusal(R"({"conditionsV4":["-s","192.0.2.0/24"],"conditionsV6":["ip6","saddr"]})"),
            "7 iptables backend was requested but configuration contains nftables-specific options "
            "[conditionsV6] | $.conditionsV6");
}

TEST(PortmapConfig, RefusesInTheReferencesWords) {
  EXPECT_EQ(Refusal(R"({"backend":"pf"})"),
            "7 unrecognized backend \"pf\" | $.backend: want nftables or iptables");
  EXPECT_EQ(Refusal(R"({"markMasqBit":32})"),
            "7 MasqMarkBit must be between 0 and 31 | $.markMasqBit: 32");
  EXPECT_EQ(Refusal(R"({"markMasqBit":-1})"),
            "7 MasqMarkBit must be between 0 and 31 | $.markMasqBit: -1");
  EXPECT_EQ(Refusal(R"({"markMasqBit":13,"externalSetMarkChain":"X"})"),
            "7 Cannot specify externalSetMarkChain and markMasqBit | "
            "$.externalSetMarkChain, $.markMasqBit: leave one out");
  EXPECT_EQ(Refusal(R"({"snat":"yes"})"), "6 $.snat: want true or false, got a string");
}

TEST(PortmapConfig, NothingThatCouldEndAWordReachesAnotherProgram) {
  for (const char* name : {"A B", "A\\nB", "-A", "!A", "A\\\"B", "A234567890123456789012345678X",
                           "MARK", "PREROUTING"}) {
    EXPECT_NE(Refusal(fmt::format(R"({{"externalSetMarkChain":"{}"}})", name)), "") << name;
  }
  EXPECT_NE(Refusal(R"({"conditionsV4":["-s","192.0.2.0/24\nCOMMIT"]})"), "");
}

TEST(PortmapMappings, BothSpellingsAreUnderstood) {
  const Config podman = DecodePorts(
      R"([{"hostPort":8080,"containerPort":80,"protocol":"udp","hostIP":"192.0.2.1"}])");
  const Config containerd = DecodePorts(
      R"([{"HostPort":8080,"ContainerPort":80,"Protocol":"UDP","HostIP":"192.0.2.1"}])");
  ASSERT_EQ(podman.mappings.size(), 1U);
  EXPECT_EQ(podman.mappings, containerd.mappings);
  EXPECT_EQ(ToString(podman.mappings[0]), "192.0.2.1:8080/udp");
  EXPECT_EQ(podman.mappings[0].container_port, 80);
}

TEST(PortmapMappings, WhatIsLeftOutIsTcpOnEveryAddress) {
  const Config config =
      DecodePorts(R"([{"hostPort":1,"containerPort":65535,"protocol":"","hostIP":""}])");
  EXPECT_EQ(config.mappings[0], (Mapping{.host_port = 1, .container_port = 65535}));
  EXPECT_TRUE(config.mappings[0].Serves(net::Family::kIpv4));
  EXPECT_TRUE(config.mappings[0].Serves(net::Family::kIpv6));
}

TEST(PortmapMappings, AWildcardOfOneFamilyServesOnlyThat) {
  const Config config = DecodePorts(R"([{"hostPort":80,"containerPort":80,"hostIP":"0.0.0.0"},
                                        {"hostPort":81,"containerPort":80,"hostIP":"::"}])");
  EXPECT_FALSE(config.mappings[0].Serves(net::Family::kIpv6));
  EXPECT_FALSE(config.mappings[1].Serves(net::Family::kIpv4));
}

TEST(PortmapMappings, RangesAreOursAndMustFit) {
  const Config config = DecodePorts(
      R"([{"hostPort":8000,"hostPortEnd":8099,"containerPort":80,"protocol":"sctp","hostIP":"::1"}])");
  EXPECT_EQ(config.mappings[0].count, 100);
  EXPECT_EQ(ToString(config.mappings[0]), "[::1]:8000-8099/sctp");
  EXPECT_EQ(PortRefusal(R"([{"hostPort":80,"hostPortEnd":79,"containerPort":80}])"),
            "7 $.runtimeConfig.portMappings[0].hostPortEnd: 79 is before hostPort 80");
  EXPECT_EQ(PortRefusal(R"([{"hostPort":80,"hostPortEnd":90,"containerPort":65526}])"),
            "7 $.runtimeConfig.portMappings[0].hostPortEnd: "
            "11 ports from containerPort 65526 on go beyond 65535");
  EXPECT_EQ(PortRefusal(R"([{"hostPort":80,"hostPortEnd":65536,"containerPort":80}])"),
            "7 Invalid host port number: 65536 | $.runtimeConfig.portMappings[0].hostPortEnd");
}

TEST(PortmapMappings, RefusesWhatIsNoPort) {
  const std::string at = "$.runtimeConfig.portMappings[0]";
  for (const char* port : {"0", "-1", "65536", "9223372036854775807"}) {
    EXPECT_EQ(PortRefusal(fmt::format(R"([{{"hostPort":{},"containerPort":80}}])", port)),
              fmt::format("7 Invalid host port number: {} | {}.hostPort", port, at));
    EXPECT_EQ(PortRefusal(fmt::format(R"([{{"hostPort":80,"containerPort":{}}}])", port)),
              fmt::format("7 Invalid container port number: {} | {}.containerPort", port, at));
  }
  EXPECT_EQ(PortRefusal(R"([{"containerPort":80}])"),
            "7 Invalid host port number: 0 | " + at + ".hostPort");
  for (const char* port : {"80.5", "\"80\"", "8e1", "[80]"}) {
    EXPECT_EQ(PortRefusal(fmt::format(R"([{{"hostPort":{},"containerPort":80}}])", port))
                  .rfind("6 " + at + ".hostPort: want", 0),
              0U)
        << port;
  }
}

TEST(PortmapMappings, RefusesUnknownProtocolsAndBadAddresses) {
  EXPECT_EQ(PortRefusal(R"([{"hostPort":80,"containerPort":80,"protocol":"icmp"}])"),
            "7 unknown protocol \"icmp\": want tcp, udp or sctp | "
            "$.runtimeConfig.portMappings[0].protocol");
  for (const char* address : {"localhost", "192.0.2.1/24", "192.0.2", "2001:db8::1%eth0"}) {
    EXPECT_EQ(PortRefusal(
                  fmt::format(R"([{{"hostPort":80,"containerPort":80,"hostIP":"{}"}}])", address)),
              fmt::format("7 hostIP \"{}\" is no IP address | "
                          "$.runtimeConfig.portMappings[0].hostIP",
                          address));
  }
  EXPECT_EQ(PortRefusal(R"({})").substr(0, 1), "6");
  EXPECT_EQ(PortRefusal(R"([8080])").substr(0, 1), "6");
}

TEST(PortmapMappings, RefusesOneHostPortTwice) {
  constexpr const char* kTwice[] = {
      R"([{"hostPort":80,"containerPort":1},{"hostPort":80,"containerPort":2}])",
      R"([{"hostPort":80,"containerPort":1},{"hostPort":80,"containerPort":1}])",
      R"([{"hostPort":80,"containerPort":1},{"hostPort":80,"containerPort":2,"hostIP":"0.0.0.0"}])",
      R"([{"hostPort":80,"containerPort":1,"hostIP":"::"},{"hostPort":80,"containerPort":2}])",
      R"([{"hostPort":80,"containerPort":1,"protocol":"TCP"},{"hostPort":80,"containerPort":2}])",
      R"([{"hostPort":70,"hostPortEnd":90,"containerPort":70},{"hostPort":80,"containerPort":2}])",
      R"([{"hostPort":90,"containerPort":1},{"hostPort":70,"hostPortEnd":90,"containerPort":70}])",
  };
  for (const char* text : kTwice) {
    EXPECT_NE(PortRefusal(text).find("is mapped twice"), std::string::npos) << text;
  }
  EXPECT_EQ(PortRefusal(kTwice[0]),
            "7 host port 80/tcp is mapped twice | "
            "$.runtimeConfig.portMappings[0], "
            "$.runtimeConfig.portMappings[1]");
}

TEST(PortmapMappings, SamePortElsewhereIsNoDuplicate) {
  EXPECT_EQ(PortRefusal(R"([{"hostPort":80,"containerPort":1},
                            {"hostPort":80,"containerPort":1,"protocol":"udp"},
                            {"hostPort":80,"containerPort":2,"hostIP":"192.0.2.1"},
                            {"hostPort":80,"containerPort":3,"hostIP":"192.0.2.2"},
                            {"hostPort":81,"hostPortEnd":90,"containerPort":1}])"),
            "");
}

}  // namespace
}  // namespace cnm::portmap
