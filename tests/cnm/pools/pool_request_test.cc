// pool_request_test.cc: pools that are found again by the name of their request.
#include "cnm/engine/pool_request.h"

#include <stdlib.h>

#include <filesystem>
#include <map>
#include <string>
#include <vector>

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

TEST_F(PoolRequest, FindingGivesNothing) {
  EXPECT_FALSE(Finds("n1/4/0"));
  EXPECT_FALSE(Finds("n1/4/0"));
}

}  // namespace
}  // namespace cnm::pools
