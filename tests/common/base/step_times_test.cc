// step_times_test.cc: the stopwatch.
#include "common/base/step_times.h"

#include <gtest/gtest.h>

namespace cnm {
namespace {

TEST(StepTimes, LapsAddUpToNoMoreThanTheTotal) {
  StepTimes times;
  times.Mark("parse");
  times.Mark("lock");
  ASSERT_EQ(times.steps().size(), 2U);
  EXPECT_EQ(times.steps()[0].name, "parse");
  EXPECT_EQ(times.steps()[1].name, "lock");
  int64_t sum = 0;
  for (const StepTimes::Step& step : times.steps()) {
    EXPECT_GE(step.microseconds, 0);
    sum += step.microseconds;
  }
  EXPECT_LE(sum, times.TotalMicroseconds());
}

}  // namespace
}  // namespace cnm
