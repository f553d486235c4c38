// prefix_test.cc: CIDR prefixes.
#include "common/net/prefix.h"

#include <string>

#include <gtest/gtest.h>

namespace cnm::net {
namespace {

Prefix Of(std::string_view text) {
  const std::optional<Prefix> prefix = Prefix::Parse(text);
  EXPECT_TRUE(prefix) << text;
  return prefix.value_or(Prefix());
}

TEST(Prefix, KeepsHostBitsAndKnowsItsSubnet) {
  const struct {
    const char* text;
    const char* prefix;
    const char* subnet;
    const char* last;
  } cases[] = {
      {"192.0.2.3/24", "192.0.2.3/24", "192.0.2.0/24", "192.0.2.255"},
      {"192.0.2.3/32", "192.0.2.3/32", "192.0.2.3/32", "192.0.2.3"},
      {"192.0.2.3/31", "192.0.2.3/31", "192.0.2.2/31", "192.0.2.3"},
      {"192.0.2.3/0", "192.0.2.3/0", "0.0.0.0/0", "255.255.255.255"},
      {"192.0.2.200/26", "192.0.2.200/26", "192.0.2.192/26", "192.0.2.255"},
      {"10.255.3.4/9", "10.255.3.4/9", "10.128.0.0/9", "10.255.255.255"},
      {"2001:db8::5/64", "2001:db8::5/64", "2001:db8::/64", "2001:db8::ffff:ffff:ffff:ffff"},
      {"2001:db8::5/128", "2001:db8::5/128", "2001:db8::5/128", "2001:db8::5"},
      {"2001:db8:ffff::/33", "2001:db8:ffff::/33", "2001:db8:8000::/33",
       "2001:db8:ffff:ffff:ffff:ffff:ffff:ffff"},
      {"2001:db8::/0", "2001:db8::/0", "::/0", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"},
      {"::ffff:192.0.2.3/120", "192.0.2.3/24", "192.0.2.0/24", "192.0.2.255"},
      {"::ffff:192.0.2.3/96", "192.0.2.3/0", "0.0.0.0/0", "255.255.255.255"},
      {"::ffff:192.0.2.3/128", "192.0.2.3/32", "192.0.2.3/32", "192.0.2.3"},
  };
  for (const auto& c : cases) {
    const Prefix prefix = Of(c.text);
    EXPECT_EQ(prefix.ToString(), c.prefix);
    EXPECT_EQ(prefix.Subnet().ToString(), c.subnet) << c.text;
    EXPECT_EQ(prefix.Last().ToString(), c.last) << c.text;
    EXPECT_EQ(prefix.Subnet().Subnet(), prefix.Subnet());
  }
}

TEST(Prefix, RejectsWhatIsNone) {
  for (const char* text : {"",
                           "/",
                           "/24",
                           "192.0.2.0",
                           "192.0.2.0/",
                           "192.0.2.0/33",
                           "192.0.2.0/-1",
                           "192.0.2.0/+1",
                           "192.0.2.0/2a",
                           "192.0.2.0/ 24",
                           "192.0.2.0/24 ",
                           "192.0.2.0/24/24",
                           "192.0.2/24",
                           "192.0.2.0/255.255.255.0",
                           "192.0.2.0/1000",
                           "192.0.2.00/24",
                           "2001:db8::/129",
                           "2001:db8::/256",
                           "::ffff:192.0.2.0/95",
                           "::ffff:192.0.2.0/24",
                           "::ffff:192.0.2.0/129"}) {
    EXPECT_FALSE(Prefix::Parse(text)) << text;
  }
}

TEST(Prefix, ContainsItsSubnetOnly) {
  const Prefix p = Of("192.0.2.200/26");
  EXPECT_TRUE(p.Contains(Of("192.0.2.192/32").address) && p.Contains(p.Last()));
  EXPECT_FALSE(p.Contains(Of("192.0.2.191/32").address));
  EXPECT_FALSE(p.Contains(Of("192.0.3.0/32").address));
  EXPECT_TRUE(Of("0.0.0.0/0").Contains(Of("203.0.113.9/32").address));
  EXPECT_FALSE(Of("0.0.0.0/0").Contains(Of("2001:db8::/128").address));
  EXPECT_FALSE(Of("::/0").Contains(Of("203.0.113.9/32").address));
  EXPECT_TRUE(Of("::/0").Contains(Of("2001:db8::/128").address));
}

TEST(Prefix, OverlapsBothWays) {
  const struct {
    const char* a;
    const char* b;
    bool overlap;
  } cases[] = {
      {"192.0.2.0/24", "192.0.2.0/24", true},
      {"192.0.2.0/24", "192.0.2.128/25", true},
      {"192.0.2.77/24", "192.0.2.3/32", true},
      {"0.0.0.0/0", "203.0.113.0/24", true},
      {"192.0.2.0/25", "192.0.2.128/25", false},
      {"192.0.2.0/24", "192.0.3.0/24", false},
      {"0.0.0.0/0", "::/0", false},
      {"2001:db8::/32", "2001:db8:1::/48", true},
      {"2001:db8:1::/48", "2001:db8:2::/48", false},
  };
  for (const auto& c : cases) {
    EXPECT_EQ(Of(c.a).Overlaps(Of(c.b)), c.overlap) << c.a << " " << c.b;
    EXPECT_EQ(Of(c.b).Overlaps(Of(c.a)), c.overlap) << c.b << " " << c.a;
  }
}

TEST(Prefix, OrdersByAddressThenLength) {
  EXPECT_LT(Of("192.0.2.0/24"), Of("192.0.2.0/25"));
  EXPECT_LT(Of("192.0.2.0/25"), Of("192.0.2.1/24"));
  EXPECT_LT(Of("203.0.113.0/24"), Of("::/0"));
}

}  // namespace
}  // namespace cnm::net
