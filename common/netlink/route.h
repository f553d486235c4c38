// route.h: routes as values, and the requests that change them.
#pragma once

#include <cstdint>
#include <optional>

#include "common/net/prefix.h"
#include "common/netlink/request.h"

namespace cnm::netlink {

/// A unicast route (linux/rtnetlink.h). Zero or absent members are left to the kernel.
struct Route {
  net::Prefix destination = {};  ///< length 0 = default route of its family
  std::optional<net::Address> gateway = {};
  int ifindex = 0;
  uint32_t table = 254;  ///< RT_TABLE_MAIN
  uint32_t priority = 0;
  uint32_t mtu = 0;
  uint32_t advmss = 0;
  std::optional<uint8_t> scope =
      {};  ///< RT_SCOPE_*; default: link without gateway (IPv4), universe otherwise
  bool operator==(const Route&) const = default;
};

/// NLM_F_CREATE without EXCL for IPv6 (the same destination twice makes nexthops), CREATE|EXCL-free
/// append semantics as the reference (LB-CFG 6).
Request AddRoute(const Route& route);
/// ESRCH is tolerated.
Request RemoveRoute(const Route& route);

}  // namespace cnm::netlink
