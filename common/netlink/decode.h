// decode.h: rtnetlink messages as values. Internal to this folder.
#pragma once

#include <vector>

#include "common/netlink/address.h"
#include "common/netlink/link.h"
#include "common/netlink/route.h"

struct nlmsghdr;

namespace cnm::netlink {

/// Of an RTM_NEWLINK message.
Link DecodeLink(const nlmsghdr& message);

/// Appends the address of an RTM_NEWADDR message, if it is an IPv4 or IPv6 one.
void DecodeAddress(const nlmsghdr& message, std::vector<LinkAddress>& addresses);

/// Appends the route of an RTM_NEWROUTE message, if it is a unicast one: one for each of its
/// nexthops.
void DecodeRoute(const nlmsghdr& message, std::vector<Route>& routes);

/// Appends the VLAN ids of an RTM_NEWVLAN message, ranges expanded.
void DecodeBridgeVlans(const nlmsghdr& message, std::vector<BridgeVlan>& vlans);

}  // namespace cnm::netlink
