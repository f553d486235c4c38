// lease_directory_test.cc: leases in temporary directories, judged by the files themselves.
#include "ipam/host_local/lease_directory.h"

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "common/base/error.h"
#include "ipam/host_local/lease_files.h"
#include "ipam/host_local/lease_text.h"
#include "ipam/host_local/range.h"

namespace cnm::host_local {
namespace {

namespace fs = std::filesystem;

constexpr char kBootA[] = "aaaaaaaa-0000-4000-8000-000000000001";
constexpr char kBootB[] = "bbbbbbbb-0000-4000-8000-000000000002";

net::Address Ip(std::string_view text) {
  return net::Address::Parse(text).value();
}

Range MakeRange(std::string_view subnet, std::string_view first, std::string_view last) {
  Range range;
  range.subnet = net::Prefix::Parse(subnet).value();
  range.first = Ip(first);
  range.last = Ip(last);
  range.gateway = range.subnet.address.Next();
  return range;
}

RangeSet SmallSet() {
  return {{MakeRange("192.0.2.0/24", "192.0.2.1", "192.0.2.6")}, {}};
}
RangeSet Ipv6Set() {
  return {{MakeRange("2001:db8::/64", "2001:db8::1", "2001:db8::ffff")}, {}};
}

/// Sixteen hex digits that differ for different owners; which they are does not matter here.
std::string HashOf(const Owner& owner) {
  uint64_t hash = 0xcbf29ce484222325U;
  for (const char c : owner.container_id + '\0' + owner.ifname) {
    hash = (hash ^ static_cast<uint8_t>(c)) * 0x100000001b3U;
  }
  std::ostringstream text;
  text << std::hex << (hash | uint64_t{1} << 63U);
  return text.str();
}

class LeaseDirectoryTest : public testing::Test {
 protected:
  LeaseDirectoryTest() {
    std::string name = fs::temp_directory_path() / "cnm-leases-XXXXXX";
    root_ = ::mkdtemp(name.data());
    path_ = root_ / "net";
  }
  ~LeaseDirectoryTest() override { fs::remove_all(root_); }

  LeaseDirectory Open(const char* boot = kBootA) const {
    return LeaseDirectory({root_.string(), "net", HashOf, boot});
  }
  net::Address Take(const Owner& owner, const char* boot = kBootA) const {
    const RangeSet set = SmallSet();
    const std::vector<Want> wants{{&set, {}}};
    return Open(boot).Allocate(owner, wants).at(0).prefix.address;
  }
  net::Address TakeThis(const Owner& owner, std::string_view address) const {
    const RangeSet set = SmallSet();
    const std::vector<Want> wants{{&set, Ip(address)}};
    return Open().Allocate(owner, wants).at(0).prefix.address;
  }
  std::string Content(const std::string& name) const {
    std::ifstream file(path_ / name, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
  }
  /// What the reference's ADD leaves.
  void ForeignAdd(const std::string& address, const std::string& content) const {
    fs::create_directories(path_);
    std::ofstream(path_ / address, std::ios::binary) << content;
    std::ofstream(path_ / "last_reserved_ip.0", std::ios::binary) << address;
  }
  std::set<std::string> Names() const {
    std::set<std::string> names;
    for (const auto& entry : fs::directory_iterator(path_)) names.insert(entry.path().filename());
    return names;
  }
  /// Names of leases and symlinks: what a DEL must take back.
  std::set<std::string> Traces() const {
    std::set<std::string> names = Names();
    std::erase_if(names, [](const std::string& name) {
      return name == "lock" || name == ".cnm-hints" || name.starts_with("last_reserved_ip.");
    });
    return names;
  }
  Error FailureOf(const std::function<void()>& work) const {
    try {
      work();
    } catch (const Error& error) {
      return error;
    }
    ADD_FAILURE() << "no error";
    return Error(Code::kInternal, "");
  }

  fs::path root_;
  fs::path path_;
};

TEST_F(LeaseDirectoryTest, WritesTheReferencesFormatToTheByte) {
  const RangeSet v4 = SmallSet();
  const RangeSet v6 = Ipv6Set();
  const std::vector<Want> wants{{&v4, {}}, {&v6, {}}};
  const auto got = Open().Allocate({"c1", "eth0"}, wants);
  ASSERT_EQ(got.size(), 2U);
  EXPECT_EQ(got[0].prefix.ToString(), "192.0.2.2/24");
  EXPECT_EQ(got[0].gateway.ToString(), "192.0.2.1");
  EXPECT_EQ(got[1].prefix.ToString(), "2001:db8::2/64");
  EXPECT_EQ(Content("192.0.2.2"), "c1\r\neth0");
  EXPECT_EQ(Content("2001:db8::2"), "c1\r\neth0");
  EXPECT_EQ(Content("last_reserved_ip.0"), "192.0.2.2");
  EXPECT_EQ(Content("last_reserved_ip.1"), "2001:db8::2");
  EXPECT_EQ(fs::status(path_ / "192.0.2.2").permissions(), fs::perms(0600));
  EXPECT_EQ(fs::status(path_).permissions(), fs::perms(0755));
  struct stat file {};
  ASSERT_EQ(::stat((path_ / "192.0.2.2").c_str(), &file), 0);
  const std::string link = ".cnm-" + HashOf({"c1", "eth0"}) + ".0";
  std::ostringstream target;
  target << std::string(kBootA, 8) << '/' << std::hex << file.st_ino << '.'
         << file.st_mtim.tv_sec * 1'000'000'000 + file.st_mtim.tv_nsec << "/192.0.2.2";
  EXPECT_EQ(fs::read_symlink(path_ / link).string(), target.str());
  EXPECT_LT(target.str().size(), 60U) << "ext4 removes a symlink with a longer target slowly";
}

TEST_F(LeaseDirectoryTest, GoesRoundAndSkipsTheGateway) {
  EXPECT_EQ(Take({"a", "eth0"}), Ip("192.0.2.2"));
  EXPECT_EQ(Take({"b", "eth0"}), Ip("192.0.2.3"));
  EXPECT_EQ(Open().Release({"a", "eth0"}), std::vector{Ip("192.0.2.2")});
  EXPECT_EQ(Take({"c", "eth0"}), Ip("192.0.2.4"));
  EXPECT_EQ(Take({"d", "eth0"}), Ip("192.0.2.5"));
  EXPECT_EQ(Take({"e", "eth0"}), Ip("192.0.2.6"));
  EXPECT_EQ(Take({"f", "eth0"}), Ip("192.0.2.2"));
}

TEST_F(LeaseDirectoryTest, ReleaseLeavesNothingAndSucceedsTwice) {
  Take({"a", "eth0"});
  EXPECT_EQ(Open().Release({"a", "eth0"}).size(), 1U);
  EXPECT_EQ(Traces(), std::set<std::string>());
  EXPECT_TRUE(Open().Release({"a", "eth0"}).empty());
  EXPECT_TRUE(Open().Release({"nobody", "eth0"}).empty());
}

TEST_F(LeaseDirectoryTest, ReleaseOfAnUnknownNetworkCreatesNothing) {
  EXPECT_TRUE(Open().Release({"a", "eth0"}).empty());
  EXPECT_FALSE(fs::exists(path_));
}

TEST_F(LeaseDirectoryTest, ReleasesOnlyTheOwnersInterface) {
  Take({"a", "eth0"});
  const net::Address other = Take({"a", "eth1"});
  Open().Release({"a", "eth0"});
  EXPECT_EQ(Content(other.ToString()), "a\r\neth1");
}

TEST_F(LeaseDirectoryTest, RefusesASecondAddressForOneOwner) {
  Take({"a", "eth0"});
  const Error error = FailureOf([&] { Take({"a", "eth0"}); });
  EXPECT_EQ(error.code(), Code::kExists);
  EXPECT_EQ(error.message(),
            "failed to allocate for range 0: 192.0.2.2 has been allocated to a, duplicate "
            "allocation is not allowed");
}

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

TEST_F(LeaseDirectoryTest, TakesARequestedAddressOnce) {
  EXPECT_EQ(TakeThis({"a", "eth0"}, "192.0.2.5"), Ip("192.0.2.5"));
  const Error error = FailureOf([&] { TakeThis({"b", "eth0"}, "192.0.2.5"); });
  EXPECT_EQ(error.code(), Code::kInUse);
  EXPECT_EQ(error.message(),
            "failed to allocate for range 0: requested IP address 192.0.2.5 is not available in "
            "range set 192.0.2.1-192.0.2.6");
  EXPECT_EQ(error.details(), "held by container a eth0");
  EXPECT_EQ(Traces().size(), 2U);
}

TEST_F(LeaseDirectoryTest, RefusesTheGateway) {
  const Error error = FailureOf([&] { TakeThis({"a", "eth0"}, "192.0.2.1"); });
  EXPECT_EQ(error.code(), Code::kConfig);
  EXPECT_EQ(error.message(),
            "failed to allocate for range 0: requested ip 192.0.2.1 is subnet's gateway");
}

TEST_F(LeaseDirectoryTest, ReservedLeasesMayTakeTheGateway) {
  EXPECT_EQ(TakeThis({kReservedId, "gateway"}, "192.0.2.1"), Ip("192.0.2.1"));
  EXPECT_EQ(Content("192.0.2.1"), "cnm:reserved\r\ngateway");
}

TEST_F(LeaseDirectoryTest, NeverHandsOutWhatIsExcluded) {
  RangeSet set = SmallSet();
  set.ranges[0].excluded = {{Ip("192.0.2.2"), Ip("192.0.2.4")}};
  set.excluded = {{Ip("192.0.2.6"), Ip("192.0.2.9")}};
  const std::vector<Want> wants{{&set, {}}};
  EXPECT_EQ(Open().Allocate({"a", "eth0"}, wants)[0].prefix.address, Ip("192.0.2.5"));
  EXPECT_EQ(FailureOf([&] { Open().Allocate({"b", "eth0"}, wants); }).code(), Code::kExhausted);
  const std::vector<Want> by_name{{&set, Ip("192.0.2.3")}};
  EXPECT_EQ(FailureOf([&] {
              Open().Allocate({"b", "eth0"}, by_name);
            }).message(),
            "failed to allocate for range 0: requested ip 192.0.2.3 is excluded");
}

TEST_F(LeaseDirectoryTest, DoesNotHandOutAnExcludedAddressThatWasReleased) {
  Take({"a", "eth0"});  // .2, before it was excluded
  RangeSet set = SmallSet();
  set.excluded = {{Ip("192.0.2.2"), Ip("192.0.2.2")}};
  const std::vector<Want> wants{{&set, {}}};
  Open().Allocate({"b", "eth0"}, wants);
  Open().Release({"a", "eth0"});
  std::set<std::string> got;
  for (const char* id : {"c", "d", "e"}) {
    got.insert(Open().Allocate({id, "eth0"}, wants)[0].prefix.address.ToString());
  }
  EXPECT_EQ(got, (std::set<std::string>{"192.0.2.4", "192.0.2.5", "192.0.2.6"}));
}

TEST_F(LeaseDirectoryTest, ExplainsExhaustion) {
  for (const char* id : {"a", "b", "c"}) Take({id, "eth0"});
  ForeignAdd("192.0.2.5", "a\r\neth1");
  ForeignAdd("192.0.2.6", "");
  bool locked = true;
  const auto life = [&](const Lease& lease) {
    // The lock must be free while holders are looked at.
    locked = !FileLock::Acquire(path_ / "lock", {.seconds = 0}).fd();
    return lease.owner.container_id == "b" ? Life::kDead : Life::kUnknown;
  };
  const RangeSet set = SmallSet();
  const std::vector<Want> wants{{&set, {}}};
  const Error error = FailureOf([&] { Open().Allocate({"x", "eth0"}, wants, life); });
  EXPECT_EQ(error.code(), Code::kExhausted);
  EXPECT_EQ(error.message(),
            "failed to allocate for range 0: no IP addresses available in range set: "
            "192.0.2.1-192.0.2.6");
  EXPECT_EQ(error.details(),
            "5 addresses are held, 1 by containers that are provably gone, 1 by lease files that "
            "do not say for whom; most by a (2), b (1), c (1); `cnmctl gc --network net --dry-run` "
            "shows what can be freed");
  EXPECT_FALSE(locked);
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

TEST_F(LeaseDirectoryTest, ChecksWhoHolds) {
  Take({"a", "eth0"});
  Open().CheckHeld({"a", "eth0"});
  ForeignAdd("192.0.2.4", "theirs\r\neth0");
  Open().CheckHeld({"theirs", "eth0"});
  ForeignAdd("192.0.2.5", "nameless");
  Open().CheckHeld({"nameless", "eth0"});
  Take({"b", "eth0"});
  Open().CheckHeld({"nameless", "eth0"});
  const Error error = FailureOf([&] { Open().CheckHeld({"a", "eth1"}); });
  EXPECT_EQ(error.code(), Code::kNotFound);
  EXPECT_EQ(error.message(), "host-local: Failed to find address added by container a");
}

TEST_F(LeaseDirectoryTest, CountsWhatIsFree) {
  const std::vector<RangeSet> sets{SmallSet(), Ipv6Set()};
  EXPECT_EQ(Open().CountFree(sets), (std::vector<uint32_t>{5, 65534}));
  EXPECT_FALSE(fs::exists(path_));
  Take({"a", "eth0"});
  EXPECT_EQ(Open().CountFree(sets)[0], 4U);
  ForeignAdd("192.0.2.4", "theirs\r\neth0");
  EXPECT_EQ(Open().CountFree(sets)[0], 3U);
  EXPECT_EQ(Open(kBootB).CountFree(sets)[0], 4U) << "a is of an earlier boot";
}

TEST_F(LeaseDirectoryTest, ListsLeasesByAddress) {
  Take({"a", "eth0"});
  ForeignAdd("192.0.2.10", "theirs\r\neth0");
  const auto leases = Open().List();
  ASSERT_EQ(leases.size(), 2U);
  EXPECT_EQ(leases[0].address, Ip("192.0.2.2"));
  EXPECT_EQ(leases[0].owner, (Owner{"a", "eth0"}));
  EXPECT_EQ(leases[0].boot_id, std::string(kBootA, 8));
  EXPECT_GT(leases[0].since_ns, 0);
  EXPECT_EQ(leases[1].owner, (Owner{"theirs", "eth0"}));
  EXPECT_EQ(leases[1].boot_id, "");
}

TEST_F(LeaseDirectoryTest, CollectsWhatThePredicateNames) {
  for (const char* id : {"a", "b", "c"}) Take({id, "eth0"});
  TakeThis({kReservedId, "aux"}, "192.0.2.6");
  ForeignAdd("192.0.2.5", "");
  const auto gone = Open().Collect([&](const Lease& lease) {
    if (lease.owner.container_id == "c") Open().Release({"c", "eth0"});  // it goes meanwhile
    return lease.owner.container_id != "b";
  });
  ASSERT_EQ(gone.size(), 1U);
  EXPECT_EQ(gone[0].owner.container_id, "a");
  const auto left = Open().List();
  ASSERT_EQ(left.size(), 3U);
  EXPECT_EQ(left[0].owner.container_id, "b");
  EXPECT_EQ(Traces().size(), 5U);
}

TEST_F(LeaseDirectoryTest, RefusesNamesThatLeaveTheDataDirectory) {
  for (const char* name : {"", ".", "..", "a/b", "../x"}) {
    EXPECT_EQ(FailureOf([&] {
                LeaseDirectory({root_.string(), name, HashOf, kBootA});
              }).code(),
              Code::kConfig)
        << name;
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

TEST_F(LeaseDirectoryTest, TakesRequestedAddressesBeyondTheBitSequence) {
  const RangeSet set{
      {MakeRange("2001:db8::/32", "2001:db8::1", "2001:db8:ffff:ffff:ffff:ffff:ffff:ffff")}, {}};
  const std::vector<Want> far{{&set, Ip("2001:db8:ffff::7")}};
  Open().Allocate({"a", "eth0"}, far);
  EXPECT_EQ(Content("2001:db8:ffff::7"), "a\r\neth0");
  EXPECT_EQ(FailureOf([&] { Open().Allocate({"b", "eth0"}, far); }).code(), Code::kInUse);
  const std::vector<Want> any{{&set, {}}};
  EXPECT_EQ(Open().Allocate({"b", "eth0"}, any)[0].prefix.address, Ip("2001:db8::2"));
  EXPECT_EQ(Open().Release({"a", "eth0"}).size(), 1U);
}

TEST_F(LeaseDirectoryTest, ConfigurationsOfOneNameShareTheDirectory) {
  const RangeSet wide{{MakeRange("192.0.2.0/24", "192.0.2.1", "192.0.2.254")}, {}};
  const std::vector<Want> wants{{&wide, {}}};
  std::set<std::string> got;
  for (const char* id : {"a", "b"}) {
    got.insert(Take({id, "eth0"}).ToString());
    got.insert(
        Open().Allocate({std::string(id) + "2", "eth0"}, wants)[0].prefix.address.ToString());
  }
  EXPECT_EQ(got.size(), 4U);
}

TEST_F(LeaseDirectoryTest, ALeaseChangesHandsWithoutBeingFree) {
  const Owner pool{kReservedId, "pool:192.0.2.3"};
  const Owner endpoint{"e1", ""};
  const net::Address address = TakeThis(pool, "192.0.2.3");
  EXPECT_FALSE(Open().Transfer(address, {"another", "eth0"}, endpoint));
  EXPECT_EQ(Content("192.0.2.3"), "cnm:reserved\r\npool:192.0.2.3");
  EXPECT_TRUE(Open().Transfer(address, pool, endpoint));
  EXPECT_EQ(Content("192.0.2.3"), "e1");
  EXPECT_TRUE(Open().Release(pool).empty());
  Open().CheckHeld(endpoint);
  EXPECT_EQ(Traces().size(), 2U) << "the address and one symlink";
  EXPECT_TRUE(Open().Transfer(address, endpoint, pool));
  EXPECT_TRUE(Open().Transfer(address, pool, endpoint));
  EXPECT_EQ(Open().Release(endpoint), std::vector{address});
  EXPECT_EQ(Traces(), std::set<std::string>());
  EXPECT_FALSE(Open().Transfer(address, pool, endpoint));
}

}  // namespace
}  // namespace cnm::host_local
