// announce.h: telling the neighbours where a link's addresses live now.
#pragma once

#include "common/net/mac.h"
#include "common/netlink/request.h"

namespace cnm::netlink {

/// Makes the kernel announce every address of the link: a gratuitous ARP request for each IPv4 one
/// (RFC 5227), an unsolicited neighbour advertisement with the override flag for each IPv6 one that
/// is not tentative (RFC 4861 §7.2.6). `mac` is the link's own: setting it again is what triggers
/// the announcement. The link must be up, and for IPv4 the sysctl net/ipv4/conf/LINK/arp_notify,
/// for IPv6 net/ipv6/conf/LINK/ndisc_notify, must be 1. Frames get through a bridge only once the
/// link's bridge port is operationally up: Socket::WaitForLink on it first.
///
/// Why not frames of our own: closing a packet socket waits for an RCU grace period, 8 to 20 ms.
Request Announce(int ifindex, const net::Mac& mac);

}  // namespace cnm::netlink
