// lease_text_test.cc: names and contents of a lease directory's files.
#include "ipam/host_local/lease_text.h"

#include <string>

#include <gtest/gtest.h>

namespace cnm::host_local {
namespace {

TEST(LeaseText, ReadsOwnersAsTheReferenceMatchesThem) {
  EXPECT_EQ(FormatOwner({" c1 ", "eth0"}), "c1\r\neth0");
  EXPECT_EQ(ParseOwner("c1\r\neth0"), (Owner{"c1", "eth0"}));
  EXPECT_EQ(ParseOwner(" c1\r\neth0\n"), (Owner{"c1", "eth0"}));
  EXPECT_EQ(ParseOwner("c1"), (Owner{"c1", ""}));
  EXPECT_EQ(ParseOwner("c1\r\n"), (Owner{"c1", ""}));
}

TEST(LeaseText, RefusesWhatNoRuntimeWrites) {
  for (const std::string& bytes : {std::string(), std::string(" \r\n"), std::string("a\0b", 3),
                                   std::string("a\nb"), std::string(2000, 'x')}) {
    EXPECT_EQ(ParseOwner(bytes), std::nullopt);
  }
}

TEST(LeaseText, KnowsAddressFilesByTheirExactSpelling) {
  EXPECT_TRUE(ParseAddressName("192.0.2.1"));
  EXPECT_TRUE(ParseAddressName("2001:db8::1"));
  for (const char* name : {"lock", "192.0.2.01", "2001:DB8::1", "2001:db8:0::1", ".192.0.2.1",
                           "::ffff:192.0.2.1", "last_reserved_ip.0"}) {
    EXPECT_FALSE(ParseAddressName(name)) << name;
  }
}

TEST(LeaseText, RoundTripsNames) {
  EXPECT_EQ(CursorName(3), "last_reserved_ip.3");
  EXPECT_EQ(ParseCursorName("last_reserved_ip.3"), 3U);
  for (const char* name : {"last_reserved_ip.", "last_reserved_ip.03", "last_reserved_ip.-1"}) {
    EXPECT_EQ(ParseCursorName(name), std::nullopt) << name;
  }
  const std::string name = LinkName("0123456789abcdef", 12);
  EXPECT_EQ(name, ".cnm-0123456789abcdef.12");
  EXPECT_EQ(ParseLinkName(name)->index, 12U);
  EXPECT_EQ(ParseLinkName(name)->owner_hash, "0123456789abcdef");
  for (const char* other : {".cnm-hints", ".cnm-new", ".cnm-0123456789abcdef", ".cnm-0123.1"}) {
    EXPECT_FALSE(ParseLinkName(other)) << other;
  }
}

TEST(LeaseText, RoundTripsTargets) {
  const LinkTarget target{"deadbeef", 0x1234, 1'795'312'384'625'121'444,
                          *net::Address::Parse("2001:db8:1:2:3:4:5:6")};
  EXPECT_EQ(FormatTarget(target), "deadbeef/1234.18ea3b1a127098a4/2001:db8:1:2:3:4:5:6");
  EXPECT_EQ(ParseTarget(FormatTarget(target)), target);
  const LinkTarget before_1970{"-", 1, -1, *net::Address::Parse("192.0.2.1")};
  EXPECT_EQ(ParseTarget(FormatTarget(before_1970)), before_1970);
  for (const char* text :
       {"", "/", "//", "a/b", "/1.2/192.0.2.1", "b/1/192.0.2.1", "b/.2/192.0.2.1", "b/1./192.0.2.1",
        "b/1.2/", "b/x.2/192.0.2.1", "b/01.2/192.0.2.1", "b/-1.2/192.0.2.1", "192.0.2.1"}) {
    EXPECT_EQ(ParseTarget(text), std::nullopt) << text;
  }
}

}  // namespace
}  // namespace cnm::host_local
