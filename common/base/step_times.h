// step_times.h: how long each step of one operation took.
#pragma once

#include <chrono>
#include <cstdint>
#include <string_view>
#include <vector>

namespace cnm {

/// A stopwatch with laps: each Mark ends the step that it names. Names must be literals.
class StepTimes {
 public:
  using Clock = std::chrono::steady_clock;
  struct Step {
    std::string_view name;
    int64_t microseconds;
  };

  void Mark(std::string_view step) {
    const Clock::time_point now = Clock::now();
    steps_.push_back(
        {step, std::chrono::duration_cast<std::chrono::microseconds>(now - last_).count()});
    last_ = now;
  }
  const std::vector<Step>& steps() const { return steps_; }
  int64_t TotalMicroseconds() const {
    return std::chrono::duration_cast<std::chrono::microseconds>(Clock::now() - start_).count();
  }

 private:
  Clock::time_point start_ = Clock::now();
  Clock::time_point last_ = start_;
  std::vector<Step> steps_;
};

}  // namespace cnm
