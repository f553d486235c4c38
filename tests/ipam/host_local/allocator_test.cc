// allocator_test.cc: a whole ADD: requested addresses find their range sets, and nothing is half
// done.
#include "ipam/host_local/allocator.h"

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "common/base/error.h"
#include "common/json/object.h"

namespace cnm::host_local {
namespace {

namespace fs = std::filesystem;

class AddTest : public testing::Test {
 protected:
  AddTest() {
    std::string name = fs::temp_directory_path() / "cnm-add-XXXXXX";
    root_ = ::mkdtemp(name.data());
  }
  ~AddTest() override { fs::remove_all(root_); }

  AddResult Run(const std::string& ipam, const std::vector<std::string>& requested) const {
    const std::string text =
        fmt::format(R"({{"cniVersion":"1.0.0","name":"net","ipam":{{"dataDir":"{}",{}}}}})",
                    root_.string(), ipam);
    const Config config = DecodeConfig(json::Parse(text, "conf"), requested);
    LeaseDirectory directory(
        {config.data_dir, config.network, [](const Owner&) { return "0123456789abcdef"; }, "boot"});
    return Add(config, {"c", "eth0"}, directory);
  }
  std::string MessageOf(const std::string& ipam, const std::vector<std::string>& requested) const {
    try {
      Run(ipam, requested);
    } catch (const Error& error) {
      return error.message();
    }
    return "no error";
  }

  fs::path root_;
  std::string dual_ = R"("ranges":[[{"subnet":"192.0.2.0/24"}],[{"subnet":"2001:db8::/64"}]])";
};

TEST_F(AddTest, GivesRequestedAddressesWhereTheyBelongAndOthersElsewhere) {
  const AddResult both = Run(dual_, {"2001:db8::77"});
  ASSERT_EQ(both.addresses.size(), 2U);
  EXPECT_EQ(both.addresses[0].prefix.ToString(), "192.0.2.2/24");
  EXPECT_EQ(both.addresses[1].prefix.ToString(), "2001:db8::77/64");
  EXPECT_EQ(both.addresses[1].gateway.ToString(), "2001:db8::1");
}

TEST_F(AddTest, FailsWhenARequestedAddressHasNoPlaceAndTakesNothing) {
  EXPECT_EQ(MessageOf(dual_, {"192.0.2.7", "192.0.2.8", "203.0.113.1"}),
            "failed to allocate all requested IPs: 192.0.2.8 203.0.113.1");
  EXPECT_FALSE(fs::exists(root_ / "net"));
}

TEST_F(AddTest, GivesBackTheFirstAddressWhenTheSecondFails) {
  EXPECT_EQ(MessageOf(dual_, {"192.0.2.7", "2001:db8::1"}),
            "failed to allocate for range 1: requested ip 2001:db8::1 is subnet's gateway");
  EXPECT_FALSE(fs::exists(root_ / "net" / "192.0.2.7"));
}

TEST_F(AddTest, PassesRoutesAndResolverSettings) {
  std::ofstream(root_ / "resolv.conf") << "nameserver 192.0.2.53\n";
  const AddResult result =
      Run(fmt::format(R"("subnet":"192.0.2.0/24","routes":[{{"dst":"0.0.0.0/0"}}],
                         "resolvConf":"{}/resolv.conf")",
                      root_.string()),
          {});
  EXPECT_EQ(result.routes.size(), 1U);
  EXPECT_EQ(result.dns.nameservers, std::vector<std::string>{"192.0.2.53"});
}

TEST_F(AddTest, FailsBeforeTakingAnythingWhenResolvConfIsMissing) {
  EXPECT_EQ(MessageOf(R"("subnet":"192.0.2.0/24","resolvConf":"/nonexistent")", {}),
            "read /nonexistent: No such file or directory");
  EXPECT_FALSE(fs::exists(root_ / "net"));
}

}  // namespace
}  // namespace cnm::host_local
