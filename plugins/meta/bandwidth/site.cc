// site.cc: where an endpoint's traffic is shaped.
#include "plugins/meta/bandwidth/site.h"

#include <algorithm>
#include <optional>
#include <vector>

#include <fmt/format.h>

#include "cnm/id.h"
#include "cnm/owned_link.h"
#include "common/base/digest.h"
#include "common/base/error.h"
#include "common/netlink/filter.h"
#include "common/netlink/qdisc.h"

namespace cnm::bandwidth {
namespace {

constexpr size_t kNameDigits = 12;              // "bwp" and these are 15 bytes, IFNAMSIZ - 1
constexpr uint16_t kLastPriority = 0xFFFF - 2;  // ours are up to three in a row

/// Behind the last filter there is. An earlier one of ours would send packets past theirs: what
/// comes back from an ifb is not filtered again.
uint16_t ChoosePriority(const netlink::Link& link, netlink::Socket& host) {
  uint16_t last = 0;
  for (const netlink::Filter& filter :
       netlink::Filters(host, link.ifindex, netlink::kIngressFilters)) {
    last = std::max(last, filter.priority);
  }
  if (last < kLastPriority) return static_cast<uint16_t>(last + 1);
  throw Error(Code::kInUse,
              fmt::format("add filter: link {}: a filter has priority {}", link.name, last),
              "ours come behind all others: give that one a lower number");
}

}  // namespace

std::string Encode(const Shaping& shaping) {
  json::Writer w;
  w.BeginObject();
  w.Member("link", shaping.site.link).Member("ifindex", shaping.site.ifindex);
  w.Member("ifb", shaping.site.ifb).Member("ingressQdisc", shaping.site.makes_ingress_qdisc);
  w.Member("priority", uint32_t{shaping.site.priority});
  w.Member("txQueueLength", shaping.site.tx_queue_length);
  Encode(shaping.config, w);
  return w.EndObject().Take();
}

Shaping DecodeShaping(const std::string& state) {
  const json::Object o = json::Parse(state, "bandwidth state");
  Shaping shaping;
  Site& site = shaping.site;
  o.Required("link", site.link);
  o.Required("ifb", site.ifb);
  int64_t ifindex = 0;
  uint32_t priority = 1;
  o.Optional("ifindex", ifindex, {1, INT32_MAX});
  o.Optional("ingressQdisc", site.makes_ingress_qdisc);
  o.Optional("priority", priority, {1, UINT16_MAX});
  o.Optional("txQueueLength", site.tx_queue_length);
  site.ifindex = static_cast<int>(ifindex);
  site.priority = static_cast<uint16_t>(priority);
  shaping.config = DecodeConfig(o);
  return shaping;
}

std::string ReferenceIfbName(const EndpointKey& key) {
  return "bwp" + Sha512Hex(key.network + key.container_id, kNameDigits);
}

std::string OwnIfbName(std::string_view owner) {
  return fmt::format("bwp{}", owner.substr(0, kNameDigits));
}

Site SurveySite(const netlink::Link& host_link, const EndpointKey& key, netlink::Socket& host) {
  Site site{.link = host_link.name,
            .ifindex = host_link.ifindex,
            .mtu = host_link.mtu,
            .tx_queue_length = host_link.tx_queue_length};
  const std::string owner = OwnerOf(key.network, key.container_id, key.ifname);
  site.ifb = ReferenceIfbName(key);
  const std::optional<netlink::Link> taken = host.FindLink(site.ifb);
  if (taken && !IsOwnedLink(*taken, owner, AttachedLinkMac(owner))) site.ifb = OwnIfbName(owner);
  if (netlink::FindQdisc(host, host_link.ifindex, netlink::kIngressParent)) {
    site.makes_ingress_qdisc = false;
    site.priority = ChoosePriority(host_link, host);
  }
  return site;
}

}  // namespace cnm::bandwidth
