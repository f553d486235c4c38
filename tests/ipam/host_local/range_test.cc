// range_test.cc: ordinals of addresses across ranges.
#include "ipam/host_local/range.h"

#include <string_view>
#include <vector>

#include <gtest/gtest.h>

#include "common/base/error.h"

namespace cnm::host_local {
namespace {

net::Address Ip(std::string_view text) {
  return net::Address::Parse(text).value();
}

TEST(Span, NumbersAddressesThroughAllSpansInTheirOrder) {
  const std::vector<Span> spans{{Ip("198.51.100.5"), Ip("198.51.100.6")},
                                {Ip("192.0.2.1"), Ip("192.0.2.3")}};
  EXPECT_EQ(OrdinalCount(spans), 5U);
  const std::vector<const char*> order{"198.51.100.5", "198.51.100.6", "192.0.2.1", "192.0.2.2",
                                       "192.0.2.3"};
  for (uint32_t i = 0; i < order.size(); ++i) {
    EXPECT_EQ(AddressAt(spans, i), Ip(order[i]));
    EXPECT_EQ(OrdinalOf(spans, Ip(order[i])), i);
  }
  EXPECT_EQ(OrdinalOf(spans, Ip("192.0.2.4")), std::nullopt);
  EXPECT_EQ(OrdinalOf(spans, Ip("2001:db8::1")), std::nullopt);
  EXPECT_THROW(AddressAt(spans, 5), Error);
}

TEST(Span, StopsNumberingAtTheLimit) {
  const std::vector<Span> spans{{Ip("2001:db8::1"), Ip("2001:db8:0:ffff:ffff:ffff:ffff:ffff")},
                                {Ip("2001:db8:1::"), Ip("2001:db8:1::9")}};
  EXPECT_EQ(OrdinalCount(spans), kMaxOrdinals);
  EXPECT_EQ(OrdinalOf(spans, AddressAt(spans, kMaxOrdinals - 1)), kMaxOrdinals - 1);
  EXPECT_EQ(OrdinalOf(spans, spans[0].first.Plus(kMaxOrdinals)), std::nullopt);
  EXPECT_EQ(OrdinalOf(spans, Ip("2001:db8:1::5")), std::nullopt);
}

TEST(Span, CoversTheWholeOfIpv4) {
  const std::vector<Span> spans{{Ip("0.0.0.0"), Ip("255.255.255.255")}};
  EXPECT_EQ(OrdinalCount(spans), kMaxOrdinals);
  EXPECT_EQ(AddressAt(spans, kMaxOrdinals - 1), Ip("255.255.255.191"));
}

}  // namespace
}  // namespace cnm::host_local
