// call_log.h: what the flight recorder gets of a plugin's call.
#pragma once

#include <string>
#include <string_view>

#include "cnm/flight_recorder.h"
#include "plugins/cni/call.h"

namespace cnm::cni {

/// How a call ended.
struct Ending {
  std::string_view verb;  ///< CNI_COMMAND as given, known or not
  int number = 0;         ///< of its error; 0 if it succeeded
  std::string message;    ///< of its error
};

/// The call as a line for AppendToLog.
std::string LogLine(const Call& call, std::string_view plugin, const Ending& ending);

}  // namespace cnm::cni
