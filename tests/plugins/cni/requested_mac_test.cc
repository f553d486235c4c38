// requested_mac_test.cc: where a call may name a MAC address.
#include "plugins/cni/requested_mac.h"

#include <string>
#include <string_view>

#include <gtest/gtest.h>

#include "tests/plugins/cni/thrown.h"

namespace cnm::cni {
namespace {

constexpr std::string_view kAll = R"({"mac":"02:00:00:00:00:01",
    "args":{"cni":{"mac":"02:00:00:00:00:03"}},"runtimeConfig":{"mac":"02:00:00:00:00:04"}})";
constexpr std::string_view kArgs = "MAC=02:00:00:00:00:02";

std::string Last(std::initializer_list<MacSource> sources, std::string_view text = kAll) {
  const auto mac = RequestedMac(json::Parse(text, "test"), kArgs, sources);
  return mac ? mac->ToString() : "none";
}

TEST(RequestedMac, TheLastSourceWins) {
  EXPECT_EQ(Last({MacSource::kConfig}), "02:00:00:00:00:01");
  EXPECT_EQ(Last({MacSource::kConfig, MacSource::kCniArgs}), "02:00:00:00:00:02");
  EXPECT_EQ(Last({MacSource::kCniArgs, MacSource::kArgs, MacSource::kRuntime}),
            "02:00:00:00:00:04");
  EXPECT_EQ(Last({MacSource::kCniArgs, MacSource::kRuntime, MacSource::kArgs}),
            "02:00:00:00:00:03");
}

TEST(RequestedMac, AnEmptyTextNamesNone) {
  EXPECT_EQ(Last({MacSource::kArgs}, R"({"args":{"cni":{"mac":""}}})"), "none");
  EXPECT_EQ(Last({MacSource::kCniArgs, MacSource::kArgs}, R"({"args":{"cni":{"mac":""}}})"),
            "02:00:00:00:00:02");
  EXPECT_EQ(Last({MacSource::kArgs, MacSource::kRuntime, MacSource::kConfig}, "{}"), "none");
}

TEST(RequestedMac, ABadOneIsNamedWithItsPlace) {
  EXPECT_EQ(Thrown([] { Last({MacSource::kRuntime}, R"({"runtimeConfig":{"mac":"x"}})"); }),
            "7 invalid args x for MAC addr: invalid MAC address | $.runtimeConfig.mac: want a "
            "unicast address like 02:00:5e:10:00:01");
  EXPECT_EQ(Thrown([] { Last({MacSource::kArgs}, R"({"args":{"cni":{"mac":7}}})"); }),
            "6 $.args.cni.mac: want a string, got a number");
}

}  // namespace
}  // namespace cnm::cni
