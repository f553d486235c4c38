// flight_recorder.cc: one line about each thing that was asked of any door.
#include "cnm/flight_recorder.h"

#include <sys/stat.h>
#include <unistd.h>

#include <chrono>

#include <fmt/format.h>

#include "common/base/log.h"
#include "common/json/writer.h"

namespace cnm {
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
std::string Head(const CallRecord& record, size_t share) {
  const auto cut = [share](std::string_view text, size_t bytes) {
    return text.substr(0, bytes / share);
  };
  json::Writer writer;
  writer.BeginObject().Member("time", Now()).Member("pid", ::getpid());
  writer.Member("verb", cut(record.verb, kNameBytes)).Member("plugin", record.plugin);
  writer.Member("network", cut(record.network, kNameBytes));
  writer.Member("container", cut(record.container, kNameBytes));
  writer.Member("ifname", cut(record.ifname, kNameBytes));
  writer.MemberUnlessEmpty("endpoint", cut(record.endpoint, kNameBytes));
  writer.Member("runtime", cut(record.runtime, kPathBytes)).Member("code", record.code);
  writer.MemberUnlessEmpty("msg", cut(record.message, kMessageBytes));
  writer.EndObject();
  return writer.Take();
}

}  // namespace

std::string LogLine(const CallRecord& record, const StepTimes& times) {
  constexpr size_t kLongestEscape = 6;  // \u003c for one byte
  std::string line = Head(record, 1);
  if (line.size() > kRoom) line = Head(record, 2 * kLongestEscape);
  if (line.size() + kStepBytes > kRoom) return line;
  const std::string steps = StepsOf(times, kRoom - line.size() - kStepBytes);
  line.pop_back();  // the closing brace
  return fmt::format("{},\"steps\":{}}}", line, steps);
}

void AppendToLog(const std::string& directory, std::string_view line) {
  RingLog log(directory + "/log");
  if (log.Append(line)) return;
  if (::mkdir(directory.c_str(), 0700) == 0) log.Append(line);
}

}  // namespace cnm
