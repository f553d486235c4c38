// token_bucket_test.cc: a limit in the kernel's numbers, as the reference computes them.
#include "plugins/meta/bandwidth/token_bucket.h"

#include <gtest/gtest.h>

namespace cnm::bandwidth {
namespace {

TEST(TokenBucket, HoldsTheBurstAndQueues25Milliseconds) {
  const netlink::TokenBucket bucket = MakeTokenBucket({.rate = 8'000'000, .burst = 800'000});
  EXPECT_EQ(bucket, (netlink::TokenBucket{1'000'000, 1'562'500, 125'000}));
  EXPECT_EQ(BytesIn(bucket), 100'000U);
}

TEST(TokenBucket, RoundsTwiceAsTheReferenceDoes) {
  // 5 bytes at 3 B/s: 1666666.67 us are cut to 1666666, 26041656.25 ticks to 26041656.
  EXPECT_EQ(MakeTokenBucket({.rate = 24, .burst = 40}).buffer, 26'041'656U);
}

TEST(TokenBucket, LongBurstsWrapAsTheReferencesDo) {
  // containerd's 2^32-1 bits at 10 Mbit/s: 429496728 us (of 536870911 bytes), 6710886375 ticks.
  const netlink::TokenBucket bucket = MakeTokenBucket({.rate = 10'000'000, .burst = UINT32_MAX});
  EXPECT_EQ(bucket.buffer, static_cast<uint32_t>(uint64_t{6'710'886'375}));
  EXPECT_EQ(bucket.limit, 536'870'911U + 31'250U);
}

TEST(TokenBucket, AWrappedBucketStillHoldsAPacket) {
  const netlink::TokenBucket bucket = MakeTokenBucket({.rate = 8'000, .burst = 2'199'824});
  EXPECT_EQ(bucket.buffer, UINT32_MAX);
  EXPECT_EQ(MakeTokenBucket({.rate = 8'000, .burst = 34'359'738'351}).limit, UINT32_MAX);
}

TEST(TokenBucket, LessThanAByteASecondIsNone) {
  EXPECT_EQ(MakeTokenBucket({.rate = 7, .burst = 8}).rate, 0U);
}

}  // namespace
}  // namespace cnm::bandwidth
