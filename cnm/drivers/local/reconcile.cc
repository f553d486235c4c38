// reconcile.cc: putting right what ended without a call.
#include <vector>

#include "cnm/drivers/local/endpoint_details.h"
#include "cnm/drivers/local/local_driver.h"
#include "common/base/clock.h"

namespace cnm::local {
namespace {

/// Docker joins and moves the link right after it created the endpoint, but it repeats a call that
/// found no daemon for 15 s.
constexpr unsigned kMovedAfter = 30;

}  // namespace

size_t LocalDriver::Reconcile(unsigned forgotten_after,
                              const std::function<bool(const std::string& endpoint_id)>& known) {
  const int64_t now = NowSeconds();
  const bool docker = options_.door == "docker";
  const auto older_than = [now](const Endpoint& endpoint, unsigned seconds) {
    return DetailsOf(endpoint).created + seconds <= now;
  };
  Controller controller = OpenController("reconcile", true);
  std::vector<Endpoint> ended;
  const size_t count = controller.Reconcile(
      {.door = options_.door,
       .keep_dead = !docker,
       .forgotten =
           [&](const Endpoint& endpoint) {
             return docker ? older_than(endpoint, forgotten_after)
                           : known && !known(endpoint.key.container_id);
           },
       // The engine moves it in the very call that joins, and puts right itself what was killed.
       .moved =
           [&](const Endpoint& endpoint) { return docker && older_than(endpoint, kMovedAfter); },
       .after =
           [&](const Endpoint& endpoint) {
             ForgetPorts(endpoint);
             ended.push_back(endpoint);
           }});
  for (const Endpoint& endpoint : ended) {
    // Where it only left its sandbox, its address stays its own.
    controller.FindEndpoint(endpoint.key) ? RestoreKin(endpoint, controller)
                                          : RemoveKin(endpoint.key, controller);
  }
  EndOrphanedKin(controller);
  return count;
}

}  // namespace cnm::local
