// open_controller.h: the core as the CNI door opens it.
#pragma once

#include <vector>

#include "cnm/controller.h"
#include "cnm/teardown.h"
#include "plugins/cni/call.h"
#include "plugins/cni/result.h"

namespace cnm::cni {

/// The core for this call: its runtime, its lock hint, IPAM plugins as address sources. `drivers`
/// must outlive it.
Controller OpenController(const Call& call, std::vector<const Driver*> drivers);

/// The endpoint this call is about.
EndpointKey KeyOf(const Call& call);

/// The endpoints a DEL is about: this call's, or, when the body names no network, every one of the
/// container and interface name.
std::vector<EndpointKey> KeysOf(const Call& call, Controller& controller);

/// What a GC asks of the core: this network, and the attachments the runtime lists as valid.
GarbageRequest ToGarbageRequest(const Call& call);

/// Names on stderr the endpoints of other runtimes that were kept, and hands on the errors.
void Report(const GarbageReport& report, const Call& call, Teardown& teardown);

/// What ADD prints: the links, with CNI_NETNS as given for those in the sandbox, and the addressing
/// on the sandbox link.
Result ToResult(const Attached& attached, const Call& call);

/// The inverse, for CHECK: what the prevResult says of this call's interface.
/// @throws Error kConfig "Required prevResult missing", "Sandbox in prevResult x doesn't match
/// configured netns: y"
Attached FromPrevResult(const Call& call);

/// The whole DEL of an interface plugin whose links `driver` makes: by record, by name, and for a
/// body that names no network by container and ifname.
void Detach(const Call& call, const Driver& driver);

/// The whole GC of an interface plugin: endpoints, then the IPAM plugin's. Containers of other
/// runtimes that are kept are named on stderr.
void CollectGarbage(const Call& call, const Driver& driver);

/// `ipam.type` of the configuration; "" when there is none: layer 2.
std::string IpamType(const json::Object& conf);

}  // namespace cnm::cni
