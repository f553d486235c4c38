// address_test.cc: IP addresses as values.
#include "common/net/address.h"

#include <array>
#include <cstdint>
#include <set>
#include <string>

#include <gtest/gtest.h>

#include "common/base/error.h"

namespace cnm::net {
namespace {

Address At(std::string_view text) {
  const std::optional<Address> address = Address::Parse(text);
  EXPECT_TRUE(address) << text;
  return address.value_or(Address());
}

TEST(Address, ParsesToItsCanonicalText) {
  const struct {
    const char* text;
    const char* canonical;
  } cases[] = {
      {"192.0.2.1", "192.0.2.1"},
      {"0.0.0.0", "0.0.0.0"},
      {"255.255.255.255", "255.255.255.255"},
      {"2001:db8::1", "2001:db8::1"},
      {"2001:DB8:0:0:0:0:0:1", "2001:db8::1"},
      {"2001:0db8:0000::0001", "2001:db8::1"},
      {"2001:db8:0:1:0:0:0:1", "2001:db8:0:1::1"},
      {"2001:db8:0:1:1:1:1:1", "2001:db8:0:1:1:1:1:1"},  // one zero group is not shortened
      {"::", "::"},
      {"::1", "::1"},
      {"::ffff:192.0.2.1", "192.0.2.1"},
      {"::ffff:c000:201", "192.0.2.1"},
      {"::FFFF:0.0.0.0", "0.0.0.0"},
      {"::192.0.2.1", "::c000:201"},
      {"::1:0", "::1:0"},
      {"64:ff9b::192.0.2.1", "64:ff9b::c000:201"},
      {"ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"},
  };
  for (const auto& c : cases) EXPECT_EQ(At(c.text).ToString(), c.canonical) << c.text;
}

TEST(Address, RejectsWhatIsNone) {
  for (const char* text : {"",
                           " ",
                           "192.0.2",
                           "192.0.2.1.1",
                           "192.0.2.256",
                           "192.0.2.01",
                           "192.0.2.00",
                           "0192.0.2.1",
                           "192.0.2.1 ",
                           " 192.0.2.1",
                           "192.0.2.-1",
                           "192.0.2.0x1",
                           "3221225985",
                           "192.0.2.1/24",
                           "2001:db8::1%eth0",
                           "2001:db8:::1",
                           "2001:db8::1::",
                           "12345::",
                           "2001:db8",
                           ":",
                           ":::",
                           "2001:db8::g",
                           "1:2:3:4:5:6:7:8:9",
                           "::ffff:192.0.2.01",
                           "::ffff:192.0.2.256",
                           "0000:0000:0000:0000:0000:0000:0000:0000:0000:0000",
                           "[::1]",
                           "localhost"}) {
    EXPECT_FALSE(Address::Parse(text)) << text;
  }
  EXPECT_FALSE(Address::Parse(std::string_view("192.0.2.1\0", 10)));
}

TEST(Address, IsMadeOfFourOrSixteenBytes) {
  const std::array<uint8_t, 16> bytes = {0x20, 0x01, 0x0d, 0xb8};
  EXPECT_EQ(Address(bytes).ToString(), "2001:db8::");
  EXPECT_EQ(Address(std::span(bytes).first<4>()).ToString(), "32.1.13.184");
  EXPECT_EQ(Address(bytes).bytes().size(), 16U);
  EXPECT_EQ(At("192.0.2.1").bytes().size(), 4U);
  EXPECT_THROW(Address(std::span(bytes).first<5>()), Error);
  EXPECT_THROW(Address(std::span(bytes).first<0>()), Error);
}

TEST(Address, KnowsItsKind) {
  EXPECT_TRUE(At("0.0.0.0").IsUnspecified() && At("::").IsUnspecified());
  EXPECT_FALSE(At("0.0.0.1").IsUnspecified() || At("1::").IsUnspecified());
  EXPECT_TRUE(At("127.0.0.1").IsLoopback() && At("127.255.0.1").IsLoopback());
  EXPECT_TRUE(At("::1").IsLoopback());
  EXPECT_FALSE(At("128.0.0.1").IsLoopback() || At("::2").IsLoopback() || At("1::1").IsLoopback() ||
               At("::").IsLoopback() || At("0.0.0.1").IsLoopback());
  EXPECT_TRUE(At("224.0.0.1").IsMulticast() && At("239.255.255.255").IsMulticast());
  EXPECT_TRUE(At("ff02::1").IsMulticast());
  EXPECT_FALSE(At("223.255.255.255").IsMulticast() || At("240.0.0.0").IsMulticast() ||
               At("fe80::1").IsMulticast());
  EXPECT_EQ(At("192.0.2.1").bits(), 32);
  EXPECT_EQ(At("::").bits(), 128);
}

TEST(Address, AddsWithCarryAndWraps) {
  const struct {
    const char* from;
    uint64_t offset;
    const char* sum;
  } cases[] = {
      {"192.0.2.255", 1, "192.0.3.0"},
      {"192.0.2.1", 0, "192.0.2.1"},
      {"10.0.0.0", 1U << 24U, "11.0.0.0"},
      {"255.255.255.255", 1, "0.0.0.0"},
      {"0.0.0.0", UINT32_MAX, "255.255.255.255"},
      {"2001:db8::ffff:ffff:ffff:ffff", 1, "2001:db8:0:1::"},
      {"2001:db8::", UINT64_MAX, "2001:db8::ffff:ffff:ffff:ffff"},
      {"2001:db8::1", UINT64_MAX, "2001:db8:0:1::"},
      {"ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", 1, "::"},
  };
  for (const auto& c : cases) {
    EXPECT_EQ(At(c.from).Plus(c.offset).ToString(), c.sum) << c.from << " + " << c.offset;
  }
  EXPECT_EQ(At("192.0.2.255").Next(), At("192.0.3.0"));
}

TEST(Address, MeasuresDistances) {
  EXPECT_EQ(At("192.0.3.0").DistanceFrom(At("192.0.2.255")), 1U);
  EXPECT_EQ(At("192.0.2.1").DistanceFrom(At("192.0.2.1")), 0U);
  EXPECT_EQ(At("255.255.255.255").DistanceFrom(At("0.0.0.0")), UINT32_MAX);
  EXPECT_EQ(At("2001:db8:0:1::").DistanceFrom(At("2001:db8::1")), UINT64_MAX);
  EXPECT_EQ(At("2001:db8:0:1::").DistanceFrom(At("2001:db8::2")), UINT64_MAX - 1);
  EXPECT_EQ(At("2001:db8:0:2::").DistanceFrom(At("2001:db8::")), UINT64_MAX) << "too far";
  EXPECT_EQ(At("192.0.2.0").DistanceFrom(At("192.0.2.1")), UINT64_MAX) << "negative";
  EXPECT_EQ(At("::2").DistanceFrom(At("0.0.0.1")), UINT64_MAX) << "another family";
}

TEST(Address, OrdersByFamilyThenNumerically) {
  const std::set<Address> sorted = {At("2001:db8::"), At("::"), At("192.0.2.10"), At("192.0.2.9"),
                                    At("9.0.0.0")};
  std::string text;
  for (const Address& address : sorted) text += address.ToString() + " ";
  EXPECT_EQ(text, "9.0.0.0 192.0.2.9 192.0.2.10 :: 2001:db8:: ");
  EXPECT_EQ(At("::ffff:192.0.2.1"), At("192.0.2.1"));
  EXPECT_NE(At("::"), At("0.0.0.0"));
}

}  // namespace
}  // namespace cnm::net
