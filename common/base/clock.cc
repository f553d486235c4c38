// clock.cc: the time of day.
#include "common/base/clock.h"

#include <chrono>
#include <ctime>

#include <fmt/format.h>

namespace cnm {
namespace {

constexpr int64_t kSecond = 1'000'000'000;

}  // namespace

int64_t NowNs() {
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  return std::chrono::duration_cast<std::chrono::nanoseconds>(now).count();
}

int64_t NowSeconds() {
  return NowNs() / kSecond;
}

std::string UtcText(int64_t ns) {
  if (ns <= 0) return {};
  const std::time_t seconds = ns / kSecond;
  std::tm utc{};
  ::gmtime_r(&seconds, &utc);
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:09}Z", utc.tm_year + 1900,
                     utc.tm_mon + 1, utc.tm_mday, utc.tm_hour, utc.tm_min, utc.tm_sec,
                     ns % kSecond);
}

}  // namespace cnm
