// plan.cc: what a limited endpoint needs of the kernel's traffic control.
#include "plugins/meta/bandwidth/plan.h"

#include <linux/if_ether.h>

#include "plugins/meta/bandwidth/token_bucket.h"

namespace cnm::bandwidth {
namespace {

constexpr uint32_t kRoot = netlink::MakeHandle(1, 0);
constexpr uint32_t kShaped = netlink::MakeHandle(1, 1);
constexpr uint32_t kUnshaped = kRoot;  // an htb's own handle: its queue that does not wait
constexpr uint32_t kLeaf = netlink::MakeHandle(2, 0);

using Match = std::vector<netlink::FilterKey> (*)(const net::Prefix&);

netlink::Qdisc MakeTbf(int ifindex, const Limit& limit) {
  return {.ifindex = ifindex, .kind = "tbf", .handle = kRoot, .bucket = MakeTokenBucket(limit)};
}

/// One for each subnet, from the prototype. A priority has one protocol: IPv4 first, then IPv6.
void AddSubnets(const std::vector<net::Prefix>& subnets, Match match,
                const netlink::Filter& prototype, std::vector<netlink::Filter>& filters) {
  for (const net::Prefix& subnet : subnets) {
    const bool v4 = subnet.address.is_v4();
    netlink::Filter filter = prototype;
    filter.protocol = v4 ? ETH_P_IP : ETH_P_IPV6;
    filter.priority = static_cast<uint16_t>(prototype.priority + (v4 ? 0 : 1));
    filter.keys = match(subnet);
    filters.push_back(std::move(filter));
  }
}

}  // namespace

Plan PlanToContainer(const Config& config, const Site& site) {
  Plan plan;
  plan.root = MakeTbf(site.ifindex, config.ingress);
  if (config.shaped.empty() && config.unshaped.empty()) return plan;

  netlink::TokenBucket bucket = plan.root.bucket;
  plan.leaf = netlink::Qdisc{.ifindex = site.ifindex,
                             .kind = "bfifo",
                             .parent = kShaped,
                             .handle = kLeaf,
                             .limit = bucket.limit};
  bucket.limit = 0;
  plan.shaped_class = netlink::TrafficClass{
      .ifindex = site.ifindex, .parent = kRoot, .handle = kShaped, .bucket = bucket};
  plan.root.kind = "htb";
  plan.root.bucket = {};
  plan.root.default_class = config.shaped.empty() ? kShaped & 0xFFFF : 0;
  netlink::Filter filter{.ifindex = site.ifindex, .parent = kRoot, .priority = 1};
  filter.class_id = kShaped;
  AddSubnets(config.shaped, netlink::MatchSource, filter, plan.filters);
  filter.class_id = kUnshaped;
  AddSubnets(config.unshaped, netlink::MatchSource, filter, plan.filters);
  return plan;
}

Plan PlanFromContainer(const Config& config, const Site& site, int ifb) {
  Plan plan;
  plan.root = MakeTbf(ifb, config.egress);
  if (site.makes_ingress_qdisc) {
    plan.ingress = netlink::Qdisc{.ifindex = site.ifindex,
                                  .kind = "ingress",
                                  .parent = netlink::kIngressParent,
                                  .handle = netlink::kIngressHandle};
  }
  netlink::Filter shaped{.ifindex = site.ifindex, .priority = site.priority, .class_id = kShaped};
  shaped.redirect = ifb;
  // A clsact qdisc wants to know which of its hooks; ours is told apart as the reference's is.
  if (site.makes_ingress_qdisc) shaped.parent = netlink::kIngressHandle;
  netlink::Filter unshaped = shaped;
  unshaped.redirect.reset();
  unshaped.class_id = kUnshaped;
  AddSubnets(config.shaped, netlink::MatchDestination, shaped, plan.filters);
  AddSubnets(config.unshaped, netlink::MatchDestination, unshaped, plan.filters);
  if (!config.shaped.empty()) return plan;
  if (!config.unshaped.empty()) shaped.priority = static_cast<uint16_t>(shaped.priority + 2);
  shaped.protocol = ETH_P_ALL;
  shaped.keys = netlink::MatchAll();
  plan.filters.push_back(std::move(shaped));
  return plan;
}

}  // namespace cnm::bandwidth
