// args_test.cc: CNI_ARGS.
#include "plugins/cni/args.h"

#include <string>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "tests/plugins/cni/thrown.h"

namespace cnm::cni {
namespace {

std::string Refusal(std::string_view text) {
  return Thrown([&] { Args::Parse(text, {"IP", "MAC"}); });
}

TEST(Args, FindsTheKnownKeys) {
  const Args args = Args::Parse("IP=192.0.2.1;MAC=02:00:00:00:00:01", {"IP", "MAC"});
  EXPECT_EQ(args.Find("IP"), "192.0.2.1");
  EXPECT_EQ(args.Find("MAC"), "02:00:00:00:00:01");
  EXPECT_EQ(args.Find("GATEWAY"), std::nullopt);
}

TEST(Args, GivesNothingForNoText) {
  EXPECT_EQ(Args::Parse("", {"IP"}).Find("IP"), std::nullopt);
}

TEST(Args, LetsTheLastOfTwoWin) {
  EXPECT_EQ(Args::Parse("IP=192.0.2.1;IP=192.0.2.2", {"IP"}).Find("IP"), "192.0.2.2");
}

TEST(Args, TakesAnEmptyValue) {
  EXPECT_EQ(Args::Parse("IP=", {"IP"}).Find("IP"), "");
}

TEST(Args, PassesWhatKubeletSends) {
  const Args args = Args::Parse(
      "IgnoreUnknown=1;K8S_POD_NAMESPACE=default;K8S_POD_NAME=p;K8S_POD_UID=1-2;IP=192.0.2.9",
      {"IP"});
  EXPECT_EQ(args.Find("IP"), "192.0.2.9");
  EXPECT_EQ(args.Find("K8S_POD_NAME"), std::nullopt);
}

TEST(Args, TakesIgnoreUnknownAnywhereInAnyCase) {
  for (const char* yes : {"1", "true", "TRUE", "True"}) {
    EXPECT_EQ(Refusal(fmt::format("X=1;IgnoreUnknown={}", yes)), "") << yes;
  }
  for (const char* no : {"0", "false", "FALSE"}) {
    EXPECT_EQ(Refusal(fmt::format("IgnoreUnknown={};X=1", no)), "4 ARGS: unknown args [\"X=1\"]");
  }
}

TEST(Args, RefusesUnknownKeysAllAtOnce) {
  EXPECT_EQ(Refusal("ip=192.0.2.1;IP=192.0.2.1;mac=x"),
            "4 ARGS: unknown args [\"ip=192.0.2.1\" \"mac=x\"]");
}

TEST(Args, RefusesWhatIsNoPair) {
  EXPECT_EQ(Refusal("IP"), "4 ARGS: invalid pair \"IP\"");
  EXPECT_EQ(Refusal("IP=192.0.2.1;"), "4 ARGS: invalid pair \"\"");
  EXPECT_EQ(Refusal(";"), "4 ARGS: invalid pair \"\"");
  EXPECT_EQ(Refusal("IP=a=b"), "4 ARGS: invalid pair \"IP=a=b\"");
  EXPECT_EQ(Refusal("IgnoreUnknown=1;a"), "4 ARGS: invalid pair \"a\"");
}

TEST(Args, RefusesAnIgnoreUnknownThatIsNoBoolean) {
  EXPECT_EQ(Refusal("IgnoreUnknown=yes"),
            "4 ARGS: error parsing value of pair \"IgnoreUnknown=yes\": want 1, 0, true or false");
}

}  // namespace
}  // namespace cnm::cni
