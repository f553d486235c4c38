// sysctl_test.cc: keys that would lead out of /proc/sys/net.
#include "common/netns/sysctl.h"

#include <string_view>

#include <gtest/gtest.h>

#include "common/base/error.h"

namespace cnm::netns {
namespace {

TEST(Sysctl, RefusesKeysThatLeadElsewhere) {
  using namespace std::string_view_literals;  // NOLINT: literals
  for (const std::string_view key :
       {"net/../kernel/hostname"sv, "net/ipv4/conf/../../../kernel/hostname"sv, "kernel/hostname"sv,
        "/net/ipv4"sv, "net/ipv4/conf/./arp_notify"sv, "net//ipv4"sv, ""sv, "net/.."sv,
        "net/ipv4\0/x"sv, ".."sv}) {
    EXPECT_THROW(ReadSysctl(key), Error) << key;
    EXPECT_THROW(WriteSysctl(key, "1"), Error) << key;
    EXPECT_THROW(EnsureSysctl(key, "1"), Error) << key;
  }
}

}  // namespace
}  // namespace cnm::netns
