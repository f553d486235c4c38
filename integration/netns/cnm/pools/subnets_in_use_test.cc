// subnets_in_use_test.cc: predefined pools against the routes and name servers of a real host.
#include "cnm/pools/subnets_in_use.h"

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>

#include "cnm/pools/default_ipam.h"
#include "common/base/atomic_file.h"
#include "integration/support/fresh_netns.h"

namespace cnm::pools {
namespace {

using testing::Shell;

class SubnetsInUseNetns : public testing::NetnsTest {
 protected:
  void SetUp() override {
    NetnsTest::SetUp();
    directory_ = Shell("mktemp -d");
    Shell("ip link add d0 type veth peer name d1 && ip link set d1 up && ip link set d0 up");
  }
  void TearDown() override { Shell("rm -r " + directory_); }

  void WriteResolvConf(std::string_view text) const {
    WriteFileAtomic(directory_ + "/resolv.conf", text, Durability::kVolatile);
  }
  std::vector<net::Prefix> Read() const {
    return SubnetsInUse({.resolv_conf = directory_ + "/resolv.conf", .resolved = {}});
  }
  bool Uses(std::string_view subnet) const {
    const auto all = Read();
    return std::ranges::find(all, net::Prefix::Parse(subnet)) != all.end();
  }
  std::string FirstPool() const {
    DefaultIpam ipam({.durable_directory = directory_ + "/durable",
                      .leases_directory = directory_ + "/leases",
                      .subnets_in_use = [this] { return Read(); }});
    const engine::Pool pool = ipam.RequestPool({.address_space = {}});
    ipam.ReleasePool(pool.id);
    return pool.pool.ToString();
  }

  std::string directory_;
};

TEST_F(SubnetsInUseNetns, RoutesAndNameserversAreAvoided) {
  EXPECT_EQ(FirstPool(), "172.17.0.0/16");
  Shell("ip addr add 172.17.0.1/24 dev d0");
  EXPECT_EQ(FirstPool(), "172.18.0.0/16") << "a link's own subnet";
  Shell("ip route add 172.18.4.0/30 dev d0");
  EXPECT_EQ(FirstPool(), "172.19.0.0/16") << "a static route";
  Shell("ip route add default via 172.17.0.2");
  EXPECT_EQ(FirstPool(), "172.19.0.0/16") << "the default route is in nobody's way";
  WriteResolvConf("nameserver 172.19.0.53\n");
  EXPECT_EQ(FirstPool(), "172.20.0.0/16") << "a name server";
  Shell("ip -6 route add 2001:db8:1::/48 dev d0");
  EXPECT_TRUE(Uses("2001:db8:1::/48"));
  EXPECT_TRUE(Uses("172.18.4.0/30"));
  EXPECT_FALSE(Uses("0.0.0.0/0"));
}

}  // namespace
}  // namespace cnm::pools
