// lease_directory_test.cc: leases in temporary directories, judged by the files themselves.
#include "ipam/host_local/lease_directory.h"

#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <set>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "common/base/file_lock.h"
#include "tests/ipam/host_local/lease_site.h"

namespace cnm::host_local {
namespace {

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
