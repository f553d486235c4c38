// lease_hints_test.cc: hints survive their bytes, and nothing else passes for hints.
#include "ipam/host_local/lease_hints.h"

#include <string>

#include <gtest/gtest.h>

namespace cnm::host_local {
namespace {

LeaseHints Example() {
  const auto at = [](const char* text) { return *net::Address::Parse(text); };
  LeaseHints hints{.boot_id = "boot",
                   .modified_ns = 7,
                   .trusted_ns = -5,
                   .link_indexes = 2,
                   .has_nameless = true,
                   .sets = {},
                   .cursors = {{3, 9, "192.0.2.1"}}};
  hints.sets.push_back(
      {{{{at("192.0.2.1"), at("192.0.2.40")}}, {{at("192.0.2.2"), at("192.0.2.2")}}},
       ipam::BitSequence(40)});
  hints.sets.push_back({{{{at("2001:db8::1"), at("2001:db8::9")}}, {}}, ipam::BitSequence(9)});
  hints.sets[0].bits.Set(1);
  return hints;
}

TEST(LeaseHints, SurviveTheirBytes) {
  const LeaseHints hints = Example();
  const auto copy = DecodeHints(EncodeHints(hints) + "rest of an older, longer text");
  ASSERT_TRUE(copy);
  EXPECT_EQ(copy->boot_id, hints.boot_id);
  EXPECT_EQ(copy->modified_ns, 7);
  EXPECT_EQ(copy->trusted_ns, -5);
  EXPECT_EQ(copy->link_indexes, 2U);
  EXPECT_TRUE(copy->has_nameless);
  EXPECT_EQ(copy->cursors, hints.cursors);
  ASSERT_EQ(copy->sets.size(), 2U);
  EXPECT_EQ(copy->sets[0].shape, hints.sets[0].shape);
  EXPECT_EQ(copy->sets[0].bits, hints.sets[0].bits);
  EXPECT_EQ(copy->sets[1].shape, hints.sets[1].shape);
}

TEST(LeaseHints, AreNoneWhenAnyByteIsWrongOrMissing) {
  const std::string bytes = EncodeHints(Example());
  for (size_t i = 0; i < bytes.size(); ++i) {
    std::string torn = bytes;
    torn[i] = static_cast<char>(torn[i] ^ 1);
    EXPECT_FALSE(DecodeHints(torn)) << "byte " << i;
    EXPECT_FALSE(DecodeHints(bytes.substr(0, i))) << "first " << i;
  }
}

TEST(LeaseHints, AreNoneWhenTheBitsDoNotFitTheRanges) {
  LeaseHints hints = Example();
  hints.sets[0].bits = ipam::BitSequence(41);
  EXPECT_FALSE(DecodeHints(EncodeHints(hints)));
}

}  // namespace
}  // namespace cnm::host_local
