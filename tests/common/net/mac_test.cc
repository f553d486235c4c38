// mac_test.cc: Ethernet addresses.
#include "common/net/mac.h"

#include <string>

#include <gtest/gtest.h>

namespace cnm::net {
namespace {

TEST(Mac, ParsesEveryNotationToOne) {
  for (const char* text :
       {"02:00:5e:10:00:0a", "02-00-5E-10-00-0A", "0200.5e10.000a", "02:00:5E:10:00:0a"}) {
    const std::optional<Mac> mac = Mac::Parse(text);
    ASSERT_TRUE(mac) << text;
    EXPECT_EQ(mac->ToString(), "02:00:5e:10:00:0a");
  }
  EXPECT_EQ(Mac::Parse("ff:ff:ff:ff:ff:ff")->ToString(), "ff:ff:ff:ff:ff:ff");
  EXPECT_EQ(Mac().ToString(), "00:00:00:00:00:00");
}

TEST(Mac, RejectsWhatIsNone) {
  for (const char* text :
       {"", "02:00:5e:10:00", "02:00:5e:10:00:0a:0b", "02:00:5e:10:00:0", "02:00:5e:10:00:0g",
        "02:00:5e:10-00-0a", "0200:5e10:000a", "02.00.5e.10.00.0a", "02005e10000a",
        "02 00 5e 10 00 0a", " 2:00:5e:10:00:0a", "+2:00:5e:10:00:0a", "-2:00:5e:10:00:0a",
        "0x:00:5e:10:00:0a", "02:00:5e:10:00:0a ", "0200.5e10-000a", "02:00:5e:10:00:00:0a:0b"}) {
    EXPECT_FALSE(Mac::Parse(text)) << text;
  }
  EXPECT_FALSE(Mac::Parse(std::string_view("02:00:5e:10:00:0\0", 17)));
}

TEST(Mac, KnowsTheGroupBit) {
  EXPECT_TRUE(Mac::Parse("01:00:5e:00:00:01")->IsMulticast());
  EXPECT_TRUE(Mac::Parse("ff:ff:ff:ff:ff:ff")->IsMulticast());
  EXPECT_FALSE(Mac::Parse("02:00:5e:00:00:01")->IsMulticast());
}

}  // namespace
}  // namespace cnm::net
