// global_test.cc: what stands before dnet's command, and names behind it.
#include "cnm/dnet/global.h"

#include <string>

#include <gtest/gtest.h>

#include "cnm/dnet/commands.h"
#include "common/base/error.h"

namespace cnm::dnet {
namespace {

TEST(Global, TheFlagWinsOverTheEnvironmentOverTheDefault) {
  EXPECT_EQ(ParseGlobal({}, "").host, "tcp://0.0.0.0:2385");
  EXPECT_EQ(ParseGlobal({"-H="}, "").host, "tcp://0.0.0.0:2385");
  EXPECT_EQ(ParseGlobal({}, "tcp://192.0.2.1:1").host, "tcp://192.0.2.1:1");
  EXPECT_EQ(ParseGlobal({"-H", "tcp://192.0.2.2:2"}, "tcp://192.0.2.1:1").host,
            "tcp://192.0.2.2:2");
}

TEST(Global, FlagsEndAtTheCommand) {
  const Global global = ParseGlobal({"-D", "network", "create", "-d", "test", "x"}, "");
  EXPECT_TRUE(global.debug);
  EXPECT_FALSE(global.daemon);
  EXPECT_EQ(global.words, (Words{"network", "create", "-d", "test", "x"}));
}

TEST(Global, OnlyTcp) {
  EXPECT_EQ(ServerOf("tcp://:2385"), (http::ServerAddress{.host = "0.0.0.0", .port = "2385"}));
  for (const char* host : {"unix://var/run/dnet.sock", "127.0.0.1:2385", ""}) {
    try {
      ServerOf(host);
      ADD_FAILURE() << host;
    } catch (const Error& error) {
      EXPECT_EQ(error.message(), "dnet currently only supports tcp transport");
    }
  }
}

TEST(Global, TheDaemonListensOnLoopbackUnlessToldOtherwise) {
  EXPECT_EQ(ListenAddress("tcp://0.0.0.0:4567"), "127.0.0.1:4567");
  EXPECT_EQ(ListenAddress("tcp://:4567"), "127.0.0.1:4567");
  EXPECT_EQ(ListenAddress("tcp://:4567", true), "0.0.0.0:4567");  // TLS tells who comes
  EXPECT_EQ(ListenAddress("tcp://192.0.2.1:4567"), "192.0.2.1:4567");
  EXPECT_EQ(ListenAddress("tcp://[::1]:4567"), "[::1]:4567");
}

TEST(Global, LogLevels) {
  CheckLogLevel("info");
  try {
    CheckLogLevel("invalid");
    ADD_FAILURE();
  } catch (const Error& error) {
    EXPECT_EQ(error.message(), "Unable to parse logging level: invalid");
  }
}

TEST(Names, ServicesAreSplitAtTheLastDot) {
  EXPECT_EQ(SplitServiceName("a.b.net").service, "a.b");
  EXPECT_EQ(SplitServiceName("a.b.net").network, "net");
  EXPECT_EQ(SplitServiceName("a").service, "a");
  EXPECT_EQ(SplitServiceName("a").network, "");
}

TEST(Names, OptionsAreListsOfPairs) {
  EXPECT_EQ(ParseOptions({"a=1,b=x=y", "c="}),
            (std::map<std::string, std::string>{{"a", "1"}, {"b", "x=y"}, {"c", ""}}));
  EXPECT_THROW(ParseOptions({"a"}), Error);
  EXPECT_THROW(ParseOptions({"=a"}), Error);
}

}  // namespace
}  // namespace cnm::dnet
