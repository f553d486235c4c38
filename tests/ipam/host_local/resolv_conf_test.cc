// resolv_conf_test.cc: resolver settings as resolv.conf(5) writes them.
#include "ipam/host_local/resolv_conf.h"

#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "common/base/error.h"

namespace cnm::host_local {
namespace {

TEST(ResolvConf, ReadsAllKeywords) {
  const ResolvConf conf = ParseResolvConf(
      "# comment\n; another\nnameserver 192.0.2.1\nnameserver\t192.0.2.2 trailing\n"
      "domain old\ndomain example.com\nsearch a.example  b.example\nsearch c.example\n"
      "options ndots:5 edns0\r\nsortlist 1.2.3.4\nnameserver\n #nameserver 192.0.2.3");
  EXPECT_EQ(conf.nameservers, (std::vector<std::string>{"192.0.2.1", "192.0.2.2"}));
  EXPECT_EQ(conf.domain, "example.com");
  EXPECT_EQ(conf.search, (std::vector<std::string>{"a.example", "b.example", "c.example"}));
  EXPECT_EQ(conf.options, (std::vector<std::string>{"ndots:5", "edns0"}));
}

TEST(ResolvConf, IsEmptyForAnEmptyText) {
  EXPECT_EQ(ParseResolvConf(""), ResolvConf());
}

TEST(ResolvConf, FailsNamingAFileThatIsNotThere) {
  try {
    ReadResolvConf("/nonexistent/resolv.conf");
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), Code::kIo);
    EXPECT_EQ(error.message(), "read /nonexistent/resolv.conf: No such file or directory");
  }
}

}  // namespace
}  // namespace cnm::host_local
