// call_log.cc: one line about each call in the flight recorder.
#include "plugins/cni/call_log.h"

#include <sys/stat.h>
#include <unistd.h>

#include <chrono>

#include <fmt/format.h>

#include "common/base/log.h"
#include "common/json/writer.h"

namespace cnm::cni {
namespace {

// A ring slot's bytes shared out among the values. The steps come last and are written while there
// is room.
constexpr size_t kNameBytes = 80;
constexpr size_t kPathBytes = 120;
constexpr size_t kMessageBytes = 240;
constexpr size_t kStepBytes = 40;
constexpr size_t kRoom = RingLog::kSlotBytes - 1;

/// RFC 3339, UTC, milliseconds. The calendar of <chrono> needs no time zone file, unlike gmtime_r.
std::string Now() {
  using std::chrono::floor;
  const auto now = std::chrono::system_clock::now();
  const auto day = floor<std::chrono::days>(now);
  const std::chrono::year_month_day date(day);
  const auto ms = floor<std::chrono::milliseconds>(now - day).count();
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:03}Z", static_cast<int>(date.year()),
                     static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
                     ms / 3'600'000, ms / 60'000 % 60, ms / 1000 % 60, ms % 1000);
}

std::string StepsOf(const StepTimes& times, size_t room) {
  json::Writer writer;
  writer.BeginObject();
  size_t used = 0;
  for (const StepTimes::Step& step : times.steps()) {
    used += step.name.size() + kStepBytes;
    if (used > room) break;
    writer.Member(step.name, step.microseconds);
  }
  writer.EndObject();
  return writer.Take();
}

/// The line without steps. `share` divides the bytes that each value may take.
std::string Head(const Call& call, std::string_view plugin, const Ending& ending, size_t share) {
  const auto cut = [share](std::string_view text, size_t bytes) {
    return text.substr(0, bytes / share);
  };
  json::Writer writer;
  writer.BeginObject().Member("time", Now()).Member("pid", ::getpid());
  writer.Member("verb", cut(ending.verb, kNameBytes)).Member("plugin", plugin);
  writer.Member("network", cut(call.network, kNameBytes));
  writer.Member("container", cut(call.container_id, kNameBytes));
  writer.Member("ifname", cut(call.ifname, kNameBytes));
  writer.Member("runtime", cut(call.runtime, kPathBytes)).Member("code", ending.number);
  writer.MemberUnlessEmpty("msg", cut(ending.message, kMessageBytes));
  writer.EndObject();
  return writer.Take();
}

}  // namespace

std::string LogLine(const Call& call, std::string_view plugin, const Ending& ending) {
  constexpr size_t kLongestEscape = 6;  // \u003c for one byte
  std::string line = Head(call, plugin, ending, 1);
  if (line.size() > kRoom) line = Head(call, plugin, ending, 2 * kLongestEscape);
  if (line.size() + kStepBytes > kRoom) return line;
  const std::string steps = StepsOf(call.steps, kRoom - line.size() - kStepBytes);
  line.pop_back();  // the closing brace
  return fmt::format("{},\"steps\":{}}}", line, steps);
}

void AppendToLog(const std::string& directory, std::string_view line) {
  RingLog log(directory + "/log");
  if (log.Append(line)) return;
  if (::mkdir(directory.c_str(), 0700) == 0) log.Append(line);
}

}  // namespace cnm::cni
