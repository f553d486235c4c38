// link_name_test.cc: which texts can be the name of a network link.
#include "common/net/link_name.h"

#include <string_view>

#include <gtest/gtest.h>

namespace cnm::net {
namespace {

TEST(LinkName, IsWhatTheKernelTakes) {
  for (const std::string_view name : {"a", "br0", "br-1.100@x", "123456789012345", "...", "br+"}) {
    EXPECT_TRUE(IsLinkName(name)) << name;
  }
  for (const std::string_view name :
       {"", ".", "..", "1234567890123456", "a/b", "a:1", "a b", "a\tb", "a\nb", " a"}) {
    EXPECT_FALSE(IsLinkName(name)) << name;
  }
}

TEST(LinkName, HasNoControlCharacters) {
  for (const std::string_view name : {"a\x01", "\x7f", "a\x1b[0m"}) EXPECT_FALSE(IsLinkName(name));
  EXPECT_FALSE(IsLinkName(std::string_view("a\0b", 3)));
}

}  // namespace
}  // namespace cnm::net
