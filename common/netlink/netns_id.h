// netns_id.h: other network namespaces' links, asked about from this one. The kernel numbers, in
// each netns, the others it has links to.
#pragma once

#include <optional>
#include <string_view>

#include "common/netlink/link.h"
#include "common/netlink/socket.h"

namespace cnm::netlink {

/// The number, in the socket's netns, of the netns that is open as `netns`; nullopt if it has none,
/// because no link leads there.
std::optional<int> FindNetnsId(Socket& socket, int netns);

/// The number of the netns that holds a link's peer; nullopt if that is the socket's own, or there
/// is no peer. Asking gives a netns its number.
std::optional<int> FindPeerNetnsId(Socket& socket, int ifindex);

/// A link in the netns of this number, its `peer` being an ifindex of the peer's own netns. Needs
/// CAP_NET_ADMIN there. (Linux 4.15)
std::optional<Link> FindLinkIn(Socket& socket, int netns_id, std::string_view name);

}  // namespace cnm::netlink
