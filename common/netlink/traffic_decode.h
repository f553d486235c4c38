// traffic_decode.h: qdiscs, classes and filters as the kernel reports them. Internal to this
// folder.
#pragma once

#include <vector>

#include "common/netlink/filter.h"
#include "common/netlink/qdisc.h"

struct nlmsghdr;

namespace cnm::netlink {

/// Of an RTM_NEWQDISC message.
Qdisc DecodeQdisc(const nlmsghdr& message);

/// Of an RTM_NEWTCLASS message.
TrafficClass DecodeClass(const nlmsghdr& message);

/// Appends the filter of an RTM_NEWTFILTER message; of kinds other than u32 only its place. A u32's
/// hash tables, which are reported as filters, are none.
void DecodeFilter(const nlmsghdr& message, std::vector<Filter>& filters);

}  // namespace cnm::netlink
