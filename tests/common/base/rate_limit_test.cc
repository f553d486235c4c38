// rate_limit_test.cc: bursts, and what comes after them.
#include "common/base/rate_limit.h"

#include <gtest/gtest.h>

namespace cnm {
namespace {

using std::chrono::seconds;

TEST(RateLimit, AllowsABurstThenOneInEachInterval) {
  const RateLimit::Clock::time_point start(seconds(1000));
  RateLimit limit(3, seconds(10));
  for (int i = 0; i < 3; ++i) EXPECT_EQ(limit.Take(start), 0U);
  EXPECT_EQ(limit.Take(start), std::nullopt);
  EXPECT_EQ(limit.Take(start + seconds(9)), std::nullopt);
  EXPECT_EQ(limit.Take(start + seconds(10)), 2U) << "those it refused";
  EXPECT_EQ(limit.Take(start + seconds(10)), std::nullopt);
  EXPECT_EQ(limit.Take(start + seconds(20)), 1U);
}

TEST(RateLimit, AllowsNoMoreThanABurstAfterARest) {
  const RateLimit::Clock::time_point start(seconds(1000));
  RateLimit limit(2, seconds(10));
  EXPECT_EQ(limit.Take(start), 0U);
  const auto later = start + seconds(1000);
  EXPECT_EQ(limit.Take(later), 0U);
  EXPECT_EQ(limit.Take(later), 0U);
  EXPECT_EQ(limit.Take(later), std::nullopt);
}

}  // namespace
}  // namespace cnm
