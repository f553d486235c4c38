// fd_test.cc: an owned file descriptor.
#include "common/base/fd.h"

#include <fcntl.h>
#include <unistd.h>

#include <utility>

#include <gtest/gtest.h>

namespace cnm {
namespace {

int Open() {
  return ::open("/dev/null", O_RDONLY | O_CLOEXEC);
}
bool IsOpen(int fd) {
  return ::fcntl(fd, F_GETFD) >= 0;
}

TEST(Fd, ClosesWhatItOwns) {
  int number = -1;
  {
    const Fd fd(Open());
    number = fd.get();
    EXPECT_TRUE(fd && IsOpen(number));
  }
  EXPECT_FALSE(IsOpen(number));
}

TEST(Fd, MovesAndClosesTheOverwritten) {
  Fd a(Open());
  Fd b(Open());
  const int first = a.get();
  const int second = b.get();
  a = std::move(b);
  EXPECT_FALSE(IsOpen(first));
  EXPECT_EQ(a.get(), second);
  const Fd c(std::move(a));
  EXPECT_TRUE(c.get() == second && IsOpen(second));
  EXPECT_FALSE(a || b);  // NOLINT(bugprone-use-after-move): moved from means none
}

TEST(Fd, SurvivesMovingOntoItself) {
  Fd a(Open());
  Fd& same = a;
  a = std::move(same);
  EXPECT_TRUE(a && IsOpen(a.get()));
}

TEST(Fd, ClosingTwiceIsHarmless) {
  EXPECT_FALSE(Fd());
  Fd zero(::dup(0));
  const int number = zero.get();
  zero.Close();
  zero.Close();
  EXPECT_FALSE(zero || IsOpen(number));
}

}  // namespace
}  // namespace cnm
