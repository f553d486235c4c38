// call_log.h: one line about each call in the flight recorder.
#pragma once

#include <string>
#include <string_view>

#include "plugins/cni/call.h"

namespace cnm::cni {

/// How a call ended.
struct Ending {
  std::string_view verb;  ///< CNI_COMMAND as given, known or not
  int number = 0;         ///< of its error; 0 if it succeeded
  std::string message;    ///< of its error
};

/// {"time","pid","verb","plugin","network","container","ifname","runtime","code","msg","steps":{name:
/// µs}} in at most a slot of the ring: long values are cut, steps that do not fit are left out.
std::string LogLine(const Call& call, std::string_view plugin, const Ending& ending);

/// Appends the line to DIRECTORY/log, creating the directory (0700). A log that cannot be written
/// is no error.
void AppendToLog(const std::string& directory, std::string_view line);

}  // namespace cnm::cni
