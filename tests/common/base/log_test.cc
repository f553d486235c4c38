// log_test.cc: warnings and the flight recorder.
#include "common/base/log.h"

#include <sys/resource.h>
#include <sys/stat.h>

#include <csignal>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "common/base/atomic_file.h"
#include "common/base/error.h"
#include "tests/common/base/child_process.h"

namespace cnm {
namespace {

using RingLogTest = DirectoryTest;

TEST(Warn, WritesOneLineAndCutsLongOnes) {
  testing::internal::CaptureStderr();
  Warn("something odd");
  Warn("");
  EXPECT_EQ(testing::internal::GetCapturedStderr(), "cnm: something odd\ncnm: \n");
  testing::internal::CaptureStderr();
  Warn(std::string(100'000, 'x'));
  const std::string text = testing::internal::GetCapturedStderr();
  EXPECT_EQ(text.size(), 2048U);
  EXPECT_EQ(text.back(), '\n');
}

TEST_F(RingLogTest, ReadsLinesOldestFirst) {
  RingLog log(Path("log"));
  EXPECT_TRUE(log.Read().empty());
  EXPECT_TRUE(log.Append("one") && log.Append("two"));
  EXPECT_EQ(RingLog(Path("log")).Read(), (std::vector<std::string>{"one", "two"}));
}

TEST_F(RingLogTest, OverwritesTheOldestAndKeepsItsSize) {
  RingLog log(Path("log"));
  constexpr uint32_t kExtra = 10;
  for (uint32_t i = 0; i < RingLog::kSlots + kExtra; ++i)
    ASSERT_TRUE(log.Append(fmt::to_string(i)));
  const std::vector<std::string> lines = log.Read();
  ASSERT_EQ(lines.size(), RingLog::kSlots);
  EXPECT_EQ(lines.front(), fmt::to_string(kExtra));
  EXPECT_EQ(lines.back(), fmt::to_string(RingLog::kSlots + kExtra - 1));
  struct stat st {};
  ASSERT_EQ(::stat(Path("log").c_str(), &st), 0);
  EXPECT_EQ(st.st_size,
            off_t{RingLog::kHeaderBytes} + off_t{RingLog::kSlots} * RingLog::kSlotBytes);
}

TEST_F(RingLogTest, AShortLineLeavesNothingOfALongOne) {
  RingLog log(Path("log"));
  for (uint32_t i = 0; i < RingLog::kSlots; ++i) log.Append(std::string(2000, 'x'));
  log.Append("short");
  EXPECT_EQ(log.Read().back(), "short");
  EXPECT_EQ(log.Read().front(), std::string(RingLog::kSlotBytes - 1, 'x'));
}

TEST_F(RingLogTest, LosesNothingOfConcurrentWriters) {
  constexpr int kWriters = 4;
  constexpr int kLines = 400;
  {
    std::vector<std::unique_ptr<ChildProcess>> writers;
    writers.reserve(kWriters);
    for (int w = 0; w < kWriters; ++w) {
      writers.push_back(std::make_unique<ChildProcess>([&, w](const ChildProcess::Parent& parent) {
        parent.Await();
        RingLog log(Path("log"));
        for (int i = 0; i < kLines; ++i) {
          if (!log.Append(fmt::format("{}-{}", w, i))) throw Error(Code::kIo, "append");
        }
      }));
    }
    for (auto& writer : writers) writer->Tell();
    for (auto& writer : writers) EXPECT_EQ(writer->Wait(), 0);
  }
  const std::vector<std::string> lines = RingLog(Path("log")).Read();
  const std::set<std::string> distinct(lines.begin(), lines.end());
  EXPECT_EQ(lines.size(), size_t{kWriters} * kLines);
  EXPECT_EQ(distinct.size(), size_t{kWriters} * kLines);
}

TEST_F(RingLogTest, SkipsASlotThatWasClaimedAndNotWritten) {
  RingLog log(Path("log"));
  log.Append("one");
  log.Append("two");
  std::string bytes = ReadFile(Path("log")).value_or("");
  bytes[0] = 3;  // a third slot is claimed
  WriteFileAtomic(Path("log"), bytes, Durability::kVolatile);
  log.Append("four");
  EXPECT_EQ(log.Read(), (std::vector<std::string>{"one", "two", "four"}));
}

TEST_F(RingLogTest, ALogThatCannotBeWrittenIsNoFailure) {
  EXPECT_FALSE(RingLog(Path("none/log")).Append("x"));
  EXPECT_TRUE(RingLog(Path("none/log")).Read().empty());
  ChildProcess limited([&](const ChildProcess::Parent& /*parent*/) {
    ::signal(SIGXFSZ, SIG_IGN);
    const rlimit none{.rlim_cur = 0, .rlim_max = 0};
    ::setrlimit(RLIMIT_FSIZE, &none);
    if (RingLog(Path("log")).Append("x")) throw Error(Code::kInternal, "appended");
  });
  EXPECT_EQ(limited.Wait(), 0);
}

}  // namespace
}  // namespace cnm
