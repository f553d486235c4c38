// call_log.cc: what the flight recorder gets of a plugin's call.
#include "plugins/cni/call_log.h"

namespace cnm::cni {

std::string LogLine(const Call& call, std::string_view plugin, const Ending& ending) {
  return LogLine({.verb = ending.verb,
                  .plugin = plugin,
                  .network = call.network,
                  .container = call.container_id,
                  .ifname = call.ifname,
                  .runtime = call.runtime,
                  .code = ending.number,
                  .message = ending.message},
                 call.steps);
}

}  // namespace cnm::cni
