// names_test.cc: names that become part of a path or the name of a link.
#include "plugins/cni/names.h"

#include <string>

#include <gtest/gtest.h>

#include "tests/plugins/cni/thrown.h"

namespace cnm::cni {
namespace {

TEST(ContainerId, StartsWithALetterOrDigitAndHoldsNoPath) {
  for (const char* good : {"a", "0", "A1_.-", "cnitool-77383ca0a0715733ca6f"}) {
    EXPECT_TRUE(IsContainerId(good)) << good;
  }
  for (const char* bad :
       {"", ".", "..", "-a", "_a", "a/b", "../a", "a b", "a\n", "a:b", "\u00e9"}) {
    EXPECT_FALSE(IsContainerId(bad)) << bad;
  }
  EXPECT_EQ(Thrown([] { ValidateContainerId("a/b"); }),
            "4 invalid characters in containerID | a/b");
}

std::string Refusal(const std::string& name) {
  return Thrown([&] { ValidateIfname(name); });
}

TEST(Ifname, HasAtMost15Bytes) {
  EXPECT_EQ(Refusal(std::string(15, 'x')), "");
  EXPECT_EQ(Refusal(std::string(16, 'x')),
            "4 interface name is too long | interface name should be less than 16 characters");
}

TEST(Ifname, IsNoDirectory) {
  EXPECT_EQ(Refusal("."), "4 interface name is . or ..");
  EXPECT_EQ(Refusal(".."), "4 interface name is . or ..");
  EXPECT_EQ(Refusal("..."), "");
}

TEST(Ifname, HoldsNoSeparatorAndNoWhiteSpace) {
  for (const char* bad : {"a/b", "a:1", "a b", "a\t", "\n", "a\u00a0b", "a\u2003", "\u3000"}) {
    EXPECT_EQ(Refusal(bad), "4 interface name contains / or : or whitespace characters") << bad;
  }
  EXPECT_EQ(Refusal("eth0.100@\u00e9"), "");
}

}  // namespace
}  // namespace cnm::cni
