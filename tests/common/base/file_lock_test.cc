// file_lock_test.cc: locks between processes.
#include "common/base/file_lock.h"

#include <sys/time.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <csignal>
#include <fstream>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "common/base/error.h"
#include "common/base/subprocess.h"
#include "tests/common/base/child_process.h"

namespace cnm {
namespace {

using FileLockTest = DirectoryTest;
using LockTableTest = DirectoryTest;
using Clock = std::chrono::steady_clock;

/// "code message" of what `acquire` throws.
template <class Acquire>
std::string Failure(Acquire acquire) {
  try {
    acquire();
  } catch (const Error& e) {
    return fmt::format("{}{}", e.code() == Code::kTryAgain ? "try again: " : "", e.message());
  }
  return "";
}

TEST_F(FileLockTest, NamesTheHolderAtTheDeadline) {
  const std::string path = Path("lock");
  ChildProcess holder([&](const ChildProcess::Parent& parent) {
    const FileLock lock = FileLock::Acquire(path);
    parent.Tell();
    parent.Await();
  });
  ASSERT_TRUE(holder.Told());
  const auto start = Clock::now();
  EXPECT_EQ(Failure([&] { FileLock::Acquire(path, {.seconds = 1}); }),
            fmt::format("try again: lock {}: held by another process for more than 1 s", path));
  const auto took = Clock::now() - start;
  EXPECT_GE(took, std::chrono::seconds(1));
  EXPECT_LT(took, std::chrono::seconds(15));  // by default 20
  const auto name = [](const std::string& p) { return "the holder of " + p; };
  EXPECT_EQ(
      Failure([&] { FileLock::Acquire(path, {.seconds = 0, .holder = name}); }),
      fmt::format("try again: lock {}: held by the holder of {} for more than 0 s", path, path));
}

TEST_F(FileLockTest, WaitsUntilReleased) {
  const std::string path = Path("lock");
  // Forked first: a forked process shares the locks its parent holds.
  ChildProcess waiter([&](const ChildProcess::Parent& parent) {
    parent.Await();
    parent.Tell();
    const FileLock mine = FileLock::Acquire(path, {.seconds = 10});
    parent.Tell();
  });
  std::optional<FileLock> lock = FileLock::Acquire(path);
  waiter.Tell();
  ASSERT_TRUE(waiter.Told());
  EXPECT_FALSE(waiter.Told(500)) << "got a lock that is held";
  lock.reset();
  EXPECT_TRUE(waiter.Told());
  EXPECT_EQ(waiter.Wait(), 0);
}

TEST_F(FileLockTest, AKilledHolderHoldsNothing) {
  const std::string path = Path("lock");
  ChildProcess holder([&](const ChildProcess::Parent& parent) {
    const FileLock lock = FileLock::Acquire(path);
    parent.Tell();
    parent.Await();
  });
  ASSERT_TRUE(holder.Told());
  holder.Kill();
  EXPECT_EQ(Failure([&] { FileLock::Acquire(path, {.seconds = 0}); }), "");
}

TEST_F(FileLockTest, AgreesWithOtherProgramsOfFlock) {
  const std::string path = Path("lock");
  const Command try_lock{.path = "/usr/bin/flock", .arguments = {"flock", "-n", path, "true"}};
  std::optional<FileLock> lock = FileLock::Acquire(path);
  EXPECT_EQ(cnm::Run(try_lock).exit_status, 1);
  lock.reset();
  EXPECT_EQ(cnm::Run(try_lock).exit_status, 0);
}

TEST_F(FileLockTest, AWaitLeavesNoTimerAndNoHandlerBehind) {
  const std::string path = Path("lock");
  const FileLock lock = FileLock::Acquire(path);
  EXPECT_NE(Failure([&] { FileLock::Acquire(path, {.seconds = 1}); }), "");
  itimerval timer{};
  ASSERT_EQ(::getitimer(ITIMER_REAL, &timer), 0);
  EXPECT_EQ(timer.it_value.tv_sec + timer.it_value.tv_usec, 0);
  struct sigaction action {};
  ASSERT_EQ(::sigaction(SIGALRM, nullptr, &action), 0);
  EXPECT_EQ(action.sa_handler, SIG_DFL);
}

TEST_F(FileLockTest, EachThreadHasItsOwnDeadline) {
  const std::string path = Path("lock");
  const FileLock lock = FileLock::Acquire(path);
  sigset_t all;
  sigset_t old;
  sigfillset(&all);
  ASSERT_EQ(::pthread_sigmask(SIG_BLOCK, &all, &old), 0);  // as the threads of a daemon
  std::vector<std::thread> waiters;
  std::array<double, 6> took{};
  for (size_t i = 0; i < took.size(); ++i) {
    waiters.emplace_back([&path, &took, i] {
      const auto start = Clock::now();
      const unsigned seconds = i % 2 == 0 ? 1 : 2;
      EXPECT_NE(Failure([&] { FileLock::Acquire(path, {.seconds = seconds}); }), "");
      took[i] = std::chrono::duration<double>(Clock::now() - start).count();
    });
  }
  for (std::thread& waiter : waiters) waiter.join();
  ASSERT_EQ(::pthread_sigmask(SIG_SETMASK, &old, nullptr), 0);
  for (size_t i = 0; i < took.size(); ++i) {
    EXPECT_GE(took[i], i % 2 == 0 ? 1 : 2) << i;
    EXPECT_LT(took[i], i % 2 == 0 ? 1.9 : 2.9) << i;
  }
  struct sigaction action {};
  ASSERT_EQ(::sigaction(SIGALRM, nullptr, &action), 0);
  EXPECT_EQ(action.sa_handler, SIG_DFL);
}

TEST_F(LockTableTest, ThreadsOfOneProcessExcludeOneAnother) {
  const std::string path = Path("locks");
  int inside = 0;
  std::atomic<int> most = 0;
  std::atomic<int> running = 0;
  std::vector<std::thread> threads;
  threads.reserve(4);
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&] {
      for (int round = 0; round < 50; ++round) {
        const LockTable::Held held = LockTable(path).Acquire(1, "x", "thread");
        most = std::max(most.load(), ++running);
        ++inside;
        --running;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(inside, 200);
  EXPECT_EQ(most, 1);
}

TEST_F(FileLockTest, FailsWithoutTheDirectory) {
  EXPECT_EQ(Failure([&] { FileLock::Acquire(Path("none/lock")); }),
            fmt::format("open lock {}: No such file or directory", Path("none/lock")));
}

TEST_F(LockTableTest, ExcludesPerKeyAndNamesTheHolder) {
  const LockTable table(Path("locks"));
  ChildProcess holder([&](const ChildProcess::Parent& parent) {
    const LockTable::Held held = LockTable(Path("locks")).Acquire(7, "endpoint a", "ADD by pid 42");
    parent.Tell();
    parent.Await();
  });
  ASSERT_TRUE(holder.Told());
  EXPECT_TRUE(table.IsHeld(7));
  EXPECT_FALSE(table.IsHeld(6));
  EXPECT_EQ(Failure([&] { LockTable(Path("locks")).Acquire(6, "endpoint b", "me", 0); }), "");
  EXPECT_EQ(Failure([&] { LockTable(Path("locks")).Acquire(7, "endpoint a", "me", 1); }),
            "try again: lock endpoint a: held by ADD by pid 42 for more than 1 s");
  holder.Kill();
  EXPECT_FALSE(table.IsHeld(7));
  EXPECT_EQ(Failure([&] { LockTable(Path("locks")).Acquire(7, "endpoint a", "me", 0); }), "");
}

TEST_F(LockTableTest, WaitsUntilReleased) {
  LockTable table(Path("locks"));
  ChildProcess waiter([&](const ChildProcess::Parent& parent) {
    parent.Await();
    parent.Tell();
    const LockTable::Held mine =
        LockTable(Path("locks")).Acquire(UINT64_MAX, "endpoint a", "child");
    parent.Tell();
  });
  std::optional<LockTable::Held> held = table.Acquire(UINT64_MAX, "endpoint a", "me");
  waiter.Tell();
  ASSERT_TRUE(waiter.Told());
  EXPECT_FALSE(waiter.Told(500)) << "got a lock that is held";
  held.reset();
  EXPECT_TRUE(waiter.Told());
  EXPECT_EQ(waiter.Wait(), 0);
}

TEST_F(LockTableTest, CutsALongHolderAndKnowsWhenThereIsNone) {
  LockTable table(Path("locks"));
  {
    const LockTable::Held held = table.Acquire(1, "x", std::string(200, 'h'));
    EXPECT_EQ(Failure([&] { table.Acquire(1, "x", "me", 0); }),
              fmt::format("try again: lock x: held by {} for more than 0 s", std::string(63, 'h')));
  }
  const LockTable::Held held = table.Acquire(1, "x", "");
  EXPECT_EQ(Failure([&] { table.Acquire(1, "x", "me", 0); }),
            "try again: lock x: held by somebody unknown for more than 0 s");
}

TEST_F(LockTableTest, AnAbsentFileHoldsNothing) {
  EXPECT_FALSE(LockTable(Path("none")).IsHeld(1));
}

TEST_F(LockTableTest, TheProcessLimitEndsEveryWait) {
  LockTable table(Path("locks"));
  const LockTable::Held held = table.Acquire(1, "x", "me");
  ChildProcess limited([&](const ChildProcess::Parent& parent) {
    LimitProcessWait(1);
    const auto start = Clock::now();
    const std::string first = Failure([&] { table.Acquire(1, "x", "child", 30); });
    const std::string second = Failure([&] { table.Acquire(1, "x", "child", 30); });
    if (first.empty() || second.empty()) throw Error(Code::kInternal, "locked twice");
    if (Clock::now() - start < std::chrono::seconds(10)) parent.Tell();
  });
  EXPECT_TRUE(limited.Told(20'000));
  EXPECT_EQ(limited.Wait(), 0);
}

}  // namespace
}  // namespace cnm
