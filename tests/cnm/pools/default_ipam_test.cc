// default_ipam_test.cc: pools and addresses in temporary directories, judged by the lease files.
#include "cnm/pools/default_ipam.h"

#include <stdlib.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iterator>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include "cnm/lease_source.h"
#include "cnm/pools/lease_network.h"
#include "common/base/error.h"

namespace cnm::pools {
namespace {

namespace fs = std::filesystem;
using Options = std::map<std::string, std::string>;

net::Address Ip(std::string_view text) {
  return net::Address::Parse(text).value();
}
net::Prefix Net(std::string_view text) {
  return net::Prefix::Parse(text).value();
}
const Options kGateway = {{engine::kRequestTypeLabel, engine::kGatewayLabel}};
const Options kBlue = {{kNetworkOption, "blue"}};

class DefaultIpamTest : public testing::Test {
 protected:
  ~DefaultIpamTest() override { fs::remove_all(root_); }

  static fs::path MakeRoot() {
    std::string name = fs::temp_directory_path() / "cnm-pools-XXXXXX";
    return ::mkdtemp(name.data());
  }
  /// Each one is a restarted daemon.
  DefaultIpam Restart() const {
    return DefaultIpam({.durable_directory = root_ / "durable",
                        .leases_directory = root_ / "leases",
                        .subnets_in_use = [this] { return in_use_; }});
  }
  engine::Pool Pool(const std::string& pool, const Options& options = {},
                    std::optional<net::Prefix> sub_pool = {}) {
    const net::Prefix prefix = Net(pool);
    return ipam_.RequestPool({.address_space = {},
                              .pool = prefix,
                              .sub_pool = sub_pool,
                              .options = options,
                              .ipv6 = !prefix.address.is_v4()});
  }
  std::string Any(const std::string& pool_id, const Options& options = {}) {
    return ipam_.RequestAddress(pool_id, std::nullopt, options)->ToString();
  }
  std::string This(const std::string& pool_id, std::string_view address) {
    return ipam_.RequestAddress(pool_id, Ip(address), {})->ToString();
  }
  std::string Lease(const std::string& path) const {
    std::ifstream file(root_ / "leases" / path, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
  }
  /// What CNI's host-local does for a container.
  void CniAdd(const std::string& network, std::string_view address) const {
    host_local::Range range;
    range.subnet = net::Prefix{Ip(address), 24}.Subnet();
    range.first = range.last = Ip(address);
    range.gateway = range.subnet.address;
    const host_local::RangeSet set{{range}, {}};
    const host_local::Want want{&set, Ip(address), {}};
    OpenLeases(root_ / "leases", network).Allocate({"podman-1", "eth0"}, {&want, 1});
  }
  static Error FailureOf(const std::function<void()>& work) {
    try {
      work();
    } catch (const Error& error) {
      return error;
    }
    ADD_FAILURE() << "no error";
    return Error(Code::kInternal, "");
  }

  fs::path root_ = MakeRoot();  // before ipam_, which is made in it
  std::vector<net::Prefix> in_use_;
  DefaultIpam ipam_ = Restart();
};

TEST_F(DefaultIpamTest, GivesAPoolItsGatewayAndItsAddresses) {
  const engine::Pool pool = Pool("192.0.2.7/29");
  EXPECT_EQ(pool.id, "LocalDefault/192.0.2.0/29");
  EXPECT_EQ(pool.pool.ToString(), "192.0.2.0/29");
  EXPECT_EQ(Any(pool.id, kGateway), "192.0.2.1/29");
  for (const char* expected :
       {"192.0.2.2/29", "192.0.2.3/29", "192.0.2.4/29", "192.0.2.5/29", "192.0.2.6/29"}) {
    EXPECT_EQ(Any(pool.id), expected) << "neither network nor broadcast address";
  }
  const Error error = FailureOf([&] { Any(pool.id); });
  EXPECT_EQ(error.code(), Code::kExhausted);
  EXPECT_EQ(error.message(), "no available addresses on pool LocalDefault/192.0.2.0/29");
  EXPECT_EQ(Lease("pool-192.0.2.0-29/192.0.2.1"), "cnm:reserved\r\ngateway:192.0.2.1");
  EXPECT_EQ(Lease("pool-192.0.2.0-29/192.0.2.6"), "cnm:reserved\r\npool:192.0.2.6");
}

TEST_F(DefaultIpamTest, ReleasedAddressesComeBackAfterTheRound) {
  const std::string id = Pool("192.0.2.0/29").id;
  EXPECT_EQ(Any(id), "192.0.2.1/29") << "no gateway was asked for";
  EXPECT_EQ(Any(id), "192.0.2.2/29");
  ipam_.ReleaseAddress(id, Ip("192.0.2.1"));
  EXPECT_EQ(Any(id), "192.0.2.3/29");
  ipam_.ReleaseAddress(id, Ip("192.0.2.1"));  // free already
  for (const char* expected : {"192.0.2.4/29", "192.0.2.5/29", "192.0.2.6/29", "192.0.2.1/29"}) {
    EXPECT_EQ(Any(id), expected);
  }
}

TEST_F(DefaultIpamTest, AddressesOutsideAreRefused) {
  const std::string id = Pool("192.0.2.0/24").id;
  for (const char* address : {"192.0.2.0", "192.0.2.255", "198.51.100.1", "2001:db8::1"}) {
    const Error error = FailureOf([&] { This(id, address); });
    EXPECT_EQ(error.code(), Code::kConfig) << address;
    EXPECT_NE(error.message().find("is out of range of"), std::string::npos) << error.message();
  }
  EXPECT_EQ(This(id, "192.0.2.254"), "192.0.2.254/24");
}

TEST_F(DefaultIpamTest, TheGatewayIsNobodyElses) {
  const std::string id = Pool("192.0.2.0/24").id;
  EXPECT_EQ(ipam_.RequestAddress(id, Ip("192.0.2.254"), kGateway)->ToString(), "192.0.2.254/24");
  EXPECT_EQ(ipam_.RequestAddress(id, std::nullopt, kGateway)->ToString(), "192.0.2.254/24");
  EXPECT_EQ(FailureOf([&] { This(id, "192.0.2.254"); }).code(), Code::kInUse);
  EXPECT_EQ(Any(id), "192.0.2.1/24");
  ipam_.ReleaseAddress(id, Ip("192.0.2.254"));
  EXPECT_EQ(Lease("pool-192.0.2.0-24/192.0.2.254"), "");
  EXPECT_EQ(This(id, "192.0.2.254"), "192.0.2.254/24");
}

TEST_F(DefaultIpamTest, SubPoolsNarrowWhatIsPickedButNotWhatMayBeAskedFor) {
  const std::string id = Pool("192.0.2.0/24", {}, Net("192.0.2.128/30")).id;
  EXPECT_EQ(id, "LocalDefault/192.0.2.0/24/192.0.2.128/30");
  EXPECT_EQ(Any(id, kGateway), "192.0.2.1/24");
  EXPECT_EQ(Any(id), "192.0.2.128/24");
  EXPECT_EQ(This(id, "192.0.2.9"), "192.0.2.9/24");
  for (const char* expected : {"192.0.2.129/24", "192.0.2.130/24", "192.0.2.131/24"}) {
    EXPECT_EQ(Any(id), expected);
  }
  EXPECT_EQ(FailureOf([&] { Any(id); }).code(), Code::kExhausted);
  EXPECT_EQ(FailureOf([&] { Pool("192.0.2.0/24", {}, Net("198.51.100.0/25")); }).code(),
            Code::kConfig);
}

TEST_F(DefaultIpamTest, OverlappingAndTooSmallPoolsAreRefused) {
  Pool("192.0.2.0/24");
  EXPECT_EQ(FailureOf([&] { Pool("192.0.2.128/25"); }).code(), Code::kOverlap);
  EXPECT_EQ(FailureOf([&] { Pool("192.0.0.0/16"); }).message(),
            "pool LocalDefault/192.0.0.0/16 overlaps with LocalDefault/192.0.2.0/24 in this "
            "address space");
  EXPECT_EQ(FailureOf([&] { Pool("198.51.100.0/31"); }).code(), Code::kConfig);
  for (const char* pool : {"0.0.0.0/0", "126.0.0.0/7", "239.1.0.0/16", "::/0", "ff02::/64"}) {
    EXPECT_EQ(FailureOf([&] { Pool(pool); }).code(), Code::kConfig) << pool;
  }
  EXPECT_EQ(FailureOf([&] { ipam_.RequestPool({.address_space = "mars"}); }).message(),
            "invalid address space mars");
  const engine::Pool global =
      ipam_.RequestPool({.address_space = ipam_.GlobalSpace(), .pool = Net("192.0.2.0/24")});
  EXPECT_EQ(global.id, "GlobalDefault/192.0.2.0/24") << "spaces are independent";
  EXPECT_EQ(Any(global.id), "192.0.2.1/24");
  EXPECT_EQ(Lease("global-192.0.2.0-24/192.0.2.1"), "cnm:reserved\r\npool:192.0.2.1");
}

TEST_F(DefaultIpamTest, PredefinedPoolsKeepAwayFromTheHostAndRest) {
  in_use_ = {Net("172.17.3.0/24"), Net("172.16.0.0/14"), Net("172.21.0.1/32")};
  const auto request = [&](bool ipv6) {
    return ipam_.RequestPool({.address_space = {}, .ipv6 = ipv6});
  };
  const engine::Pool first = request(false);
  EXPECT_EQ(first.pool.ToString(), "172.20.0.0/16");
  EXPECT_EQ(request(false).pool.ToString(), "172.22.0.0/16");
  ipam_.ReleasePool(first.id);
  EXPECT_EQ(request(false).pool.ToString(), "172.23.0.0/16");
  EXPECT_EQ(FailureOf([&] { request(true); }).message(),
            "could not find an available, non-overlapping IPv6 address pool among the defaults to "
            "assign to the network");
  in_use_ = {Net("0.0.0.0/1"), Net("128.0.0.0/1")};
  EXPECT_EQ(FailureOf([&] { request(false); }).code(), Code::kNotFound);
}

TEST_F(DefaultIpamTest, EverythingSurvivesARestart) {
  const std::string id = Pool("192.0.2.0/24").id;
  EXPECT_EQ(Any(id, kGateway), "192.0.2.1/24");
  EXPECT_EQ(Any(id), "192.0.2.2/24");
  DefaultIpam later = Restart();
  EXPECT_EQ(later.RequestAddress(id, std::nullopt, {})->ToString(), "192.0.2.3/24");
  EXPECT_EQ(later.RequestAddress(id, Ip("192.0.2.1"), kGateway)->ToString(), "192.0.2.1/24");
  EXPECT_EQ(later.RequestAddress(id, Ip("192.0.2.2"), {})->ToString(), "192.0.2.2/24")
      << "requested, but no endpoint's yet: a request that is repeated after a crash";
  EXPECT_FALSE(later.requires_replay());
}

TEST_F(DefaultIpamTest, ProcessesThatShareTheRecordsSeeOneAnothersPools) {
  DefaultIpam other = Restart();
  const std::string id = Pool("192.0.2.0/24").id;
  EXPECT_EQ(other.RequestAddress(id, std::nullopt, {})->ToString(), "192.0.2.1/24");
  other.RequestPool({.address_space = {}, .pool = Net("198.51.100.0/24")});
  EXPECT_EQ(FailureOf([&] { Pool("198.51.100.0/25"); }).code(), Code::kOverlap);
  other.ReleasePool(id);
  EXPECT_EQ(FailureOf([&] { Any(id); }).code(), Code::kNotFound);
}

TEST_F(DefaultIpamTest, RepeatedRequestsOfAPoolAreCounted) {
  const std::string id = Pool("192.0.2.0/24").id;
  Any(id, kGateway);
  EXPECT_EQ(Pool("192.0.2.0/24").id, id);
  ipam_.ReleaseAddress(id, Ip("192.0.2.1"));
  EXPECT_NE(Lease("pool-192.0.2.0-24/192.0.2.1"), "") << "the other user's gateway";
  ipam_.ReleasePool(id);
  EXPECT_EQ(Any(id), "192.0.2.2/24");
  ipam_.ReleasePool(id);
  EXPECT_FALSE(fs::exists(root_ / "leases" / "pool-192.0.2.0-24")) << "nothing is left";
  EXPECT_EQ(FailureOf([&] { ipam_.ReleasePool(id); }).code(), Code::kNotFound);
  EXPECT_EQ(FailureOf([&] { Any(id); }).code(), Code::kNotFound);
  EXPECT_EQ(FailureOf([&] { Any("mars/192.0.2.0/24"); }).code(), Code::kNotFound);
  EXPECT_EQ(FailureOf([&] { Any("LocalDefault/x"); }).message(), "invalid pool id LocalDefault/x");
}

TEST_F(DefaultIpamTest, ANetworksPoolIsSharedWithItsCniContainers) {
  CniAdd("blue", "192.0.2.2");
  const std::string id = Pool("192.0.2.0/24", kBlue).id;
  EXPECT_EQ(Any(id), "192.0.2.3/24") << ".1 is CNI's gateway, .2 a container's";
  EXPECT_EQ(Any(id, kGateway), "192.0.2.1/24");
  const Error error = FailureOf([&] { This(id, "192.0.2.2"); });
  EXPECT_EQ(error.code(), Code::kInUse);
  EXPECT_NE(error.message().find("held by container podman-1 eth0"), std::string::npos)
      << error.message();
  ipam_.ReleaseAddress(id, Ip("192.0.2.2"));
  ipam_.ReleasePool(id);
  EXPECT_EQ(Lease("blue/192.0.2.2"), "podman-1\r\neth0") << "never somebody else's";
  EXPECT_EQ(Lease("blue/192.0.2.1"), "");
  EXPECT_EQ(Lease("blue/192.0.2.3"), "");
}

TEST_F(DefaultIpamTest, ANetworksPoolIsOnlyForItsName) {
  const std::string id = Pool("192.0.2.0/24", kBlue).id;
  EXPECT_EQ(Pool("192.0.2.0/24", kBlue).id, id);
  EXPECT_EQ(ipam_.RequestPool({.address_space = {}, .options = kBlue}).id, id)
      << "the name alone is enough";
  const Error error = FailureOf([&] { Pool("192.0.2.0/25"); });
  EXPECT_EQ(error.code(), Code::kOverlap);
  EXPECT_EQ(error.message(),
            "pool LocalDefault/192.0.2.0/25 overlaps with 192.0.2.0/24 of network blue: option "
            "cnm.network=blue shares that pool");
  EXPECT_EQ(FailureOf([&] {
              Pool("192.0.2.0/24", {{kNetworkOption, "red"}});
            }).code(),
            Code::kOverlap);
  EXPECT_EQ(FailureOf([&] {
              Pool("198.51.100.0/24", {{kNetworkOption, "../x"}});
            }).code(),
            Code::kConfig);
  const std::string durable = root_ / "durable";
  EXPECT_EQ(FindLeaseNetwork(durable, "LocalDefault", Net("192.0.2.0/24")), "blue");
  EXPECT_EQ(FindLeaseNetwork(durable, "LocalDefault", Net("198.51.100.0/24")),
            "pool-198.51.100.0-24");
}

TEST_F(DefaultIpamTest, WhatAnEndpointTookOverIsItsOwn) {
  const std::string id = Pool("192.0.2.0/24").id;
  const net::Prefix given = ipam_.RequestAddress(id, std::nullopt, {}).value();
  host_local::LeaseDirectory leases = OpenLeases(root_ / "leases", "pool-192.0.2.0-24");
  const host_local::Owner endpoint{"e1", ""};
  ASSERT_TRUE(leases.Transfer(given.address, PoolOwner(given.address), endpoint));
  EXPECT_EQ(FailureOf([&] { This(id, given.address.ToString()); }).code(), Code::kInUse);
  ipam_.ReleaseAddress(id, given.address);
  EXPECT_EQ(Lease("pool-192.0.2.0-24/192.0.2.1"), "e1");
  ASSERT_TRUE(leases.Transfer(given.address, endpoint, PoolOwner(given.address)));
  ipam_.ReleaseAddress(id, given.address);
  EXPECT_EQ(Lease("pool-192.0.2.0-24/192.0.2.1"), "");
}

TEST_F(DefaultIpamTest, WhatNobodyClaimsIsReleased) {
  const engine::Pool pool = Pool("192.0.2.0/24");
  ipam_.RequestAddress(pool.id, Ip("192.0.2.1"), kGateway);
  for (const char* address : {"192.0.2.2", "192.0.2.3", "192.0.2.4"}) This(pool.id, address);
  ASSERT_TRUE(OpenLeases(root_ / "leases", "pool-192.0.2.0-24")
                  .Transfer(Ip("192.0.2.4"), PoolOwner(Ip("192.0.2.4")), {"endpoint", ""}));
  PoolClaim claim{.address_space = "LocalDefault",
                  .pool = Net("192.0.2.0/24"),
                  .uses = 1,
                  .addresses = {Ip("192.0.2.2")},
                  .grace = 60};
  EXPECT_EQ(ipam_.ReleaseUnclaimed(claim), 0U) << "it was requested just now";
  claim.grace = 0;
  claim.uses = 0;
  EXPECT_EQ(ipam_.ReleaseUnclaimed(claim), 0U) << "of somebody whom the claim does not know";
  claim.uses = 1;
  EXPECT_EQ(ipam_.ReleaseUnclaimed(claim), 1U);
  EXPECT_EQ(Lease("pool-192.0.2.0-24/192.0.2.3"), "");
  for (const char* held : {"192.0.2.1", "192.0.2.2", "192.0.2.4"}) {
    EXPECT_NE(Lease(std::string("pool-192.0.2.0-24/") + held), "") << held;
  }
}

TEST_F(DefaultIpamTest, Ipv6PoolsGiveAddressesAsWell) {
  const std::string id = Pool("2001:db8::/64", kBlue).id;
  const std::string id4 = Pool("192.0.2.0/24", kBlue).id;
  EXPECT_EQ(Any(id, kGateway), "2001:db8::1/64");
  EXPECT_EQ(Any(id), "2001:db8::2/64");
  EXPECT_EQ(Any(id4), "192.0.2.2/24");
  EXPECT_EQ(Any(id), "2001:db8::3/64");
  EXPECT_EQ(This(id, "2001:db8::ffff:1:2:3"), "2001:db8::ffff:1:2:3/64");
  EXPECT_EQ(FailureOf([&] {
              ipam_.RequestPool({.address_space = {}, .pool = Net("192.0.2.0/24"), .ipv6 = true});
            }).code(),
            Code::kConfig);
}

TEST_F(DefaultIpamTest, ThreadsNeverShareAnAddress) {
  const std::string id = Pool("192.0.2.0/26").id;
  std::vector<std::thread> threads;
  std::vector<std::vector<std::string>> given(4);
  threads.reserve(given.size());
  for (auto& mine : given) {
    threads.emplace_back([&] {
      for (int i = 0; i < 12; ++i) mine.push_back(Any(id));
    });
  }
  for (std::thread& thread : threads) thread.join();
  std::vector<std::string> all;
  for (const auto& mine : given) all.insert(all.end(), mine.begin(), mine.end());
  std::ranges::sort(all);
  EXPECT_EQ(std::ranges::adjacent_find(all), all.end());
  EXPECT_EQ(all.size(), 48U);
}

}  // namespace
}  // namespace cnm::pools
