// plan.h: what a limited endpoint needs of the kernel's traffic control: pure values.
//
//   to the container                              from the container
//
//   host --> [ tbf ]--> veth --> eth0             eth0 --> veth --> (filter) --> ifb --> [ tbf ]-->
//   host
//
// With subnets, what is not shaped to the container bypasses the bucket's queue within an htb,
// which takes the tbf's place; what is not shaped from it is not sent to the ifb.
#pragma once

#include <optional>
#include <vector>

#include "common/netlink/filter.h"
#include "common/netlink/qdisc.h"
#include "plugins/meta/bandwidth/config.h"
#include "plugins/meta/bandwidth/site.h"

namespace cnm::bandwidth {

/// One direction, in the order of making.
struct Plan {
  netlink::Qdisc root;                                     ///< the token bucket, or what holds it
  std::optional<netlink::TrafficClass> shaped_class = {};  ///< of an htb: the token bucket
  std::optional<netlink::Qdisc> leaf = {};                 ///< of that class: where packets wait
  std::optional<netlink::Qdisc> ingress = {};  ///< where the filters hang, if we make it
  std::vector<netlink::Filter> filters = {};   ///< `handle` is the kernel's to choose
};

/// For traffic to the container, whose ingress limit is set.
Plan PlanToContainer(const Config& config, const Site& site);

/// For traffic from the container, whose egress limit is set; `ifb` is an ifindex, 0 = of one that
/// is gone.
Plan PlanFromContainer(const Config& config, const Site& site, int ifb);

}  // namespace cnm::bandwidth
