// config_test.cc: the tuning plugin's configuration.
#include "plugins/meta/tuning/config.h"

#include <string>
#include <string_view>
#include <vector>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "tests/plugins/cni/thrown.h"

namespace cnm::tuning {
namespace {

using cni::Thrown;

Config Decode(std::string_view text, std::string_view args = "") {
  return DecodeConfig(json::Parse(text, "test"), args, "eth0");
}

std::string Problem(std::string_view text, std::string_view args = "") {
  return Thrown([&] { Decode(text, args); });
}

std::vector<std::string> Sysctls(const Config& config) {
  std::vector<std::string> lines;
  for (const Sysctl& sysctl : config.sysctls) {
    lines.push_back(fmt::format("{}={}", sysctl.name.path(), sysctl.value));
  }
  return lines;
}

using Lines = std::vector<std::string>;

TEST(TuningConfig, AsksForNothingByItself) {
  for (const std::string_view text :
       {"{}", R"({"type":"tuning","args":{"cni":{}},"runtimeConfig":{}})",
        R"({"mtu":0,"promisc":false,"mac":"","sysctl":{},"dataDir":""})",
        R"({"mtu":null,"promisc":null,"mac":null,"sysctl":null,"txQLen":null,"allmulti":null})"}) {
    const Config config = Decode(text);
    EXPECT_TRUE(config.empty()) << text;
    EXPECT_EQ(config.data_dir, "/run/cni/tuning");
  }
}

TEST(TuningConfig, ReadsEveryKey) {
  const Config config = Decode(R"({"dataDir":"/x","sysctl":{"net.core.somaxconn":"500",
      "net/ipv4/conf/IFNAME/rp_filter":"2"},"mac":"02-00-5E-10-00-01","promisc":true,"mtu":1400,
      "txQLen":0,"allmulti":false})");
  EXPECT_EQ(config.data_dir, "/x");
  EXPECT_EQ(Sysctls(config), (Lines{"net/core/somaxconn=500", "net/ipv4/conf/eth0/rp_filter=2"}));
  EXPECT_EQ(config.sysctls[1].key, "net/ipv4/conf/IFNAME/rp_filter");
  EXPECT_EQ(config.sysctls[0].where, R"($.sysctl["net.core.somaxconn"])");
  EXPECT_EQ(config.link.mac->ToString(), "02:00:5e:10:00:01");
  EXPECT_EQ(config.link.promiscuous, true);
  EXPECT_EQ(config.link.mtu, 1400U);
  EXPECT_EQ(config.link.tx_queue_length, 0U);
  EXPECT_EQ(config.link.all_multicast, false);
  EXPECT_FALSE(config.empty());
}

TEST(TuningConfig, TakesTheMacOfTheStrongestSource) {
  const std::string own = R"("mac":"02:00:00:00:00:01")";
  const std::string runtime = R"("runtimeConfig":{"mac":"02:00:00:00:00:03"})";
  const std::string args = R"("args":{"cni":{"mac":"02:00:00:00:00:04"}})";
  const std::string_view variable = "MAC=02:00:00:00:00:02";
  const auto mac = [](const std::string& text, std::string_view cni_args) {
    return Decode(text, cni_args).link.mac->ToString();
  };
  EXPECT_EQ(mac("{" + own + "}", ""), "02:00:00:00:00:01");
  EXPECT_EQ(mac("{" + own + "}", variable), "02:00:00:00:00:02");
  EXPECT_EQ(mac("{" + own + "," + runtime + "}", variable), "02:00:00:00:00:03");
  EXPECT_EQ(mac("{" + args + "," + runtime + "," + own + "}", variable), "02:00:00:00:00:04");
}

TEST(TuningConfig, ArgsOverrideKeyByKey) {
  const Config config = Decode(R"({"mtu":1400,"promisc":true,"txQLen":5,"allmulti":true,
      "sysctl":{"net.core.somaxconn":"1","net.ipv4.ip_forward":"1"},
      "args":{"cni":{"mtu":1300,"promisc":false,"allmulti":false,
      "sysctl":{"net/ipv4/ip_forward":"0","net.ipv4.tcp_sack":"0"}}}})");
  EXPECT_EQ(config.link.mtu, 1300U);
  EXPECT_FALSE(config.link.promiscuous);
  EXPECT_EQ(config.link.all_multicast, false);
  EXPECT_EQ(config.link.tx_queue_length, 5U);
  EXPECT_EQ(Sysctls(config),
            (Lines{"net/core/somaxconn=1", "net/ipv4/ip_forward=0", "net/ipv4/tcp_sack=0"}));
}

TEST(TuningConfig, ArgsMayBringTheOnlySysctls) {
  EXPECT_EQ(Sysctls(Decode(R"({"args":{"cni":{"sysctl":{"net.core.somaxconn":"7"}}}})")),
            Lines{"net/core/somaxconn=7"});
}

TEST(TuningConfig, RefusesASysctlThatIsGivenTwice) {
  EXPECT_EQ(Problem(R"({"sysctl":{"net.core.somaxconn":"1","net.core.somaxconn":"1"}})"),
            R"(7 duplicated sysctl keys are not allowed | $.sysctl["net.core.somaxconn"])");
  EXPECT_EQ(Problem(R"({"sysctl":{"net.core.somaxconn":"1","net/core/somaxconn":"2"}})"),
            "7 duplicated sysctl keys are not allowed | $.sysctl[\"net.core.somaxconn\"] and "
            "$.sysctl[\"net/core/somaxconn\"] are the same");
  EXPECT_NE(Problem(R"({"sysctl":{"net.ipv4.conf.IFNAME.x":"1","net.ipv4.conf.eth0.x":"2"}})"), "");
  EXPECT_NE(Problem(R"({"args":{"cni":{"sysctl":{"net.a.b":"1","net.a.b":"1"}}}})"), "");
}

TEST(TuningConfig, NamesTheSysctlThatIsNone) {
  EXPECT_EQ(Problem(R"({"sysctl":{"kernel.hostname":"x"}})"),
            "7 invalid net sysctl key: \"kernel.hostname\" | want a sysctl below net, like "
            "net.ipv4.conf.IFNAME.rp_filter; $.sysctl[\"kernel.hostname\"]");
  EXPECT_EQ(Problem(R"({"sysctl":{"net.core.somaxconn":500}})"),
            R"(6 $.sysctl["net.core.somaxconn"]: want a string, got a number)");
  EXPECT_EQ(Problem(R"({"sysctl":{"net.core.somaxconn":""}})"),
            R"(7 $.sysctl["net.core.somaxconn"]: want a value)");
  EXPECT_EQ(Problem(R"({"sysctl":["net.core.somaxconn"]})"),
            "6 $.sysctl: want an object, got an array");
}

TEST(TuningConfig, NamesTheMacThatNoStationHas) {
  for (const std::string_view mac :
       {"zz", "02:00:00:00:00", "01:00:5e:00:00:01", "ff:ff:ff:ff:ff:ff", "00:00:00:00:00:00",
        "02:00:00:00:00:01:02:03", "02:00:00:00:00:0g", " 02:00:00:00:00:01"}) {
    EXPECT_EQ(Problem(fmt::format(R"({{"mac":"{}"}})", mac)),
              fmt::format("7 invalid args {} for MAC addr: invalid MAC address | $.mac: want a "
                          "unicast address like 02:00:5e:10:00:01",
                          mac));
  }
  EXPECT_NE(Problem("{}", "MAC=zz").find("CNI_ARGS MAC"), std::string::npos);
  EXPECT_EQ(Problem("{}", "FOO=1"), "4 ARGS: unknown args [\"FOO=1\"]");
  EXPECT_EQ(Problem("{}", "IgnoreUnknown=1;K8S_POD_NAME=x"), "");
}

TEST(TuningConfig, NamesTheNumberOutOfRange) {
  EXPECT_EQ(Problem(R"({"mtu":67})"), "7 $.mtu: 67 is not in 68..65536");
  EXPECT_EQ(Problem(R"({"mtu":65537})"), "7 $.mtu: 65537 is not in 68..65536");
  EXPECT_EQ(Problem(R"({"mtu":-1})"), "7 $.mtu: -1 is not in 0..4294967295");
  EXPECT_EQ(Problem(R"({"mtu":1400.5})"), "6 $.mtu: want a whole number, got 1400.5");
  EXPECT_EQ(Problem(R"({"txQLen":-1})"), "7 $.txQLen: -1 is not in 0..2147483647");
  EXPECT_EQ(Problem(R"({"txQLen":2147483648})"), "7 $.txQLen: 2147483648 is not in 0..2147483647");
  EXPECT_EQ(Problem(R"({"args":{"cni":{"mtu":1}}})"), "7 $.args.cni.mtu: 1 is not in 68..65536");
  EXPECT_EQ(Problem(R"({"mtu":68,"txQLen":2147483647})"), "");
  EXPECT_EQ(Problem(R"({"mtu":65536})"), "");
}

TEST(TuningConfig, NamesWrongTypes) {
  EXPECT_EQ(Problem(R"({"promisc":"true"})"), "6 $.promisc: want true or false, got a string");
  EXPECT_EQ(Problem(R"({"allmulti":1})"), "6 $.allmulti: want true or false, got a number");
  EXPECT_EQ(Problem(R"({"mac":7})"), "6 $.mac: want a string, got a number");
  EXPECT_EQ(Problem(R"({"args":{"cni":[]}})"), "6 $.args.cni: want an object, got an array");
}

TEST(TuningConfig, TheDataDirectoryIsAbsolute) {
  EXPECT_EQ(Problem(R"({"dataDir":"x/y"})"), "7 $.dataDir: want an absolute path");
  EXPECT_EQ(Problem(R"({"dataDir":"/x\u0000y"})"), "7 $.dataDir: want an absolute path");
}

}  // namespace
}  // namespace cnm::tuning
