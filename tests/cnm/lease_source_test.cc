// lease_source_test.cc: addresses between pools and endpoints, judged by the lease files.
#include "cnm/lease_source.h"

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "common/base/error.h"
#include "ipam/host_local/range.h"

namespace cnm {
namespace {

namespace fs = std::filesystem;

AddressGrant Grant(std::string_view prefix) {
  return {net::Prefix::Parse(prefix).value(), net::Address::Parse("192.0.2.1")};
}

class LeaseSourceTest : public testing::Test {
 protected:
  LeaseSourceTest() {
    std::string name = fs::temp_directory_path() / "cnm-source-XXXXXX";
    root_ = ::mkdtemp(name.data());
  }
  ~LeaseSourceTest() override { fs::remove_all(root_); }

  LeaseSource Open(const std::string& id, std::string_view v4, std::string_view v6 = "") const {
    LeaseSpec spec{.data_dir = root_, .endpoint_id = id, .grants = {{Grant(v4), "blue"}}};
    if (!v6.empty()) spec.grants.push_back({Grant(v6), "blue6"});
    return LeaseSource(std::move(spec));
  }
  /// As a pool does for RequestAddress.
  void Reserve(std::string_view address) const {
    host_local::Range range;
    range.subnet = *net::Prefix::Parse("192.0.2.0/24");
    range.first = *net::Address::Parse("192.0.2.2");
    range.last = *net::Address::Parse("192.0.2.99");
    range.gateway = *net::Address::Parse("192.0.2.1");
    const host_local::RangeSet set{.ranges = {range}, .excluded = {}};
    OpenLeases(root_, "blue").Reserve("pool", {&set, net::Address::Parse(address)});
  }
  std::string Holder(const std::string& path) const {
    std::ifstream file(fmt::format("{}/{}", root_, path), std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
  }

  std::string root_;
};

TEST_F(LeaseSourceTest, AnAddressOfAPoolGoesBackToIt) {
  Reserve("192.0.2.7");
  LeaseSource source = Open("e1", "192.0.2.7/24", "2001:db8::7/64");
  EXPECT_EQ(source.Request().addresses.size(), 2U);
  EXPECT_EQ(Holder("blue/192.0.2.7"), "e1");
  EXPECT_EQ(Holder("blue6/2001:db8::7"), "e1");
  ASSERT_TRUE(LeaseSource::Wrote(source.Journal()));
  LeaseSource again = LeaseSource::FromJournal(source.Journal());
  again.Check();
  again.Release();
  EXPECT_EQ(Holder("blue/192.0.2.7"), "cnm:reserved\r\npool:192.0.2.7");
  EXPECT_EQ(Holder("blue6/2001:db8::7"), "") << "nobody's before, nobody's now";
  again.Release();
  EXPECT_THROW(again.Check(), Error);
}

TEST_F(LeaseSourceTest, WhatNobodyWillAskForIsFreed) {
  Reserve("192.0.2.7");
  LeaseSource source = Open("e1", "192.0.2.7/24");
  source.Request();
  LeaseSource::FromJournal(source.Journal()).Free();
  EXPECT_EQ(Holder("blue/192.0.2.7"), "");
}

TEST_F(LeaseSourceTest, ATakenAddressIsRefusedAndNothingIsKept) {
  Reserve("192.0.2.7");
  Open("e2", "192.0.2.8/24", "2001:db8::7/64").Request();
  try {
    Open("e1", "192.0.2.7/24", "2001:db8::7/64").Request();
    FAIL() << "took it";
  } catch (const Error& e) {
    EXPECT_EQ(e.code(), Code::kInUse);
    EXPECT_EQ(e.message(), "address 2001:db8::7 of network blue6 is taken");
    EXPECT_EQ(e.details(), "held by container e2 ");
  }
  EXPECT_EQ(Holder("blue/192.0.2.7"), "cnm:reserved\r\npool:192.0.2.7");
}

TEST_F(LeaseSourceTest, OtherJournalsAreNotItsOwn) {
  EXPECT_FALSE(LeaseSource::Wrote(R"({"type":"host-local","containerId":"c1"})"));
}

}  // namespace
}  // namespace cnm
