// clock_test.cc: the time of day, as text.
#include "common/base/clock.h"

#include <gtest/gtest.h>

namespace cnm {
namespace {

TEST(Clock, TextsAreUtcWithNanoseconds) {
  EXPECT_EQ(UtcText(1'000'000'000'000'000'001), "2001-09-09T01:46:40.000000001Z");
  EXPECT_EQ(UtcText(0), "");
}

TEST(Clock, LaterTextsSortBehind) {
  const int64_t now = NowNs();
  EXPECT_LT(UtcText(now), UtcText(now + 1));
  EXPECT_GT(UtcText(now), "2020-01-01T00:00:00.000000000Z");
}

TEST(Clock, SecondsAreThoseOfNanoseconds) {
  const int64_t before = NowNs() / 1'000'000'000;
  const int64_t now = NowSeconds();
  EXPECT_LE(before, now);
  EXPECT_LE(now, NowNs() / 1'000'000'000);
}

}  // namespace
}  // namespace cnm
