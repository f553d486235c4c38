// verify.h: comparing the plan with the kernel.
#pragma once

#include "common/netlink/socket.h"
#include "plugins/meta/bandwidth/site.h"

namespace cnm::bandwidth {

/// @throws Error kKernel naming the first difference, in the reference's words where it has any
/// (BW-6): "Failed to find qdisc", "Rate doesn't match", "Limit doesn't match", "Buffer doesn't
/// match", "get ifb device: ..."
void Verify(const Shaping& shaping, netlink::Socket& host);

}  // namespace cnm::bandwidth
