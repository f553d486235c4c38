// pool_test.cc: names of pools and the rules between them.
#include "ipam/pool.h"

#include <functional>
#include <string_view>

#include <gtest/gtest.h>

#include "common/base/error.h"

namespace cnm::ipam {
namespace {

PoolId Id(std::string_view text) {
  return PoolId::Parse(text);
}

Code CodeOf(const std::function<void()>& work) {
  try {
    work();
  } catch (const Error& error) {
    return error.code();
  }
  return Code::kInternal;
}

TEST(PoolId, RoundTrips) {
  for (const char* text : {"LocalDefault/192.0.2.0/24", "LocalDefault/192.0.2.0/24/192.0.2.128/25",
                           "GlobalDefault/2001:db8::/64"}) {
    EXPECT_EQ(Id(text).ToString(), text);
  }
}

TEST(PoolId, RefusesOtherTexts) {
  for (const char* text :
       {"", "LocalDefault", "LocalDefault/192.0.2.0", "/192.0.2.0/24", "LocalDefault/192.0.2.1/24",
        "LocalDefault/192.0.2.0/24/", "LocalDefault/192.0.2.0/24/198.51.100.0/25",
        "LocalDefault/192.0.2.0/24/192.0.0.0/16", "a/192.0.2.0/24/x/y", "a/2001:DB8::/64",
        "a/192.0.2.0/24/192.0.2.0/25/1/2"}) {
    EXPECT_EQ(CodeOf([&] { Id(text); }), Code::kConfig) << text;
  }
}

TEST(PoolTable, RefusesOverlaps) {
  PoolTable table;
  table.Add(Id("L/192.0.2.0/24"), false);
  table.Add(Id("L/2001:db8::/64"), false);
  table.Add(Id("L/198.51.100.0/24"), false);
  for (const char* text : {"L/192.0.2.0/24", "L/192.0.2.128/25", "L/192.0.0.0/16", "L/0.0.0.0/0",
                           "L/198.51.100.8/29", "L/2001:db8::/32", "L/192.0.0.0/16/192.0.3.0/24"}) {
    EXPECT_EQ(CodeOf([&] { table.Add(Id(text), false); }), Code::kOverlap) << text;
  }
  table.Add(Id("L/192.0.3.0/24"), false);
  EXPECT_EQ(table.pools().size(), 4U);
}

TEST(PoolTable, ASubPoolBringsAndTakesItsMaster) {
  PoolTable table;
  table.Add(Id("L/192.0.2.0/24/192.0.2.0/25"), false);
  table.Add(Id("L/192.0.2.0/24/192.0.2.128/25"), false);
  EXPECT_EQ(table.pools().at(Id("L/192.0.2.0/24")).uses, 0U);
  EXPECT_EQ(CodeOf([&] { table.Remove(Id("L/192.0.2.0/24")); }), Code::kNotFound);
  EXPECT_EQ(CodeOf([&] { table.Add(Id("L/192.0.2.0/24"), false); }), Code::kOverlap);
  EXPECT_EQ(table.Remove(Id("L/192.0.2.0/24/192.0.2.0/25")), std::nullopt);
  EXPECT_EQ(table.Remove(Id("L/192.0.2.0/24/192.0.2.128/25")), 1U);
  EXPECT_TRUE(table.pools().empty());
}

TEST(PoolTable, CountsSharedUses) {
  PoolTable table;
  const PoolId id = Id("L/192.0.2.0/24");
  table.Add(id, true);
  table.Add(id, true);
  EXPECT_EQ(table.Remove(id), std::nullopt);
  EXPECT_EQ(table.Remove(id), 1U);
  EXPECT_EQ(CodeOf([&] { table.Remove(id); }), Code::kNotFound);
}

TEST(PoolTable, GivesARemadePoolANewGeneration) {
  PoolTable table;
  const PoolId id = Id("L/192.0.2.0/24");
  table.Add(id, false);
  table.Remove(id);
  table.Add(id, false);
  EXPECT_EQ(table.GenerationOf(id), 2U);
}

TEST(PoolTable, SurvivesItsText) {
  PoolTable table;
  table.Add(Id("L/192.0.2.0/24/192.0.2.0/25"), false);
  table.Add(Id("L/198.51.100.0/24"), true);
  table.Add(Id("L/198.51.100.0/24"), true);
  EXPECT_EQ(PoolTable::Decode(table.Encode()), table);
  EXPECT_EQ(CodeOf([] { PoolTable::Decode("[]"); }), Code::kDecode);
  EXPECT_EQ(
      CodeOf([] { PoolTable::Decode(R"({"pools":[{"id":"L/192.0.2.0/24/192.0.2.0/25"}]})"); }),
      Code::kDecode);
}

TEST(Predefined, AreDockersPools) {
  ASSERT_EQ(PredefinedCount(kLocalSpace, net::Family::kIpv4), 31U);
  EXPECT_EQ(PredefinedAt(kLocalSpace, 0).ToString(), "172.17.0.0/16");
  EXPECT_EQ(PredefinedAt(kLocalSpace, 14).ToString(), "172.31.0.0/16");
  EXPECT_EQ(PredefinedAt(kLocalSpace, 15).ToString(), "192.168.0.0/20");
  EXPECT_EQ(PredefinedAt(kLocalSpace, 30).ToString(), "192.168.240.0/20");
  ASSERT_EQ(PredefinedCount(kGlobalSpace, net::Family::kIpv4), 65536U);
  EXPECT_EQ(PredefinedAt(kGlobalSpace, 65535).ToString(), "10.255.255.0/24");
  EXPECT_EQ(PredefinedCount(kLocalSpace, net::Family::kIpv6), 0U);
  EXPECT_EQ(PredefinedCount("mine", net::Family::kIpv4), 0U);
}

}  // namespace
}  // namespace cnm::ipam
