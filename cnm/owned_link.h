// owned_link.h: which links on the host are an endpoint's, besides the one that carries it.
#pragma once

#include <string_view>

#include "common/net/mac.h"
#include "common/netlink/link.h"

namespace cnm {

/// The MAC address to create such a link with: it tells whose the link is until its alias does,
/// which can only be set a request later.
net::Mac OwnedLinkMac(std::string_view owner);

/// Whether the link carries the owner as its alias, or has no alias yet and this MAC address.
bool IsOwnedLink(const netlink::Link& link, std::string_view owner);

}  // namespace cnm
