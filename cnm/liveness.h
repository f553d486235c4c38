// liveness.h: whether an endpoint's container is provably gone.
#pragma once

#include "cnm/endpoint.h"
#include "cnm/host_kernel.h"

namespace cnm {

/// Dead is proof, never a guess; what cannot be told is alive.
enum class Liveness { kAlive, kDead };

/// Dead is an endpoint of an earlier boot; or one whose host link (name, ifindex, alias) is gone
/// from the host netns it was recorded in; or, without a host link, one whose sandbox path, seen
/// from pid 1's mount namespace, no longer names the recorded netns, twice, a second apart. A
/// record of another host netns is alive. Pending endpoints have no link yet: ask only about ready
/// ones.
Liveness LivenessOf(const Endpoint& endpoint, const HostIdentity& here, HostKernel& host);

/// Whether the recorded path still names the recorded namespace, seen from pid 1's mount namespace.
/// True when it cannot be told.
bool SandboxExists(const Sandbox& sandbox);

}  // namespace cnm
