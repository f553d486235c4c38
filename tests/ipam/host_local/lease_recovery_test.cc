// lease_recovery_test.cc: lease directories that others wrote to, that a crash or a full disk left,
// or that are damaged.
#include <fcntl.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <csignal>
#include <filesystem>
#include <fstream>
#include <set>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "ipam/host_local/lease_files.h"
#include "ipam/host_local/lease_text.h"
#include "tests/ipam/host_local/lease_site.h"

namespace cnm::host_local {
namespace {

TEST_F(LeaseDirectoryTest, RefusesASecondAddressForAForeignLeaseOfTheOwner) {
  ForeignAdd("192.0.2.4", "a\r\neth0");
  EXPECT_EQ(FailureOf([&] { Take({"a", "eth0"}); }).code(), Code::kExists);
}

TEST_F(LeaseDirectoryTest, RefusesASecondAddressForAFileWithOnlyTheContainerId) {
  ForeignAdd("192.0.2.4", "a");
  EXPECT_EQ(FailureOf([&] { Take({"a", "eth0"}); }).code(), Code::kExists);
  Take({"b", "eth0"});  // the next call knows the directory from hints
  EXPECT_EQ(FailureOf([&] { Take({"a", "eth0"}); }).code(), Code::kExists);
}

TEST_F(LeaseDirectoryTest, AFailedCallReleasesWhatItTookAndMovesNoCursor) {
  Take({"a", "eth0"});
  RangeSet full{{MakeRange("198.51.100.0/30", "198.51.100.1", "198.51.100.1")}, {}};
  const RangeSet set = SmallSet();
  const std::vector<Want> wants{{&set, {}}, {&full, {}}};
  const auto before = Names();
  EXPECT_EQ(FailureOf([&] { Open().Allocate({"b", "eth0"}, wants); }).code(), Code::kExhausted);
  EXPECT_EQ(Names(), before);
  EXPECT_EQ(Content("last_reserved_ip.0"), "192.0.2.2");
  EXPECT_EQ(Take({"c", "eth0"}), Ip("192.0.2.3"));
}

TEST_F(LeaseDirectoryTest, SeesForeignLeases) {
  Take({"a", "eth0"});
  ForeignAdd("192.0.2.3", "theirs\r\neth0");
  EXPECT_EQ(Take({"b", "eth0"}), Ip("192.0.2.4"));
  EXPECT_EQ(Content("192.0.2.3"), "theirs\r\neth0");
}

TEST_F(LeaseDirectoryTest, SeesAForeignLeaseEvenWhenTheClockDoesNotShowIt) {
  Take({"a", "eth0"});
  struct stat before {};
  ASSERT_EQ(::stat(path_.c_str(), &before), 0);
  ForeignAdd("192.0.2.3", "theirs\r\neth0");
  const timespec times[2] = {before.st_atim, before.st_mtim};  // as on a kernel with coarse clocks
  ASSERT_EQ(::utimensat(AT_FDCWD, path_.c_str(), times, 0), 0);
  EXPECT_EQ(Take({"b", "eth0"}), Ip("192.0.2.4"));
  EXPECT_EQ(Open().Release({"theirs", "eth0"}).size(), 1U);
}

TEST_F(LeaseDirectoryTest, NeverTakesAnAddressTwiceHoweverWrongTheHints) {
  Take({"a", "eth0"});
  struct stat before {};
  ASSERT_EQ(::stat(path_.c_str(), &before), 0);
  std::ofstream(path_ / "192.0.2.3", std::ios::binary) << "theirs\r\neth0";  // cursor not moved
  const timespec times[2] = {before.st_atim, before.st_mtim};
  ASSERT_EQ(::utimensat(AT_FDCWD, path_.c_str(), times, 0), 0);
  EXPECT_EQ(Take({"b", "eth0"}), Ip("192.0.2.4"));
  EXPECT_EQ(Content("192.0.2.3"), "theirs\r\neth0");
  EXPECT_EQ(Open().Release({"theirs", "eth0"}).size(), 1U);
}

TEST_F(LeaseDirectoryTest, ReleasesForeignLeases) {
  ForeignAdd("192.0.2.3", "theirs\r\neth0");
  ForeignAdd("192.0.2.4", "old");
  ForeignAdd("2001:db8::5", "theirs\r\neth0");
  EXPECT_EQ(Open().Release({"theirs", "eth0"}).size(), 2U);
  EXPECT_EQ(Open().Release({"old", "eth0"}), std::vector{Ip("192.0.2.4")});
  EXPECT_EQ(Traces(), std::set<std::string>());
}

TEST_F(LeaseDirectoryTest, PrefersTheExactFileToOneWithOnlyTheContainerId) {
  ForeignAdd("192.0.2.3", "c");
  ForeignAdd("192.0.2.4", "c\r\neth0");
  EXPECT_EQ(Open().Release({"c", "eth0"}), std::vector{Ip("192.0.2.4")});
  EXPECT_EQ(Open().Release({"c", "eth0"}), std::vector{Ip("192.0.2.3")});
}

TEST_F(LeaseDirectoryTest, ForgetsWhatTheReferenceReleased) {
  Take({"a", "eth0"});
  Take({"b", "eth0"});
  fs::remove(path_ / "192.0.2.2");  // their DEL of a
  Take({"c", "eth0"});
  EXPECT_EQ(Traces().size(), 4U) << "the symlink of a is still there";
  EXPECT_EQ(Take({"a", "eth0"}), Ip("192.0.2.5"));
}

TEST_F(LeaseDirectoryTest, DoesNotReleaseAnAddressThatChangedHands) {
  Take({"a", "eth0"});
  fs::remove(path_ / "192.0.2.2");
  ForeignAdd("192.0.2.2", "theirs\r\neth0");
  EXPECT_TRUE(Open().Release({"a", "eth0"}).empty());
  EXPECT_EQ(Content("192.0.2.2"), "theirs\r\neth0");
  EXPECT_EQ(Open().Release({"theirs", "eth0"}).size(), 1U);
  EXPECT_EQ(Traces(), std::set<std::string>());
}

TEST_F(LeaseDirectoryTest, ReclaimsLeasesOfAnEarlierBootAndNoOthers) {
  Take({"dead", "eth0"});
  ForeignAdd("192.0.2.3", "theirs-dead\r\neth0");
  TakeThis({kReservedId, "aux"}, "192.0.2.4");  // this call sees the foreign one
  ForeignAdd("192.0.2.5", "theirs-of-this-boot\r\neth0");
  EXPECT_EQ(Take({"new", "eth0"}, kBootB), Ip("192.0.2.6"));
  EXPECT_FALSE(fs::exists(path_ / "192.0.2.2"));
  EXPECT_FALSE(fs::exists(path_ / "192.0.2.3"));
  EXPECT_TRUE(fs::exists(path_ / "192.0.2.4"));
  EXPECT_TRUE(fs::exists(path_ / "192.0.2.5"));
  EXPECT_EQ(Traces().size(), 6U);
  EXPECT_EQ(Take({"dead", "eth0"}, kBootB), Ip("192.0.2.2"));
}

TEST_F(LeaseDirectoryTest, KeepsALeaseThatTookOverAnEarlierBootsInode) {
  Take({"dead", "eth0"});
  struct stat file {};
  ASSERT_EQ(::stat((path_ / "192.0.2.2").c_str(), &file), 0);
  // The same inode, rewritten: what reuse of an inode after a reboot looks like.
  std::ofstream(path_ / "192.0.2.2", std::ios::binary) << "theirs\r\neth0";
  struct stat after {};
  ASSERT_EQ(::stat((path_ / "192.0.2.2").c_str(), &after), 0);
  ASSERT_EQ(after.st_ino, file.st_ino);
  EXPECT_EQ(Take({"new", "eth0"}, kBootB), Ip("192.0.2.3"));
  EXPECT_EQ(Content("192.0.2.2"), "theirs\r\neth0");
}

TEST_F(LeaseDirectoryTest, ReclaimsAnEmptyFileOlderThanTheBootOnly) {
  ForeignAdd("192.0.2.2", "");
  ForeignAdd("192.0.2.3", "");
  const timespec old[2] = {{.tv_sec = 1, .tv_nsec = 0}, {.tv_sec = 1, .tv_nsec = 0}};
  ASSERT_EQ(::utimensat(AT_FDCWD, (path_ / "192.0.2.2").c_str(), old, 0), 0);
  Take({"a", "eth0"});
  EXPECT_FALSE(fs::exists(path_ / "192.0.2.2"));
  EXPECT_TRUE(fs::exists(path_ / "192.0.2.3"));
}

TEST_F(LeaseDirectoryTest, CorruptFilesHoldTheirAddressAndBlockNothing) {
  fs::create_directories(path_ / "192.0.2.2");
  ForeignAdd("192.0.2.3", std::string("\0\x01garbage", 9));
  ForeignAdd("192.0.2.4", std::string(100'000, 'x'));
  ASSERT_EQ(::mkfifo((path_ / "192.0.2.5").c_str(), 0600), 0);
  EXPECT_EQ(Take({"a", "eth0"}), Ip("192.0.2.6"));
  EXPECT_EQ(Open().List().size(), 5U);
  EXPECT_EQ(Open().List()[1].owner, Owner());
  EXPECT_EQ(Open().Release({"a", "eth0"}).size(), 1U);
  EXPECT_EQ(Traces().size(), 4U);
}

TEST_F(LeaseDirectoryTest, CorruptHintsOrCursorsOnlyCostTime) {
  Take({"a", "eth0"});
  for (const std::string& bytes : {std::string(), std::string("cnm-hints 1\n"),
                                   Content(".cnm-hints").substr(0, 60), std::string(5000, 'x')}) {
    std::ofstream(path_ / ".cnm-hints", std::ios::binary) << bytes;
    std::ofstream(path_ / "last_reserved_ip.0", std::ios::binary) << "nonsense";
    EXPECT_EQ(Take({"b", "eth0"}), Ip("192.0.2.3"));
    EXPECT_EQ(Open().Release({"b", "eth0"}).size(), 1U);
  }
  EXPECT_EQ(Open().Release({"a", "eth0"}).size(), 1U);
}

TEST_F(LeaseDirectoryTest, CleansWhatAKilledCallLeftAfterEachStep) {
  Take({"a", "eth0"});
  const std::string link = ".cnm-" + HashOf({"k", "eth0"}) + ".0";
  const auto expect_clean = [&] {
    Open().Release({"k", "eth0"});
    EXPECT_EQ(Traces().size(), 2U);
  };
  const auto break_off = [&](int steps) {
    auto files = LeaseFiles::Open(path_.string());
    const FileState file = files->WriteTemporary("k\r\neth0");
    if (steps > 1) {
      files->MakeLink(
          link, FormatTarget({std::string(kBootA, 8), file.inode, file.mtime_ns, Ip("192.0.2.3")}));
    }
    if (steps > 2) files->Publish("192.0.2.3");
  };
  for (const int steps : {1, 2, 3}) {
    break_off(steps);
    EXPECT_EQ(Traces().size(), steps == 2 ? 4U : static_cast<size_t>(steps == 1 ? 3 : 4));
    expect_clean();
    if (steps == 3) continue;  // complete: the owner's next ADD is a duplicate, as after any ADD
    break_off(steps);
    EXPECT_EQ(Take({"k", "eth0"}), Ip("192.0.2.3"));
    EXPECT_EQ(Traces().size(), 4U);
    expect_clean();
    std::ofstream(path_ / "last_reserved_ip.0") << "192.0.2.2";
  }
}

TEST_F(LeaseDirectoryTest, FailsWithThePathWhenTheDirectoryCannotBeMade) {
  std::ofstream(root_ / "net") << "a file";
  const Error error = FailureOf([&] { Take({"a", "eth0"}); });
  EXPECT_EQ(error.code(), Code::kIo);
  EXPECT_NE(error.message().find(path_.string()), std::string::npos) << error.message();
}

TEST_F(LeaseDirectoryTest, LeavesNothingWhenTheDiskIsFull) {
  Take({"a", "eth0"});
  const auto before = Names();
  rlimit old{};
  ASSERT_EQ(::getrlimit(RLIMIT_FSIZE, &old), 0);
  const rlimit none{.rlim_cur = 0,
                    .rlim_max = old.rlim_max};  // every write fails, as on a full disk
  const auto handler = std::signal(SIGXFSZ, SIG_IGN);
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &none), 0);
  const Error error = FailureOf([&] { Take({"b", "eth0"}); });
  const auto released = Open().Release({"a", "eth0"});
  ::setrlimit(RLIMIT_FSIZE, &old);
  std::signal(SIGXFSZ, handler);
  EXPECT_EQ(error.code(), Code::kIo);
  EXPECT_NE(error.message().find((path_ / ".cnm-new").string()), std::string::npos);
  EXPECT_EQ(released.size(), 1U) << "DEL needs no space";
  EXPECT_EQ(Traces(), std::set<std::string>());
  EXPECT_EQ(before.size(), Names().size() + 2);
  EXPECT_EQ(Take({"b", "eth0"}), Ip("192.0.2.3"));
}

}  // namespace
}  // namespace cnm::host_local
