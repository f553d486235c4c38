// port_allocator_test.cc: ports are given once, in order, and to the address that asked.
#include "cnm/ports/port_allocator.h"

#include <string>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "common/base/error.h"

namespace cnm {
namespace {

using firewall::Protocol;

net::Address At(std::string_view text) {
  return net::Address::Parse(text).value();
}

PortRequest Port(uint16_t port, std::string_view address = "0.0.0.0",
                 Protocol protocol = Protocol::kTcp) {
  return {.addresses = {At(address)}, .protocol = protocol, .range = {port, port}};
}

PortRequest Within(PortRange range, uint16_t count = 1, std::string_view address = "0.0.0.0") {
  return {.addresses = {At(address)}, .range = range, .count = count};
}

/// "message" of the Error, and " (details)" if it has any; "" without one.
std::string Failure(PortAllocator& ports, const PortRequest& request, Code code) {
  try {
    ports.Request(request);
  } catch (const Error& e) {
    EXPECT_EQ(e.code(), code) << e.message();
    return e.details().empty() ? e.message() : fmt::format("{} ({})", e.message(), e.details());
  }
  return "";
}

TEST(PortAllocator, GivesTheFirstEphemeralPortFirst) {
  PortAllocator ports;
  EXPECT_EQ(ports.Request({}), (PortRange{49153, 49153}));
  EXPECT_EQ(ports.Request({}).first, 49154);
  PortAllocator host({32768, 60999});
  EXPECT_EQ(host.Request({}).first, 32768);
}

TEST(PortAllocator, GivesAPortOnceUntilItIsReleased) {
  PortAllocator ports;
  EXPECT_EQ(ports.Request(Port(5000)).first, 5000);
  EXPECT_EQ(Failure(ports, Port(5000), Code::kInUse),
            "Bind for 0.0.0.0:5000 failed: port is already allocated (held on 0.0.0.0:5000)");
  EXPECT_TRUE(ports.Release(At("0.0.0.0"), Protocol::kTcp, {5000, 5000}));
  EXPECT_FALSE(ports.Release(At("0.0.0.0"), Protocol::kTcp, {5000, 5000}));
  EXPECT_EQ(ports.Request(Port(5000)).first, 5000);
}

TEST(PortAllocator, ReleasingWhatWasNeverTakenChangesNothing) {
  PortAllocator ports;
  ports.Request(Port(5000));
  EXPECT_FALSE(ports.Release(At("192.0.2.1"), Protocol::kTcp, {5000, 5000}));
  EXPECT_FALSE(ports.Release(At("0.0.0.0"), Protocol::kUdp, {5000, 5000}));
  EXPECT_FALSE(ports.Release(At("0.0.0.0"), Protocol::kTcp, {5001, 5001}));
  EXPECT_FALSE(ports.Release(At("0.0.0.0"), Protocol::kTcp, {5001, 4999}));
  EXPECT_NE(Failure(ports, Port(5000), Code::kInUse), "");
}

TEST(PortAllocator, ReleaseAllFreesEverythingAndStartsAnew) {
  PortAllocator ports;
  ports.Request(Port(80));
  ports.Request({});
  ports.ReleaseAll();
  EXPECT_EQ(ports.Request(Port(80)).first, 80);
  EXPECT_EQ(ports.Request({}).first, 49153);
}

TEST(PortAllocator, RefusesAnUnknownProtocol) {
  PortAllocator ports;
  EXPECT_EQ(Failure(ports, Port(80, "0.0.0.0", static_cast<Protocol>(1)), Code::kConfig),
            "unknown protocol: 1");
}

TEST(PortAllocator, GivesEveryPortInOrderThenIsExhausted) {
  PortAllocator ports;
  for (uint32_t want = 49153; want <= 65535; ++want) ASSERT_EQ(ports.Request({}).first, want);
  EXPECT_EQ(Failure(ports, {}, Code::kExhausted), "all ports are allocated");
  // Other protocols have ports of their own.
  EXPECT_EQ(ports.Request({.protocol = Protocol::kUdp}).first, 49153);
  EXPECT_EQ(ports.Request({.protocol = Protocol::kSctp}).first, 49153);
  // The one that is free again is found, wherever it is.
  ASSERT_TRUE(ports.Release(At("0.0.0.0"), Protocol::kTcp, {50000, 50000}));
  EXPECT_EQ(ports.Request({}).first, 50000);
  EXPECT_EQ(Failure(ports, {}, Code::kExhausted), "all ports are allocated");
}

TEST(PortAllocator, AReleasedPortIsTheLastToBeGivenAgain) {
  PortAllocator ports({100, 102});
  EXPECT_EQ(ports.Request({}).first, 100);
  ports.Release(At("0.0.0.0"), Protocol::kTcp, {100, 100});
  EXPECT_EQ(ports.Request({}).first, 101);
  EXPECT_EQ(ports.Request({}).first, 102);
  EXPECT_EQ(ports.Request({}).first, 100);
}

TEST(PortAllocator, SpecificAddressesAreIndependent) {
  PortAllocator ports;
  EXPECT_EQ(ports.Request(Port(5000, "192.0.2.1")).first, 5000);
  EXPECT_EQ(ports.Request(Port(5000, "192.0.2.2")).first, 5000);
  EXPECT_EQ(ports.Request(Port(5000, "2001:db8::1")).first, 5000);
  EXPECT_EQ(Failure(ports, Port(5000, "192.0.2.2"), Code::kInUse),
            "Bind for 192.0.2.2:5000 failed: port is already allocated (held on 192.0.2.2:5000)");
  EXPECT_EQ(
      Failure(ports, Port(5000, "2001:db8::1"), Code::kInUse),
      "Bind for [2001:db8::1]:5000 failed: port is already allocated (held on [2001:db8::1]:5000)");
}

TEST(PortAllocator, AWildcardConflictsWithEveryAddressOfItsFamily) {
  PortAllocator ports;
  ports.Request(Port(80));
  EXPECT_EQ(Failure(ports, Port(80, "192.0.2.1"), Code::kInUse),
            "Bind for 192.0.2.1:80 failed: port is already allocated (held on 0.0.0.0:80)");
  ports.Request(Port(81, "192.0.2.1"));
  EXPECT_EQ(Failure(ports, Port(81), Code::kInUse),
            "Bind for 0.0.0.0:81 failed: port is already allocated (held on 192.0.2.1:81)");
  // The other family, and another protocol, are free.
  EXPECT_EQ(ports.Request(Port(80, "::")).first, 80);
  EXPECT_EQ(ports.Request(Port(81, "0.0.0.0", Protocol::kUdp)).first, 81);
  ports.Release(At("192.0.2.1"), Protocol::kTcp, {81, 81});
  EXPECT_EQ(ports.Request(Port(81)).first, 81);
}

TEST(PortAllocator, ASearchStepsOverWhatConflicts) {
  PortAllocator ports({100, 103});
  ports.Request(Port(100, "192.0.2.1"));
  ports.Request(Port(101));
  EXPECT_EQ(ports.Request({}).first, 102);                          // 100 is held on an address
  EXPECT_EQ(ports.Request(Within({}, 1, "192.0.2.2")).first, 100);  // 101 and 102 by the wildcard
  EXPECT_EQ(ports.Request(Within({}, 1, "192.0.2.2")).first, 103);
}

TEST(PortAllocator, RefusesRangesThatAreNone) {
  PortAllocator ports;
  EXPECT_EQ(Failure(ports, Within({0, 80}), Code::kConfig), "invalid port range: 0-80");
  EXPECT_EQ(Failure(ports, Within({80, 0}), Code::kConfig), "invalid port range: 80-0");
  EXPECT_EQ(Failure(ports, Within({8081, 8080}), Code::kConfig), "invalid port range: 8081-8080");
  EXPECT_EQ(Failure(ports, Within({80, 81}, 3), Code::kConfig),
            "invalid port range: 80-81 (wanted: 3 ports)");
  EXPECT_EQ(Failure(ports, Within({80, 81}, 0), Code::kConfig),
            "invalid port range: 80-81 (wanted: 0 ports)");
}

TEST(PortAllocator, ARangeOfOnesOwnIsUsedUpAndNoOther) {
  PortAllocator ports;
  EXPECT_EQ(ports.Request(Within({8081, 8082})).first, 8081);
  EXPECT_EQ(ports.Request(Within({8081, 8082})).first, 8082);
  EXPECT_EQ(Failure(ports, Within({8081, 8082}), Code::kExhausted), "all ports are allocated");
  EXPECT_EQ(ports.Request(Within({8081, 8082}, 1, "2001:db8::1")).first, 8081);
  EXPECT_NE(Failure(ports, Port(8082), Code::kInUse), "");
  EXPECT_EQ(ports.Request(Within({65534, 65535})).first, 65534);
  EXPECT_EQ(ports.Request(Within({65534, 65535})).first, 65535);
  EXPECT_EQ(Failure(ports, Within({65534, 65535}), Code::kExhausted), "all ports are allocated");
}

TEST(PortAllocator, EachRangeRemembersItsOwnPlace) {
  PortAllocator ports;
  EXPECT_EQ(ports.Request(Within({1000, 1010})).first, 1000);
  EXPECT_EQ(ports.Request(Within({1000, 1020})).first, 1001);
  EXPECT_EQ(ports.Request(Within({1000, 1010})).first, 1002);
  EXPECT_EQ(ports.Request(Within({2000, 2010})).first, 2000);
}

TEST(PortAllocator, GivesARowOfPorts) {
  PortAllocator ports;
  ports.Request(Port(8003));
  EXPECT_EQ(ports.Request(Within({8000, 8020}, 4)), (PortRange{8004, 8007}));
  EXPECT_EQ(ports.Request(Within({8000, 8020}, 3)), (PortRange{8008, 8010}));
  EXPECT_EQ(ports.Request(Within({8000, 8020}, 10)), (PortRange{8011, 8020}));
  EXPECT_EQ(ports.Request(Within({8000, 8020}, 3)), (PortRange{8000, 8002}));
  EXPECT_EQ(Failure(ports, Within({8000, 8020}, 2), Code::kExhausted), "all ports are allocated");
  // A row as long as its range has no choice, and says what is in its way.
  EXPECT_EQ(Failure(ports, Within({8020, 8029}, 10), Code::kInUse),
            "Bind for 0.0.0.0:8020 failed: port is already allocated (held on 0.0.0.0:8020)");
  EXPECT_EQ(ports.Request(Within({8021, 8029}, 9)), (PortRange{8021, 8029}));
  EXPECT_TRUE(ports.Release(At("0.0.0.0"), Protocol::kTcp, {8004, 8007}));
  EXPECT_EQ(ports.Request(Within({8000, 8020}, 4)), (PortRange{8004, 8007}));
}

TEST(PortAllocator, ARowMayBeginBeforeTheRememberedPlace) {
  PortAllocator ports;
  for (uint16_t port = 100; port < 109; ++port) ports.Request(Within({100, 109}));
  ports.Release(At("0.0.0.0"), Protocol::kTcp, {107, 108});
  EXPECT_EQ(ports.Request(Within({100, 109}, 3)), (PortRange{107, 109}));
  PortAllocator all({1, 65535});
  EXPECT_EQ(all.Request(Within({}, 65534)), (PortRange{1, 65534}));
  EXPECT_EQ(all.Request({}).first, 65535);
}

TEST(PortAllocator, SeveralAddressesGetTheSamePortOrNone) {
  PortAllocator ports({100, 102});
  ports.Request(Port(100));
  ports.Request(Port(101, "2001:db8::1"));
  const PortRequest both{.addresses = {At("0.0.0.0"), At("::")}};
  EXPECT_EQ(ports.Request(both).first, 102);
  EXPECT_EQ(Failure(ports, both, Code::kExhausted), "all ports are allocated");
  EXPECT_EQ(
      Failure(ports, {.addresses = {At("192.0.2.1"), At("::")}, .range = {101, 101}}, Code::kInUse),
      "Bind for [::]:101 failed: port is already allocated (held on [2001:db8::1]:101)");
  EXPECT_EQ(ports.Request(Port(101, "192.0.2.1")).first, 101) << "a failure took something";
}

TEST(PortRange, IsReadAsTheKernelShowsIt) {
  EXPECT_EQ(ParsePortRange("32768\t60999\n"), (PortRange{32768, 60999}));
  EXPECT_EQ(ParsePortRange("1024 1024"), (PortRange{1024, 1024}));
  for (const char* bad : {"", "1", "0 5", "5 4", "1 65536", "1 2 3", "a b", "1-2", "-1 5"}) {
    EXPECT_EQ(ParsePortRange(bad), std::nullopt) << bad;
  }
}

}  // namespace
}  // namespace cnm
