// lease_reserve_test.cc: addresses leased one at a time, judged by the files themselves.
#include <filesystem>
#include <optional>
#include <string>

#include <gtest/gtest.h>

#include "tests/ipam/host_local/lease_site.h"

namespace cnm::host_local {
namespace {

class LeaseReserve : public LeaseDirectoryTest {
 protected:
  size_t Links() const {
    size_t links = 0;
    for (const auto& entry : fs::directory_iterator(path_)) links += entry.is_symlink();
    return links;
  }
  std::string Reserve(std::optional<net::Address> wanted = {}) const {
    return Open().Reserve("pool", {&set_, wanted}).prefix.ToString();
  }

  RangeSet set_ = {{MakeRange("192.0.2.0/24", "192.0.2.1", "192.0.2.4")}, {}};
};

TEST_F(LeaseReserve, EachAddressIsHeldUnderItsOwnName) {
  EXPECT_EQ(Reserve(), "192.0.2.2/24") << "the gateway is not given to those who want any";
  EXPECT_EQ(Reserve(), "192.0.2.3/24");
  EXPECT_EQ(Content("192.0.2.2"), "cnm:reserved\r\npool:192.0.2.2");
  EXPECT_EQ(Content("192.0.2.3"), "cnm:reserved\r\npool:192.0.2.3");
  EXPECT_EQ(Links(), 2U);
  EXPECT_EQ(Open().Find(Ip("192.0.2.3"))->owner, (Owner{kReservedId, "pool:192.0.2.3"}));
  EXPECT_FALSE(Open().Find(Ip("192.0.2.4")));
}

TEST_F(LeaseReserve, TheSameReservationIsGivenAgainAndAnotherIsNot) {
  EXPECT_EQ(Reserve(Ip("192.0.2.3")), "192.0.2.3/24");
  EXPECT_EQ(Reserve(Ip("192.0.2.3")), "192.0.2.3/24");
  EXPECT_EQ(Links(), 1U);
  try {
    Open().Reserve("gateway", {&set_, Ip("192.0.2.3")});
    FAIL() << "it is the pool's";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), Code::kInUse);
    EXPECT_EQ(error.details(), "held by container cnm:reserved pool:192.0.2.3");
  }
}

TEST_F(LeaseReserve, GoesRoundUpwardAndIsExhausted) {
  EXPECT_EQ(Reserve(), "192.0.2.2/24");
  EXPECT_EQ(Reserve(Ip("192.0.2.4")), "192.0.2.4/24") << "one asked for by name moves no cursor";
  EXPECT_EQ(Reserve(), "192.0.2.3/24");
  EXPECT_TRUE(Open().ReleaseAddress(Ip("192.0.2.2"), {kReservedId, "pool:192.0.2.2"}));
  EXPECT_EQ(Reserve(), "192.0.2.2/24");
  try {
    Reserve();
    FAIL() << "none is left";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), Code::kExhausted);
  }
}

TEST_F(LeaseReserve, SharesTheDirectoryWithContainers) {
  const Want want{&set_, {}};
  EXPECT_EQ(Open().Allocate({"c1", "eth0"}, {&want, 1})[0].prefix.ToString(), "192.0.2.2/24");
  EXPECT_EQ(Reserve(), "192.0.2.3/24");
  EXPECT_EQ(Open().Allocate({"c2", "eth0"}, {&want, 1})[0].prefix.ToString(), "192.0.2.4/24");
  EXPECT_THROW(Reserve(Ip("192.0.2.4")), Error);
  EXPECT_FALSE(Open().ReleaseAddress(Ip("192.0.2.4"), {kReservedId, "pool:192.0.2.4"}));
  EXPECT_EQ(Content("192.0.2.4"), "c2\r\neth0");
}

TEST_F(LeaseReserve, ReleasesExactlyOneAddress) {
  Reserve();
  Reserve();
  EXPECT_TRUE(Open().ReleaseAddress(Ip("192.0.2.2"), {kReservedId, "pool:192.0.2.2"}));
  EXPECT_FALSE(Open().ReleaseAddress(Ip("192.0.2.2"), {kReservedId, "pool:192.0.2.2"}));
  EXPECT_FALSE(Open().Find(Ip("192.0.2.2")));
  EXPECT_TRUE(Open().Find(Ip("192.0.2.3")));
  EXPECT_EQ(Links(), 1U);
}

TEST_F(LeaseReserve, SurvivesAReboot) {
  Reserve(Ip("192.0.2.3"));
  constexpr char kLaterBoot[] = "bbbbbbbb-0000-4000-8000-000000000002";
  const Want want{&set_, Ip("192.0.2.3")};
  EXPECT_THROW(Open(kLaterBoot).Allocate({"c1", "eth0"}, {&want, 1}), Error);
  EXPECT_EQ(Content("192.0.2.3"), "cnm:reserved\r\npool:192.0.2.3");
}

TEST_F(LeaseReserve, FamiliesOfOneNetworkHaveCursorsOfTheirOwn) {
  const RangeSet v6 = Ipv6Set();
  EXPECT_EQ(Reserve(), "192.0.2.2/24");
  EXPECT_EQ(Open().Reserve("pool", {&v6, {}, 1}).prefix.ToString(), "2001:db8::2/64");
  EXPECT_EQ(Reserve(), "192.0.2.3/24");
  EXPECT_EQ(Content("last_reserved_ip.0"), "192.0.2.3");
  EXPECT_EQ(Content("last_reserved_ip.1"), "2001:db8::2");
}

}  // namespace
}  // namespace cnm::host_local
