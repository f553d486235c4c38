// announce.h: telling the neighbours where an address lives now (gratuitous ARP, unsolicited neighbour advertisement).
#pragma once

#include "common/net/address.h"
#include "common/net/mac.h"

namespace cnm::netlink {

/// Sends one gratuitous ARP request (RFC 5227 announcement, IPv4) or one unsolicited neighbour advertisement with the override flag to ff02::1
/// (RFC 4861 §7.2.6, IPv6) out of the link, which must be up, in the current netns.
/// @throws Error kKernel "announce 192.0.2.1: reason"
void Announce(int ifindex, const net::Mac& mac, const net::Address& address);

}  // namespace cnm::netlink
