// reconcile.cc: endpoints that ended without a call.
#include <fmt/format.h>

#include "cnm/controller.h"
#include "cnm/id.h"
#include "common/base/error.h"
#include "common/base/log.h"

namespace cnm {
namespace {

/// What is to become of an endpoint.
enum class Fate { kStays, kLeaves, kGoes };

/// Whether the link that was to be moved into the sandbox is (again) on the host: whoever moves it
/// puts it back when the sandbox ends.
bool IsLinkAtHome(const Endpoint& endpoint, HostKernel& host) {
  if (!endpoint.host_link || endpoint.host_link->peer.empty()) return false;
  const std::optional<netlink::Link> peer = host.links().FindLink(endpoint.host_link->peer);
  return peer && peer->peer == endpoint.host_link->ifindex;
}

}  // namespace

/// Whether a ready endpoint is in no sandbox any more.
bool Controller::HasEnded(const Endpoint& endpoint, const ReconcileRequest& request) {
  if (LivenessOf(endpoint) == Liveness::kDead) return true;
  return request.moved && request.moved(endpoint) && IsLinkAtHome(endpoint, kernel_);
}

/// Judged and changed under its lock: a call may have come meanwhile.
bool Controller::ReconcileOne(const Endpoint& seen, const ReconcileRequest& request) {
  if (locks_.IsHeld(LockKey(seen.owner))) return false;  // somebody is at work on it
  const LockTable::Held lock = Lock(seen.key, seen.owner);
  std::optional<Endpoint> endpoint = journal_.FindEndpoint(seen.owner);
  if (!endpoint || *endpoint != seen || IsElsewhere(*endpoint)) return false;
  Fate fate = Fate::kGoes;  // of an earlier boot; or abandoned, as nobody holds its lock
  const bool here = endpoint->host == host_;
  if (here && endpoint->state == EndpointState::kCreated) {
    const bool forgotten = request.forgotten && request.forgotten(*endpoint);
    if (!forgotten) fate = HasLinksOrRules(*endpoint) ? Fate::kLeaves : Fate::kStays;
  } else if (here && endpoint->state == EndpointState::kReady) {
    const Fate of_ended = request.keep_dead ? Fate::kLeaves : Fate::kGoes;
    fate = HasEnded(*endpoint, request) ? of_ended : Fate::kStays;
  }
  if (fate == Fate::kStays) return false;
  if (fate == Fate::kLeaves) {
    Unjoin(*endpoint);
  } else {
    Remove(*std::move(endpoint), Removal::kGarbage, {});
  }
  if (request.after) request.after(seen);
  return true;
}

size_t Controller::Reconcile(const ReconcileRequest& request) {
  size_t touched = 0;
  for (const Endpoint& endpoint : journal_.Endpoints()) {
    if (endpoint.door != request.door || endpoint.foreign()) continue;
    try {
      if (ReconcileOne(endpoint, request)) ++touched;
    } catch (const Error& e) {
      Warn(fmt::format("reconcile {}: {}", Describe(endpoint.key), e.message()));
    }
  }
  return touched;
}

}  // namespace cnm
