// configure.h: bringing a link to life inside a sandbox: sysctls, addresses, routes.
#pragma once

#include <string>
#include <vector>

#include "cnm/address_source.h"
#include "common/net/mac.h"
#include "common/netlink/route.h"
#include "common/netlink/socket.h"

namespace cnm {

/// What a link in a sandbox is to become.
struct SandboxLink {
  std::string name;
  int ifindex = 0;
  net::Mac mac;
  bool enable_dad =
      false;  ///< duplicate address detection: off, because the IPAM vouches for its addresses
};

/// The routes as the kernel gets them: a route without gateway takes the first gateway of its
/// family among the addresses, if there is one.
std::vector<netlink::Route> ResolveRoutes(const Addressing& addressing, int ifindex);

/// In the current netns, which is the sandbox's: writes the link's sysctls, then addresses, up and
/// routes in one batch, and waits for DAD if it is enabled.
/// @throws Error kKernel naming the address or route that was refused
void ConfigureLink(const SandboxLink& link, const Addressing& addressing, netlink::Socket& socket);

/// Tells the neighbours about the link's addresses (gratuitous ARP, unsolicited NA); what is in its
/// way must forward already.
void AnnounceAddresses(const SandboxLink& link, netlink::Socket& socket);

}  // namespace cnm
