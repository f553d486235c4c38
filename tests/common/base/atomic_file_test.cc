// atomic_file_test.cc: whole-file reads and atomic replacement.
#include "common/base/atomic_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <filesystem>
#include <string>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "common/base/error.h"
#include "common/base/fd.h"
#include "tests/common/base/child_process.h"

namespace cnm {
namespace {

using AtomicFile = DirectoryTest;
using MakeDirectoriesTest = DirectoryTest;

template <class Work>
std::string Failure(Work work) {
  try {
    work();
  } catch (const Error& e) {
    return fmt::format("{}{}", e.code() == Code::kDecode ? "decode: " : "", e.message());
  }
  return "";
}

unsigned ModeOf(const std::string& path) {
  struct stat st {};
  EXPECT_EQ(::stat(path.c_str(), &st), 0) << path;
  return st.st_mode & 07777U;
}

size_t EntriesIn(const std::string& directory) {
  const std::filesystem::directory_iterator entries(directory);
  return static_cast<size_t>(std::distance(begin(entries), end(entries)));
}

TEST_F(AtomicFile, ReadsEverySizeWhole) {
  for (const size_t size : {0U, 1U, 4095U, 4096U, 4097U, 12288U, 1'000'000U}) {
    std::string bytes(size, 'x');
    if (size > 0) bytes.back() = 'e';
    WriteFileAtomic(Path("f"), bytes, Durability::kVolatile);
    EXPECT_EQ(ReadFile(Path("f")), bytes) << size;
    EXPECT_EQ(ReadFile(Path("f"), size), bytes) << size;
    if (size == 0) continue;
    EXPECT_EQ(Failure([&] { ReadFile(Path("f"), size - 1); }),
              fmt::format("read {}: larger than {} bytes", Path("f"), size - 1));
  }
}

TEST_F(AtomicFile, AnAbsentFileIsNoErrorADirectoryIs) {
  EXPECT_EQ(ReadFile(Path("none")), std::nullopt);
  EXPECT_EQ(Failure([&] { ReadFile(Path("")); }), fmt::format("read {}: Is a directory", Path("")));
}

TEST_F(AtomicFile, ReadAllStopsAtTheLimit) {
  std::array<int, 2> ends{};
  ASSERT_EQ(::pipe(ends.data()), 0);
  const Fd read(ends[0]);
  Fd write(ends[1]);
  WriteAll(write.get(), std::string(9000, 'x'), "pipe");
  EXPECT_EQ(Failure([&] { ReadAll(read.get(), 8999, "stdin"); }),
            "decode: stdin is larger than 8999 bytes");
  WriteAll(write.get(), "abc", "pipe");
  write.Close();
  EXPECT_EQ(ReadAll(read.get(), 3, "stdin"), "abc");
  EXPECT_EQ(Failure([&] { ReadAll(-1, 3, "stdin"); }), "read stdin: Bad file descriptor");
}

TEST_F(AtomicFile, ReplacesForTheOwnerOnly) {
  for (const auto durability : {Durability::kVolatile, Durability::kDurable}) {
    WriteFileAtomic(Path("f"), "old and longer", durability);
    WriteFileAtomic(Path("f"), "new", durability);
    EXPECT_EQ(ReadFile(Path("f")), "new");
    EXPECT_EQ(ModeOf(Path("f")), 0600U);
    EXPECT_EQ(EntriesIn(Path("")), 1U);
  }
}

TEST_F(AtomicFile, AFailureLeavesTheOldAndNoTemporaryFile) {
  MakeDirectories(Path("d"));
  EXPECT_EQ(Failure([&] { WriteFileAtomic(Path("d"), "x", Durability::kVolatile); }),
            fmt::format("write {}: Is a directory", Path("d")));
  EXPECT_EQ(EntriesIn(Path("")), 1U);
  EXPECT_EQ(Failure([&] { WriteFileAtomic(Path("none/f"), "x", Durability::kVolatile); }),
            fmt::format("write {}: No such file or directory", Path("none/f")));
}

TEST_F(AtomicFile, ReplacesWhatAKilledWriterLeft) {
  const Fd left(::open(Path(".tmp-f").c_str(), O_WRONLY | O_CREAT, 0600));
  WriteAll(left.get(), std::string(100'000, 'z'), "leftover");
  WriteFileAtomic(Path("f"), "new", Durability::kVolatile);
  EXPECT_EQ(ReadFile(Path("f")), "new");
  EXPECT_EQ(EntriesIn(Path("")), 1U);
}

TEST_F(AtomicFile, AReaderOfAKilledWritersFileSeesOldOrNew) {
  const std::string a(50'000, 'a');
  const std::string b(70'000, 'b');
  WriteFileAtomic(Path("f"), a, Durability::kVolatile);
  for (int round = 0; round < 20; ++round) {
    ChildProcess writer([&](const ChildProcess::Parent& parent) {
      for (int i = 0;; ++i) {
        WriteFileAtomic(Path("f"), i % 2 == 0 ? b : a, Durability::kVolatile);
        if (i == round) parent.Tell();
      }
    });
    ASSERT_TRUE(writer.Told());
    for (int i = 0; i < 10; ++i) {
      const std::string seen = ReadFile(Path("f")).value_or("");
      ASSERT_TRUE(seen == a || seen == b) << seen.size();
    }
    writer.Kill();
    const std::string seen = ReadFile(Path("f")).value_or("");
    ASSERT_TRUE(seen == a || seen == b) << seen.size();
  }
  WriteFileAtomic(Path("f"), "new", Durability::kVolatile);
  EXPECT_EQ(EntriesIn(Path("")), 1U);
}

TEST_F(AtomicFile, RemovesOnce) {
  WriteFileAtomic(Path("f"), "x", Durability::kVolatile);
  EXPECT_TRUE(RemoveFile(Path("f")));
  EXPECT_FALSE(RemoveFile(Path("f")));
  WriteFileAtomic(Path("f"), "x", Durability::kVolatile);
  EXPECT_FALSE(RemoveFile(Path("f/below")));
  EXPECT_NE(Failure([&] { RemoveFile(Path("")); }), "");
}

TEST_F(MakeDirectoriesTest, MakesParentsAndOnlyTheLastPrivate) {
  MakeDirectories(Path("a/b/c"), 0700);
  EXPECT_EQ(ModeOf(Path("a/b/c")), 0700U);
  EXPECT_EQ(ModeOf(Path("a/b")), 0755U);
  MakeDirectories(Path("a/b/c"), 0755);
  EXPECT_EQ(ModeOf(Path("a/b/c")), 0700U) << "an existing one is left as it is";
}

TEST_F(MakeDirectoriesTest, ATrailingSlashChangesNothing) {
  MakeDirectories(Path("a/b//"), 0700);
  EXPECT_EQ(ModeOf(Path("a/b")), 0700U);
  EXPECT_EQ(ModeOf(Path("a")), 0755U);
  MakeDirectories("/", 0700);
}

TEST_F(MakeDirectoriesTest, AFileInTheWayIsAnError) {
  WriteFileAtomic(Path("f"), "x", Durability::kVolatile);
  EXPECT_EQ(Failure([&] { MakeDirectories(Path("f/a")); }),
            fmt::format("create directory {}: Not a directory", Path("f/a")));
}

}  // namespace
}  // namespace cnm
