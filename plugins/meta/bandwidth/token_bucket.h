// token_bucket.h: a limit in the kernel's numbers.
//
// Theory of operation: a token bucket fills with `rate` and holds `burst`; a packet leaves when the
// bucket holds its length. The kernel wants the bucket's size as the time that it takes to fill, in
// ticks of 64 ns in a 32-bit number: 274.9 s at most. What waits is limited to the burst and what
// the rate carries in 25 ms. The arithmetic is the reference's (BW-4), rounding by rounding, so
// that either implementation's CHECK accepts what the other has made.
#pragma once

#include <cstdint>

#include "common/netlink/qdisc.h"
#include "plugins/meta/bandwidth/config.h"

namespace cnm::bandwidth {

/// The limit, which must be set, as a token bucket. A burst longer than 274.9 s wraps round as in
/// the reference: containerd's 512 MiB at 10 Mbit/s become 193 MB. What has wrapped to less
/// than a packet of 1514 bytes, so that packets would never pass, is the most there can be instead.
netlink::TokenBucket MakeTokenBucket(const Limit& limit);

/// How many bytes the full bucket holds.
uint64_t BytesIn(const netlink::TokenBucket& bucket);

}  // namespace cnm::bandwidth
