// null_ipam_test.cc: the IPAM of networks without addresses.
#include "cnm/pools/null_ipam.h"

#include <gtest/gtest.h>

#include "cnm/pools/subnets_in_use.h"
#include "common/base/error.h"

namespace cnm::pools {
namespace {

TEST(NullIpam, HasOnePoolAndNoAddresses) {
  NullIpam ipam;
  const engine::Pool pool = ipam.RequestPool({.address_space = ipam.LocalSpace()});
  EXPECT_EQ(pool.id, "null/0.0.0.0/0");
  EXPECT_EQ(pool.pool.ToString(), "0.0.0.0/0");
  EXPECT_EQ(ipam.RequestPool({}).id, pool.id);
  EXPECT_FALSE(ipam.RequestAddress(pool.id, std::nullopt, {}));
  ipam.ReleaseAddress(pool.id, {});
  ipam.ReleasePool(pool.id);
}

TEST(NullIpam, RefusesWishes) {
  NullIpam ipam;
  EXPECT_THROW(ipam.RequestPool({.address_space = "LocalDefault"}), Error);
  EXPECT_THROW(ipam.RequestPool({.address_space = {}, .pool = net::Prefix{}}), Error);
  EXPECT_THROW(ipam.RequestPool({.address_space = {}, .ipv6 = true}), Error);
  EXPECT_THROW(ipam.RequestAddress("LocalDefault/192.0.2.0/24", std::nullopt, {}), Error);
  EXPECT_THROW(ipam.ReleasePool(""), Error);
}

TEST(SubnetsInUse, NameserversAreSingleAddresses) {
  const auto subnets = NameserverSubnets(
      "# nameserver 192.0.2.9\nnameserver 172.17.0.53\nnameserver fe80::1%eth0\nsearch a\n");
  ASSERT_EQ(subnets.size(), 2U);
  EXPECT_EQ(subnets[0].ToString(), "172.17.0.53/32");
  EXPECT_EQ(subnets[1].ToString(), "fe80::1/128");
}

}  // namespace
}  // namespace cnm::pools
