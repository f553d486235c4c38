// prev_result_test.cc: the result of the plugins before, from a configuration.
#include <optional>
#include <string>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "plugins/cni/result.h"
#include "tests/plugins/cni/thrown.h"

namespace cnm::cni {
namespace {

std::optional<Result> Previous(std::string_view config, std::string_view version) {
  return DecodePrevResult(json::Parse(config, "test"), version);
}

TEST(PrevResult, IsAbsentWhenNotGiven) {
  EXPECT_EQ(Previous("{}", "1.0.0"), std::nullopt);
  EXPECT_EQ(Previous(R"({"prevResult":null})", "1.0.0"), std::nullopt);
}

TEST(PrevResult, TakesTheConfigurationsVersionUnlessItHasItsOwn) {
  const char* bare = R"({"prevResult":{"ips":[{"address":"192.0.2.1/24"}]}})";
  EXPECT_EQ(Previous(bare, "0.4.0")->ips.size(), 1U);
  EXPECT_EQ(Previous(bare, "1.1.0")->ips.size(), 1U);
  EXPECT_EQ(Previous(R"({"prevResult":{"cniVersion":"1.0.0"}})", "1.1.0"), Result{});
  EXPECT_EQ(Previous(R"({"prevResult":{"cniVersion":"0.3.0"}})", "0.4.0"), Result{});
}

TEST(PrevResult, MustBeOfTheConfigurationsFamily) {
  const auto refusal = [](const char* own, const char* config) {
    return Thrown(
        [&] { Previous(fmt::format(R"({{"prevResult":{{"cniVersion":"{}"}}}})", own), config); });
  };
  EXPECT_EQ(refusal("0.4.0", "1.1.0"),
            "6 could not parse prevResult: result type supports [1.0.0 1.1.0] but unmarshalled "
            "CNIVersion is \"0.4.0\"");
  EXPECT_EQ(refusal("1.0.0", "0.3.1"),
            "6 could not parse prevResult: result type supports [0.3.0 0.3.1 0.4.0] but "
            "unmarshalled CNIVersion is \"1.0.0\"");
  EXPECT_EQ(refusal("9.0.0", ""),
            "6 could not parse prevResult: result type supports [0.1.0 0.2.0] but unmarshalled "
            "CNIVersion is \"9.0.0\"");
  EXPECT_EQ(Thrown([] { Previous(R"({"prevResult":[]})", "1.0.0"); }).substr(0, 28),
            "6 could not parse prevResult");
}

}  // namespace
}  // namespace cnm::cni
