// lease_reserve_test.cc: addresses leased one at a time, judged by the files themselves.
#include <stdlib.h>

#include <filesystem>
#include <fstream>
#include <functional>
#include <iterator>
#include <optional>
#include <string>
#include <string_view>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "common/base/error.h"
#include "ipam/host_local/lease_directory.h"

namespace cnm::host_local {
namespace {

namespace fs = std::filesystem;

net::Address Ip(std::string_view text) {
  return net::Address::Parse(text).value();
}

RangeSet MakeSet(std::string_view subnet, std::string_view first, std::string_view last) {
  Range range;
  range.subnet = net::Prefix::Parse(subnet).value();
  range.first = Ip(first);
  range.last = Ip(last);
  range.gateway = range.subnet.address.Next();
  return {{range}, {}};
}

class LeaseReserve : public testing::Test {
 protected:
  LeaseReserve() {
    std::string name = fs::temp_directory_path() / "cnm-reserve-XXXXXX";
    root_ = ::mkdtemp(name.data());
  }
  ~LeaseReserve() override { fs::remove_all(root_); }

  LeaseDirectory Open(const char* boot = "aaaaaaaa-0000-4000-8000-000000000001") const {
    const auto hash = [](const Owner& owner) {
      const size_t number = std::hash<std::string>()(owner.container_id + '\0' + owner.ifname);
      return fmt::format("{:016x}", number);
    };
    return LeaseDirectory({root_.string(), "net", hash, boot});
  }
  std::string Content(const std::string& name) const {
    std::ifstream file(root_ / "net" / name, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
  }
  size_t Links() const {
    size_t links = 0;
    for (const auto& entry : fs::directory_iterator(root_ / "net")) links += entry.is_symlink();
    return links;
  }
  std::string Reserve(std::optional<net::Address> wanted = {}) const {
    return Open().Reserve("pool", {&set_, wanted}).prefix.ToString();
  }

  RangeSet set_ = MakeSet("192.0.2.0/24", "192.0.2.1", "192.0.2.4");
  fs::path root_;
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
  const RangeSet v6 = MakeSet("2001:db8::/64", "2001:db8::1", "2001:db8::ffff");
  EXPECT_EQ(Reserve(), "192.0.2.2/24");
  EXPECT_EQ(Open().Reserve("pool", {&v6, {}, 1}).prefix.ToString(), "2001:db8::2/64");
  EXPECT_EQ(Reserve(), "192.0.2.3/24");
  EXPECT_EQ(Content("last_reserved_ip.0"), "192.0.2.3");
  EXPECT_EQ(Content("last_reserved_ip.1"), "2001:db8::2");
}

}  // namespace
}  // namespace cnm::host_local
