// nearest_key_test.cc: suggestions for misspelt keys.
#include "common/json/nearest_key.h"

#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace cnm::json {
namespace {

TEST(NearestKey, FindsWhatWasMeant) {
  const std::vector<std::string> known = {"bridge", "mtu", "isGateway", "isDefaultGateway",
                                          "ipMasq"};
  EXPECT_EQ(NearestKey("bridgee", known), "bridge");
  EXPECT_EQ(NearestKey("brigde", known), "bridge");  // swapped neighbours
  EXPECT_EQ(NearestKey("mut", known), "mtu");
  EXPECT_EQ(NearestKey("ISGATEWAYS", known), "isGateway");
  EXPECT_EQ(NearestKey("is_default_gateway", known), "isDefaultGateway");
  EXPECT_EQ(NearestKey("ipmasquerade", known), "");
  EXPECT_EQ(NearestKey("m", known), "");
  EXPECT_EQ(NearestKey("", known), "");
}

TEST(NearestKey, PrefersTheNearestThenTheFirst) {
  EXPECT_EQ(NearestKey("range", std::vector<std::string>{"ranges", "rango", "range"}), "range");
  EXPECT_EQ(NearestKey("rangex", std::vector<std::string>{"rangea", "rangeb"}), "rangea");
}

TEST(NearestKey, IgnoresWordsNoKeyIsAsLongAs) {
  const std::string longest(1 << 20, 'a');
  EXPECT_EQ(NearestKey(longest, std::vector<std::string>{"a", longest}), "");
  EXPECT_EQ(NearestKey("a", std::vector<std::string>{longest}), "");
}

}  // namespace
}  // namespace cnm::json
