// token_bucket.cc: a limit in the kernel's numbers.
#include "plugins/meta/bandwidth/token_bucket.h"

namespace cnm::bandwidth {
namespace {

/// What /proc/net/psched says on every kernel since 2.6.31: 1000 ns to a us, 64 ns to a tick.
constexpr double kTicksPerMicrosecond = 1000.0 / 64.0;
constexpr double kMicrosecondsPerSecond = 1e6;
constexpr double kLatency = 25000.0;  // microseconds
constexpr uint32_t kSmallest = 1514;  // a full Ethernet packet

uint32_t LowBits(double value) {
  return static_cast<uint32_t>(static_cast<uint64_t>(value));
}

uint64_t BytesOf(uint32_t ticks, uint64_t rate) {
  return static_cast<uint64_t>(static_cast<double>(ticks) / kTicksPerMicrosecond *
                               static_cast<double>(rate) / kMicrosecondsPerSecond);
}

}  // namespace

netlink::TokenBucket MakeTokenBucket(const Limit& limit) {
  netlink::TokenBucket bucket;
  bucket.rate = limit.rate / 8;
  if (bucket.rate == 0) return bucket;
  const auto rate = static_cast<double>(bucket.rate);
  const auto burst = static_cast<uint32_t>(limit.burst / 8);
  const double microseconds = static_cast<double>(burst) * kMicrosecondsPerSecond / rate;
  const double ticks = LowBits(microseconds) * kTicksPerMicrosecond;
  bucket.buffer = LowBits(ticks);
  const bool wrapped = microseconds * kTicksPerMicrosecond > static_cast<double>(UINT32_MAX);
  const bool too_small = BytesOf(bucket.buffer, bucket.rate) < kSmallest;
  if (wrapped && too_small && BytesOf(UINT32_MAX, bucket.rate) >= kSmallest) {
    bucket.buffer = UINT32_MAX;
  }
  const double queue = rate * kLatency / kMicrosecondsPerSecond;
  bucket.limit = LowBits(queue) + burst;
  if (bucket.limit < burst && bucket.limit < kSmallest) bucket.limit = UINT32_MAX;
  return bucket;
}

uint64_t BytesIn(const netlink::TokenBucket& bucket) {
  return BytesOf(bucket.buffer, bucket.rate);
}

}  // namespace cnm::bandwidth
