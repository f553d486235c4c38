// garbage.cc: which endpoints nobody needs any more, and their removal.
#include <algorithm>

#include <fmt/format.h>

#include "cnm/controller.h"
#include "cnm/id.h"
#include "common/base/error.h"
#include "common/base/log.h"

namespace cnm {
bool Controller::MayCollect(const Endpoint& endpoint, const GarbageRequest& request,
                            std::string& why) {
  const bool listed = request.valid && std::find(request.valid->begin(), request.valid->end(),
                                                 endpoint.key) != request.valid->end();
  if (listed) {
    why = "listed";
    return false;
  }
  if (IsElsewhere(endpoint)) {
    why = "of another host network namespace";
    return false;
  }
  if (locks_.IsHeld(LockKey(endpoint.owner))) {
    why = "busy";
    return false;
  }
  const bool created = endpoint.state == EndpointState::kCreated;
  if (endpoint.state != EndpointState::kReady && !created) {
    why = "abandoned";
    return true;
  }
  // An endpoint whose runtime could not be told belongs to whoever collects: nobody else ever will.
  const bool same_runtime = endpoint.runtime == options_.runtime || endpoint.runtime.empty();
  if (!created && request.valid && endpoint.door == options_.door && same_runtime) {
    why = "not listed";
    return true;
  }
  if (LivenessOf(endpoint) == Liveness::kDead) {
    why = "dead";
    return true;
  }
  if (created) {
    why = "created, in no sandbox";
    return false;
  }
  why = same_runtime ? "alive" : fmt::format("alive, of another runtime: {}", endpoint.runtime);
  return false;
}

GarbageReport Controller::CollectGarbage(const GarbageRequest& request) {
  GarbageReport report;
  std::vector<Endpoint> candidates = journal_.Endpoints();
  std::erase_if(candidates, [&](const Endpoint& e) {
    return e.key.network != request.network || !HasAttachmentOf(e, request.plugin);
  });
  for (const Endpoint& candidate : candidates) {
    if (!candidate.host_link) missing_.Look(candidate.sandbox);
  }
  for (Endpoint& candidate : candidates) {
    std::string why;
    if (!MayCollect(candidate, request, why)) {
      report.kept.push_back({std::move(candidate), std::move(why)});
      continue;
    }
    if (!request.dry_run) {
      try {
        const auto lock = LockForRemoval(candidate.key, candidate.owner);
        std::optional<Endpoint> endpoint = journal_.FindEndpoint(candidate.owner);
        if (!endpoint) continue;               // removed meanwhile
        if (*endpoint != candidate) continue;  // made anew meanwhile: the next run judges it
        if (request.plugin.empty()) {
          Remove(*std::move(endpoint), Removal::kGarbage, {});
        } else {
          RemovePlugin(
              *std::move(endpoint),
              {.key = candidate.key, .plugin = request.plugin, .restore = request.restore});
        }
      } catch (const Error& e) {
        report.errors.push_back(e);
        continue;
      }
    }
    report.removed.push_back({std::move(candidate), std::move(why)});
  }
  return report;
}

}  // namespace cnm
