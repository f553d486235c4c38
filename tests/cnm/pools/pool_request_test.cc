// pool_request_test.cc: pools that are found again by the name of their request.
#include "cnm/engine/pool_request.h"

#include <stdlib.h>

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "cnm/pools/default_ipam.h"
#include "common/base/error.h"

namespace cnm::pools {
namespace {

class PoolRequest : public testing::Test {
 protected:
  ~PoolRequest() override { std::filesystem::remove_all(root_); }

  static std::string MakeRoot() {
    char path[] = "/tmp/cnm-request-XXXXXX";
    return ::mkdtemp(path);
  }
  /// Asks a restarted daemon.
  engine::Pool Request(const std::string& name, bool find = false) const {
    std::map<std::string, std::string> options = {{engine::kRequestOption, name}};
    if (find) options[engine::kFindOption] = "true";
    return Restart().RequestPool({.address_space = {}, .options = options});
  }
  DefaultIpam Restart() const {
    return DefaultIpam({.durable_directory = root_ + "/durable",
                        .leases_directory = root_ + "/leases",
                        .subnets_in_use = [] { return std::vector<net::Prefix>(); }});
  }
  /// As above, of a pool that several networks share.
  engine::Pool Share(const std::string& name) const {
    return Restart().RequestPool({.address_space = {},
                                  .pool = net::Prefix::Parse("192.0.2.0/24"),
                                  .options = {{engine::kRequestOption, name}}});
  }
  std::uintmax_t BookSize() const {
    return std::filesystem::file_size(root_ + "/durable/pools/LocalDefault.json");
  }
  /// Whether the request is known.
  bool Finds(const std::string& name) const {
    try {
      Request(name, true);
      return true;
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), Code::kNotFound);
      return false;
    }
  }

  const std::string root_ = MakeRoot();
};

TEST_F(PoolRequest, RepeatedItIsTheSameUse) {
  const engine::Pool pool = Request("n1/4/0");
  EXPECT_EQ(Request("n1/4/0").id, pool.id);
  EXPECT_NE(Request("n2/4/0").id, pool.id);
  EXPECT_TRUE(Finds("n1/4/0"));
  Restart().ReleasePool(pool.id);  // the one use there was
  EXPECT_FALSE(Finds("n1/4/0"));
  EXPECT_TRUE(Finds("n2/4/0"));
}

TEST_F(PoolRequest, ReleasedTwiceItTakesNobodyElsesUse) {
  const std::string id = Share("n1/4/0").id;
  Share("n2/4/0");
  const std::map<std::string, std::string> gateway = {
      {engine::kRequestTypeLabel, engine::kGatewayLabel}};
  Restart().RequestAddress(id, std::nullopt, gateway);
  for (int kill = 0; kill < 3; ++kill) Restart().ReleaseRequest(id, "n1/4/0");
  EXPECT_FALSE(Restart().HoldsRequest(id, "n1/4/0"));
  EXPECT_TRUE(Restart().HoldsRequest(id, "n2/4/0"));
  EXPECT_TRUE(Finds("n2/4/0"));
  EXPECT_TRUE(Restart().RequestAddress(id, std::nullopt, {}).has_value());
  Restart().ReleaseRequest(id, "n2/4/0");
  EXPECT_NO_THROW(Restart().ReleaseRequest(id, "n2/4/0"));
  EXPECT_THROW(Restart().RequestAddress(id, std::nullopt, {}), Error) << "its last use has gone";
}

TEST_F(PoolRequest, TheBookDoesNotGrowWithTheNetworksThatWere) {
  const std::string id = Share("keeper/4/0").id;
  std::uintmax_t early = 0;
  for (int i = 100; i < 500; ++i) {
    DefaultIpam ipam = Restart();
    const std::string named = fmt::format("n{:04}/4/0", i);
    const engine::PoolSpec spec{.address_space = {},
                                .pool = net::Prefix::Parse("192.0.2.0/24"),
                                .options = {{engine::kRequestOption, named}}};
    ipam.RequestPool(spec);
    if (i % 2 == 0) {
      ipam.ReleaseRequest(id, named);
    } else {
      ipam.ReleasePool(id);  // by one who knows no names
    }
    if (i == 109) early = BookSize();
  }
  EXPECT_EQ(BookSize(), early);
}

TEST_F(PoolRequest, FindingGivesNothing) {
  EXPECT_FALSE(Finds("n1/4/0"));
  EXPECT_FALSE(Finds("n1/4/0"));
}

}  // namespace
}  // namespace cnm::pools
