// rollback_test.cc: undo steps.
#include "common/base/rollback.h"

#include <string>

#include <gtest/gtest.h>

#include "common/base/error.h"

namespace cnm {
namespace {

TEST(Rollback, UndoesNewestFirstOnce) {
  std::string undone;
  {
    Rollback rollback;
    for (const char step : {'a', 'b', 'c'}) rollback.Push("step", [&, step] { undone += step; });
    rollback.Run();
    EXPECT_EQ(undone, "cba");
  }
  EXPECT_EQ(undone, "cba");
}

TEST(Rollback, UndoesWhenItsScopeEndsUnlessCommitted) {
  std::string undone;
  {
    Rollback().Push("a", [&] { undone += 'a'; });
  }
  EXPECT_EQ(undone, "a");
  {
    Rollback rollback;
    rollback.Push("b", [&] { undone += 'b'; });
    rollback.Commit();
    rollback.Push("c", [&] { undone += 'c'; });
  }
  EXPECT_EQ(undone, "ac");
}

TEST(Rollback, AFailingStepIsReportedAndTheOthersRun) {
  std::string undone;
  testing::internal::CaptureStderr();
  {
    Rollback rollback;
    rollback.Push("first", [&] { undone += '1'; });
    rollback.Push("second", [] { throw Error(Code::kKernel, "remove link x: busy"); });
    rollback.Push("third", [&] { undone += '3'; });
    EXPECT_FALSE(rollback.failed());
    rollback.Run();
    EXPECT_TRUE(rollback.failed());
  }
  EXPECT_EQ(testing::internal::GetCapturedStderr(), "cnm: undo second: remove link x: busy\n");
  EXPECT_EQ(undone, "31");
}

TEST(Rollback, AStepWhoseObserverThrowsIsUndoneToo) {
  std::string undone;
  try {
    Rollback rollback([](std::string_view step) {
      if (step == "b") throw Error(Code::kInternal, "fail here");
    });
    rollback.Push("a", [&] { undone += 'a'; });
    rollback.Push("b", [&] { undone += 'b'; });
    ADD_FAILURE();
  } catch (const Error& e) {
    EXPECT_EQ(e.message(), "fail here");
  }
  EXPECT_EQ(undone, "ba");
}

}  // namespace
}  // namespace cnm
