// conntrack.h: forgetting flows that a change of published ports made wrong.
#pragma once

#include <cstddef>
#include <span>

#include "common/firewall/firewall.h"

namespace cnm::firewall {

/// Deletes the UDP flows whose original destination is one of these mappings (host address if
/// given, else any; host port), and no other: without that, a client that keeps sending goes on
/// reaching where it went before. Mappings of other protocols are ignored.
/// @returns how many flows. @throws Error kKernel
size_t FlushFlows(std::span<const PortMapping> mappings);

}  // namespace cnm::firewall
