// flight_recorder.h: one line about each thing that was asked of any door, for cnmctl log.
#pragma once

#include <string>
#include <string_view>

#include "common/base/step_times.h"

namespace cnm {

/// What is recorded of one call. Empty members are written too, but for `endpoint` and `message`.
struct CallRecord {
  std::string_view verb;          ///< CNI_COMMAND, or "join"
  std::string_view plugin;        ///< or the door: "api", "docker"
  std::string_view network = {};  ///< of the core
  std::string_view container = {};
  std::string_view ifname = {};
  std::string_view endpoint = {};  ///< of doors that name them
  std::string_view runtime = {};   ///< the executable that asked
  int code = 0;                    ///< 0 = success; CNI's numbers, or the status of HTTP
  std::string_view message = {};   ///< of the error
};

/// {"time","pid","verb","plugin","network","container","ifname","endpoint","runtime","code","msg",
/// "steps":{name: µs}} in at most a slot of the ring: long values are cut, steps that do not fit
/// are left out.
std::string LogLine(const CallRecord& record, const StepTimes& steps);

/// Appends the line to DIRECTORY/log, creating the directory (0700). A log that cannot be written
/// is no error.
void AppendToLog(const std::string& directory, std::string_view line);

}  // namespace cnm
