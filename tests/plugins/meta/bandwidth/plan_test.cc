// plan_test.cc: what a limited endpoint needs of the kernel's traffic control.
#include "plugins/meta/bandwidth/plan.h"

#include <linux/if_ether.h>

#include <gtest/gtest.h>

#include "plugins/meta/bandwidth/token_bucket.h"

namespace cnm::bandwidth {
namespace {

constexpr Limit kLimit{8'000'000, 800'000};

Site MakeSite() {
  return {.link = "veth1", .ifindex = 5, .mtu = 1500, .ifb = "bwp1"};
}

std::vector<net::Prefix> Subnets() {
  return {*net::Prefix::Parse("2001:db8::/32"), *net::Prefix::Parse("192.0.2.0/24")};
}

TEST(BandwidthPlan, WithoutSubnetsItIsOneBucketADirection) {
  const Config config{.ingress = kLimit, .egress = kLimit};
  const Plan in = PlanToContainer(config, MakeSite());
  EXPECT_EQ(in.root.kind, "tbf");
  EXPECT_EQ(in.root.bucket, MakeTokenBucket(kLimit));
  EXPECT_FALSE(in.shaped_class || in.leaf || in.ingress || !in.filters.empty());
  const Plan out = PlanFromContainer(config, MakeSite(), 9);
  EXPECT_EQ(out.root.ifindex, 9);
  EXPECT_EQ(out.root.bucket, MakeTokenBucket(kLimit));
  ASSERT_EQ(out.filters.size(), 1U);
  EXPECT_EQ(out.filters[0].protocol, ETH_P_ALL);
  EXPECT_EQ(out.filters[0].redirect, 9);
  EXPECT_EQ(out.filters[0].priority, 1);
}

TEST(BandwidthPlan, UnshapedSubnetsGoTheirWayBeforeTheRest) {
  const Config config{.ingress = kLimit, .egress = kLimit, .unshaped = Subnets()};
  const Plan in = PlanToContainer(config, MakeSite());
  EXPECT_EQ(in.root.kind, "htb");
  EXPECT_EQ(in.root.default_class, 1);
  EXPECT_EQ(in.leaf->limit, MakeTokenBucket(kLimit).limit);
  EXPECT_EQ(in.shaped_class->bucket.buffer, MakeTokenBucket(kLimit).buffer);
  for (const netlink::Filter& filter : in.filters) {
    EXPECT_EQ(filter.class_id, netlink::MakeHandle(1, 0));
  }
  const Plan out = PlanFromContainer(config, MakeSite(), 9);
  ASSERT_EQ(out.filters.size(), 3U);
  EXPECT_FALSE(out.filters[0].redirect || out.filters[1].redirect);
  EXPECT_GT(out.filters[2].priority, out.filters[0].priority);
  EXPECT_GT(out.filters[2].priority, out.filters[1].priority);
  EXPECT_NE(out.filters[0].priority, out.filters[1].priority) << "a priority has one protocol";
}

TEST(BandwidthPlan, OnlyShapedSubnetsAreSentThroughTheBucket) {
  const Config config{.ingress = kLimit, .egress = kLimit, .shaped = Subnets()};
  const Plan in = PlanToContainer(config, MakeSite());
  EXPECT_EQ(in.root.default_class, 0);
  EXPECT_EQ(in.filters[0].class_id, netlink::MakeHandle(1, 1));
  const Plan out = PlanFromContainer(config, MakeSite(), 9);
  ASSERT_EQ(out.filters.size(), 2U);
  for (const netlink::Filter& filter : out.filters) EXPECT_EQ(filter.redirect, 9);
  EXPECT_EQ(in.filters[1].keys, netlink::MatchSource(Subnets()[1]));
  EXPECT_EQ(out.filters[1].keys, netlink::MatchDestination(Subnets()[1]));
}

TEST(BandwidthPlan, SomebodysIngressQdiscIsNotMadeAgain) {
  Site site = MakeSite();
  EXPECT_TRUE(PlanFromContainer({.egress = kLimit}, site, 9).ingress);
  site.makes_ingress_qdisc = false;
  site.priority = 8;
  const Plan plan = PlanFromContainer({.egress = kLimit}, site, 9);
  EXPECT_FALSE(plan.ingress);
  EXPECT_EQ(plan.filters[0].priority, 8);
}

TEST(BandwidthShaping, EncodedAndDecodedItIsTheSame) {
  Shaping shaping{{.ingress = kLimit, .shaped = Subnets()}, MakeSite()};
  shaping.site.makes_ingress_qdisc = false;
  shaping.site.priority = 8;
  const Shaping decoded = DecodeShaping(Encode(shaping));
  EXPECT_EQ(decoded.config, shaping.config);
  EXPECT_EQ(Encode(decoded), Encode(shaping));
  EXPECT_EQ(decoded.site.priority, 8);
}

}  // namespace
}  // namespace cnm::bandwidth
