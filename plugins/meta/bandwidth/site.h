// site.h: where an endpoint's traffic is shaped: what is there, and what of it is ours.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "cnm/endpoint.h"
#include "common/netlink/link.h"
#include "common/netlink/socket.h"
#include "plugins/meta/bandwidth/config.h"

namespace cnm::bandwidth {

/// Chosen before anything is made, and recorded: removal and CHECK find everything by it.
struct Site {
  std::string link;              ///< the host's end of the container's veth
  int ifindex = 0;               ///< its
  uint32_t mtu = 0;              ///< its; not recorded
  uint32_t tx_queue_length = 0;  ///< its, in packets: the kernel makes 0 a 1000 for a root qdisc
  std::string ifb;               ///< the link on which what the container sends is queued
  bool makes_ingress_qdisc =
      true;               ///< false: somebody's ingress or clsact qdisc is used, and stays
  uint16_t priority = 1;  ///< of our first filter, behind everybody else's
};

/// A limited endpoint as it is recorded (Attachment::state).
struct Shaping {
  Config config;
  Site site;
};
std::string Encode(const Shaping& shaping);
/// @throws Error kDecode, kConfig
Shaping DecodeShaping(const std::string& state);

/// The name of the reference's IFB, which its DEL looks for: "bwp" and 12 hex digits of
/// SHA-512(network, container id). Interfaces of one container on one network share it.
std::string ReferenceIfbName(const EndpointKey& key);
/// A name for this endpoint alone, for when the other is taken: "bwp" and 12 digits of the owner.
std::string OwnIfbName(std::string_view owner);

/// Looks at the host link and chooses. @throws Error kKernel, kInUse
Site SurveySite(const netlink::Link& host_link, const EndpointKey& key, netlink::Socket& host);

}  // namespace cnm::bandwidth
