// shape.h: making what the plan says, and taking it away.
#pragma once

#include <string_view>

#include "common/base/rollback.h"
#include "common/netlink/socket.h"
#include "plugins/meta/bandwidth/site.h"

namespace cnm::bandwidth {

/// Makes what is missing; each step leaves its undo step, also for what a former call has made.
/// @throws Error kExists "create qdisc: file exists" when somebody else's qdisc is in the way,
/// "adding link: ..." for the ifb; kKernel
void Apply(const Shaping& shaping, std::string_view owner, netlink::Socket& host, Rollback& undo);

/// Removes filters and qdiscs from the host link, if that still exists: only ours. The ifb is the
/// core's to remove, after this.
void Remove(const Shaping& shaping, netlink::Socket& host);

/// The ifbs that carry this endpoint's owner, or that the reference made for it.
void RemoveUnrecordedIfbs(const EndpointKey& key, netlink::Socket& host);

}  // namespace cnm::bandwidth
