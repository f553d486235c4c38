// rate_limit.h: how often something may happen.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <optional>
#include <utility>

namespace cnm {

/// A token bucket. For one thread.
class RateLimit {
 public:
  using Clock = std::chrono::steady_clock;

  /// `burst` at once, at least one; then one in each `interval`.
  RateLimit(unsigned burst, Clock::duration interval)
      : interval_(interval), ahead_(interval * (burst - 1)) {}

  /// @returns how many were refused since the last one that was not; nullopt when this one is.
  /// `now` never goes back.
  std::optional<uint64_t> Take(Clock::time_point now = Clock::now()) {
    full_ = std::max(full_, now);
    if (full_ > now + ahead_) {
      ++refused_;
      return std::nullopt;
    }
    full_ += interval_;
    return std::exchange(refused_, 0);
  }

 private:
  const Clock::duration interval_;
  const Clock::duration ahead_;
  Clock::time_point full_ = Clock::time_point::min();  // when the bucket is full again
  uint64_t refused_ = 0;
};

}  // namespace cnm
