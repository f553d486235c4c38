// allocator_test.cc: pools and addresses over a store that other processes change too.
#include "ipam/allocator.h"

#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>

#include <gtest/gtest.h>

#include "common/base/error.h"

namespace cnm::ipam {
namespace {

net::Prefix Subnet(std::string_view text) {
  return net::Prefix::Parse(text).value();
}
net::Address Ip(std::string_view text) {
  return net::Address::Parse(text).value();
}

class MemoryStore : public LeaseStore {
 public:
  std::optional<Versioned> Get(std::string_view key) override {
    const auto found = values.find(std::string(key));
    return found == values.end() ? std::nullopt : std::optional(found->second);
  }
  bool Put(std::string_view key, std::string_view value, uint64_t expected) override {
    if (before_put) std::exchange(before_put, nullptr)();
    const auto now = Get(key);
    if ((now ? now->version : 0) != expected) return false;
    values[std::string(key)] = {std::string(value), ++last_version};
    return true;
  }
  bool Delete(std::string_view key, uint64_t expected) override {
    const auto now = Get(key);
    if (!now || now->version != expected) return false;
    values.erase(std::string(key));
    return true;
  }

  std::map<std::string, Versioned> values;
  std::function<void()> before_put;  ///< somebody who is faster, once
  uint64_t last_version = 0;
};

class AllocatorTest : public testing::Test {
 protected:
  PoolId Pool(std::string_view subnet) {
    return allocator_.RequestPool({.subnet = Subnet(subnet)});
  }
  std::string Any(const PoolId& id) { return allocator_.RequestAddress(id, {}).ToString(); }
  static Code CodeOf(const std::function<void()>& work) {
    try {
      work();
    } catch (const Error& error) {
      return error.code();
    }
    return Code::kInternal;
  }

  MemoryStore store_;
  Allocator allocator_{store_};
};

TEST_F(AllocatorTest, GivesTheLowestFreeAddressWithThePoolsLength) {
  const PoolId id = Pool("192.0.2.0/24");
  EXPECT_EQ(Any(id), "192.0.2.1/24");
  EXPECT_EQ(Any(id), "192.0.2.2/24");
  allocator_.ReleaseAddress(id, Ip("192.0.2.1"));
  allocator_.ReleaseAddress(id, Ip("192.0.2.1"));
  EXPECT_EQ(Any(id), "192.0.2.1/24");
}

TEST_F(AllocatorTest, GivesUpwardFromTheLastOneWhenSerial) {
  const PoolId id = Pool("192.0.2.0/29");
  for (const char* want : {"192.0.2.1", "192.0.2.2", "192.0.2.3"}) {
    EXPECT_EQ(allocator_.RequestAddress(id, {.serial = true}).address, Ip(want));
  }
  allocator_.ReleaseAddress(id, Ip("192.0.2.1"));
  for (const char* want : {"192.0.2.4", "192.0.2.5", "192.0.2.6", "192.0.2.1"}) {
    EXPECT_EQ(allocator_.RequestAddress(id, {.serial = true}).address, Ip(want));
  }
}

TEST_F(AllocatorTest, NeverGivesNetworkOrBroadcastAddress) {
  const PoolId id = Pool("192.0.2.0/30");
  Any(id);
  Any(id);
  EXPECT_EQ(CodeOf([&] { Any(id); }), Code::kExhausted);
  for (const char* address : {"192.0.2.0", "192.0.2.3", "198.51.100.1"}) {
    EXPECT_EQ(CodeOf([&] { allocator_.RequestAddress(id, {.address = Ip(address)}); }),
              Code::kConfig);
  }
  EXPECT_EQ(CodeOf([&] { allocator_.RequestAddress(id, {.address = Ip("192.0.2.1")}); }),
            Code::kInUse);
}

TEST_F(AllocatorTest, SubPoolsShareTheMastersAddresses) {
  const PoolId low = allocator_.RequestPool(
      {.subnet = Subnet("192.0.2.0/24"), .sub_pool = Subnet("192.0.2.0/30")});
  const PoolId high = allocator_.RequestPool(
      {.subnet = Subnet("192.0.2.0/24"), .sub_pool = Subnet("192.0.2.128/25")});
  EXPECT_EQ(low.ToString(), "LocalDefault/192.0.2.0/24/192.0.2.0/30");
  std::set<std::string> got;
  for (int i = 0; i < 3; ++i) got.insert(Any(low));
  EXPECT_EQ(got, (std::set<std::string>{"192.0.2.1/24", "192.0.2.2/24", "192.0.2.3/24"}));
  EXPECT_EQ(CodeOf([&] { Any(low); }), Code::kExhausted);
  EXPECT_EQ(Any(high), "192.0.2.128/24");
  EXPECT_EQ(CodeOf([&] { allocator_.RequestAddress(high, {.address = Ip("192.0.2.5")}); }),
            Code::kConfig);
}

TEST_F(AllocatorTest, TakesLargeIpv6PoolsAndAddressesFarInThem) {
  const PoolId id = Pool("2001:db8::/48");
  EXPECT_EQ(Any(id), "2001:db8::1/48");
  const AddressRequest far{.address = Ip("2001:db8:0:ffff::7")};
  EXPECT_EQ(allocator_.RequestAddress(id, far).ToString(), "2001:db8:0:ffff::7/48");
  EXPECT_EQ(CodeOf([&] { allocator_.RequestAddress(id, far); }), Code::kInUse);
  allocator_.ReleaseAddress(id, *far.address);
  allocator_.RequestAddress(id, far);
}

TEST_F(AllocatorTest, ChoosesPredefinedPoolsInTurnAroundWhatIsTaken) {
  Pool("172.16.0.0/14");  // covers 172.17 to 172.19
  EXPECT_EQ(allocator_.RequestPool({}).ToString(), "LocalDefault/172.20.0.0/16");
  const PoolId next = allocator_.RequestPool({});
  EXPECT_EQ(next.ToString(), "LocalDefault/172.21.0.0/16");
  allocator_.ReleasePool(next);
  EXPECT_EQ(allocator_.RequestPool({}).ToString(), "LocalDefault/172.22.0.0/16");
  EXPECT_EQ(allocator_.RequestPool({.space = kGlobalSpace}).ToString(),
            "GlobalDefault/10.0.0.0/24");
}

TEST_F(AllocatorTest, SaysWhenNoPredefinedPoolIsLeft) {
  for (int i = 0; i < 31; ++i) allocator_.RequestPool({});
  EXPECT_EQ(CodeOf([&] { allocator_.RequestPool({}); }), Code::kNotFound);
  EXPECT_EQ(CodeOf([&] { allocator_.RequestPool({.family = net::Family::kIpv6}); }),
            Code::kNotFound);
}

TEST_F(AllocatorTest, RefusesBadRequests) {
  EXPECT_EQ(CodeOf([&] { allocator_.RequestPool({.space = ""}); }), Code::kConfig);
  EXPECT_EQ(CodeOf([&] { allocator_.RequestPool({.sub_pool = Subnet("192.0.2.0/25")}); }),
            Code::kConfig);
  EXPECT_EQ(CodeOf([&] { Pool("192.0.2.0/31"); }), Code::kConfig);
  EXPECT_EQ(CodeOf([&] {
              allocator_.RequestPool(
                  {.subnet = Subnet("192.0.2.0/24"), .sub_pool = Subnet("198.51.100.0/25")});
            }),
            Code::kConfig);
  EXPECT_EQ(CodeOf([&] { Any(PoolId::Parse("LocalDefault/192.0.2.0/24")); }), Code::kNotFound);
}

TEST_F(AllocatorTest, TheSameSubnetInTwoSpacesIsNoOverlap) {
  Pool("192.0.2.0/24");
  EXPECT_EQ(CodeOf([&] { Pool("192.0.2.0/25"); }), Code::kOverlap);
  allocator_.RequestPool({.space = "other", .subnet = Subnet("192.0.2.0/24")});
}

TEST_F(AllocatorTest, AForgottenBitmapDoesNotHauntARemadePool) {
  const PoolId id = Pool("192.0.2.0/24");
  Any(id);
  const auto before = store_.values;
  allocator_.ReleasePool(id);
  EXPECT_EQ(store_.values.size(), 1U);
  for (const auto& [key, value] : before) {  // as after a crash before the bits were deleted
    if (key.starts_with("ipam/bits/")) store_.values[key] = value;
  }
  EXPECT_EQ(Any(Pool("192.0.2.0/24")), "192.0.2.1/24");
}

TEST_F(AllocatorTest, ALostRaceIsRunAgainOnTheWinnersValue) {
  const PoolId id = Pool("192.0.2.0/24");
  Allocator other(store_);
  std::string theirs;
  store_.before_put = [&] { theirs = other.RequestAddress(id, {}).ToString(); };
  EXPECT_EQ(Any(id), "192.0.2.2/24");
  EXPECT_EQ(theirs, "192.0.2.1/24");
  store_.before_put = [&] { other.RequestPool({.subnet = Subnet("198.51.100.0/24")}); };
  EXPECT_EQ(CodeOf([&] { Pool("198.51.100.0/25"); }), Code::kOverlap);
}

TEST_F(AllocatorTest, SharedPoolsLastAsLongAsTheirLastUse) {
  const PoolRequest request{.subnet = Subnet("192.0.2.0/24"), .share = true};
  const PoolId id = allocator_.RequestPool(request);
  allocator_.RequestPool(request);
  Any(id);
  allocator_.ReleasePool(id);
  EXPECT_EQ(Any(id), "192.0.2.2/24");
  allocator_.ReleasePool(id);
  EXPECT_EQ(CodeOf([&] { Any(id); }), Code::kNotFound);
}

TEST(PoolBits, KeepsLibnetworksText) {
  PoolBits bits(Subnet("192.0.2.0/24"));
  // 256 bits, 254 clear, the first and the last set.
  EXPECT_EQ(bits.Encode(), R"({"bits":"AAABAAAAAP6AAAAAAAAAAQAAAAAAAAAGAAAAAQAAAAE="})");
  bits.TakeAny(Subnet("192.0.2.0/24"), false);
  const PoolBits copy = PoolBits::Decode(Subnet("192.0.2.0/24"), bits.Encode());
  EXPECT_EQ(copy.free(), 253U);
  EXPECT_THROW(PoolBits::Decode(Subnet("192.0.2.0/25"), bits.Encode()), Error);
  EXPECT_THROW(PoolBits::Decode(Subnet("192.0.2.0/24"), R"({"bits":"***"})"), Error);
}

}  // namespace
}  // namespace cnm::ipam
