// route.cc: routes as values, and the requests that change them.
#include "common/netlink/route.h"

#include <linux/rtnetlink.h>

#include <cerrno>
#include <string_view>

#include <fmt/format.h>
#include <netlink/msg.h>

#include "common/netlink/attributes.h"
#include "common/netlink/decode.h"

namespace cnm::netlink {
namespace {

uint8_t ScopeOf(const Route& route) {
  if (route.scope) return *route.scope;
  const bool direct = !route.gateway && route.destination.address.is_v4();
  return direct ? RT_SCOPE_LINK : RT_SCOPE_UNIVERSE;
}

std::string Describe(std::string_view verb, const Route& route) {
  std::string text = fmt::format("{} route {}", verb, route.destination.ToString());
  if (route.gateway) text += fmt::format(" via {}", route.gateway->ToString());
  if (route.table != RT_TABLE_MAIN) text += fmt::format(" table {}", route.table);
  return text;
}

void PutMetrics(const Request& request, const Route& route) {
  if (route.mtu == 0 && route.advmss == 0) return;
  const Nest metrics(request, RTA_METRICS);
  if (route.mtu != 0) PutNumber(request, RTAX_MTU, route.mtu);
  if (route.advmss != 0) PutNumber(request, RTAX_ADVMSS, route.advmss);
}

Request MakeRouteRequest(std::string_view verb, uint16_t type, const Route& route) {
  const bool adds = type == RTM_NEWROUTE;
  Request request(Describe(verb, route), type, adds ? NLM_F_CREATE : 0);
  rtmsg header{};
  header.rtm_family = static_cast<uint8_t>(route.destination.address.family());
  header.rtm_dst_len = route.destination.length;
  header.rtm_table =
      route.table < 256 ? static_cast<uint8_t>(route.table) : uint8_t{RT_TABLE_UNSPEC};
  // What removes a route names only what it is sure of: "nowhere" matches every scope.
  header.rtm_scope = adds || route.scope ? ScopeOf(route) : uint8_t{RT_SCOPE_NOWHERE};
  header.rtm_protocol = adds ? RTPROT_BOOT : RTPROT_UNSPEC;
  header.rtm_type = adds ? RTN_UNICAST : RTN_UNSPEC;
  AppendHeader(request, header);
  if (route.destination.length > 0)
    Put(request, RTA_DST, route.destination.Subnet().address.bytes());
  if (route.gateway) Put(request, RTA_GATEWAY, route.gateway->bytes());
  if (route.ifindex != 0) PutNumber(request, RTA_OIF, route.ifindex);
  if (route.table >= 256) PutNumber(request, RTA_TABLE, route.table);
  if (route.priority != 0) PutNumber(request, RTA_PRIORITY, route.priority);
  if (adds) PutMetrics(request, route);
  return request;
}

std::optional<net::Address> AddressOf(const nlattr* attribute) {
  const std::span<const uint8_t> bytes = Bytes(attribute);
  if (bytes.size() != 4 && bytes.size() != 16) return {};
  return net::Address(bytes);
}

net::Address AnyAddress(uint8_t family) {
  static constexpr std::array<uint8_t, 16> kZeros{};
  return net::Address(std::span(kZeros).first(family == AF_INET ? 4 : 16));
}

/// Appends one route for each nexthop of RTA_MULTIPATH.
void DecodeNexthops(const Route& common, const nlattr* multipath, std::vector<Route>& routes) {
  std::span<const uint8_t> left = Bytes(multipath);
  while (left.size() >= sizeof(rtnexthop)) {
    const auto& hop = *reinterpret_cast<const rtnexthop*>(left.data());
    if (hop.rtnh_len < sizeof hop || hop.rtnh_len > left.size()) return;
    const Attributes<RTA_GATEWAY> attributes(&hop + 1, hop.rtnh_len - static_cast<int>(sizeof hop));
    Route route = common;
    route.ifindex = hop.rtnh_ifindex;
    route.gateway = AddressOf(attributes[RTA_GATEWAY]);
    routes.push_back(route);
    left = left.subspan(std::min<size_t>(RTNH_ALIGN(hop.rtnh_len), left.size()));
  }
}

}  // namespace

Request AddRoute(const Route& route) {
  return MakeRouteRequest("add", RTM_NEWROUTE, route);
}

Request RemoveRoute(const Route& route) {
  return MakeRouteRequest("remove", RTM_DELROUTE, route).Tolerate(ESRCH);
}

void DecodeRoute(const nlmsghdr& message, std::vector<Route>& routes) {
  if (message.nlmsg_type != RTM_NEWROUTE || message.nlmsg_len < NLMSG_LENGTH(sizeof(rtmsg))) return;
  const auto& header = *static_cast<const rtmsg*>(NLMSG_DATA(&message));
  const bool known = header.rtm_family == AF_INET || header.rtm_family == AF_INET6;
  if (!known || header.rtm_type != RTN_UNICAST || (header.rtm_flags & RTM_F_CLONED) != 0) return;
  const Attributes<RTA_MAX> attributes(&header + 1,
                                       static_cast<int>(NLMSG_PAYLOAD(&message, sizeof header)));
  const Attributes<RTAX_MAX> metrics(attributes[RTA_METRICS]);
  Route route;
  route.destination = {AddressOf(attributes[RTA_DST]).value_or(AnyAddress(header.rtm_family)),
                       header.rtm_dst_len};
  route.gateway = AddressOf(attributes[RTA_GATEWAY]);
  route.ifindex = NumberOr<int>(attributes[RTA_OIF], 0);
  route.table = NumberOr<uint32_t>(attributes[RTA_TABLE], header.rtm_table);
  route.priority = NumberOr<uint32_t>(attributes[RTA_PRIORITY], 0);
  route.mtu = NumberOr<uint32_t>(metrics[RTAX_MTU], 0);
  route.advmss = NumberOr<uint32_t>(metrics[RTAX_ADVMSS], 0);
  route.scope = header.rtm_scope;
  if (attributes[RTA_MULTIPATH] != nullptr) {
    DecodeNexthops(route, attributes[RTA_MULTIPATH], routes);
  } else {
    routes.push_back(route);
  }
}

}  // namespace cnm::netlink
