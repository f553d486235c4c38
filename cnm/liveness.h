// liveness.h: whether an endpoint's container is provably gone.
#pragma once

#include <chrono>
#include <functional>
#include <map>
#include <string>

#include "cnm/endpoint.h"
#include "cnm/host_kernel.h"

namespace cnm {

/// Dead is proof, never a guess; what cannot be told is alive.
enum class Liveness { kAlive, kDead };

/// Whether the recorded path still names the recorded namespace, seen from pid 1's mount namespace.
/// True when it cannot be told.
bool SandboxExists(const Sandbox& sandbox);

/// The sandboxes that were missing at a first look. A runtime may be re-mounting a path at that
/// very moment, so a second look, a second later, is part of the proof; looking at all candidates
/// first makes that one second for all of them.
class MissingSandboxes {
 public:
  void Look(const Sandbox& sandbox);
  /// Looks twice, a second apart; the first look may have been Look.
  bool IsGone(const Sandbox& sandbox);

 private:
  using Clock = std::chrono::steady_clock;
  std::map<std::string, Clock::time_point, std::less<>> since_;
};

/// Dead is an endpoint of an earlier boot; or one whose host link (name, ifindex, alias) is gone
/// from the host netns it was recorded in; or, without a host link, one whose sandbox path, seen
/// from pid 1's mount namespace, no longer names the recorded netns, twice, a second apart. A
/// record of another host netns is alive, and an endpoint of this boot that was only created.
/// Pending endpoints have no link yet: ask only about ready
/// ones.
Liveness LivenessOf(const Endpoint& endpoint, const HostIdentity& here, HostKernel& host,
                    MissingSandboxes& missing);

}  // namespace cnm
