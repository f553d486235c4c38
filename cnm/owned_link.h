// owned_link.h: which links on the host are an endpoint's.
#pragma once

#include <string_view>

#include "common/net/mac.h"
#include "common/netlink/link.h"

namespace cnm {

/// The MAC addresses to create an owner's links with: one tells whose a link is until its alias
/// does, which can only be set a request later. Of the link that carries the endpoint, and of those
/// that attachments add.
net::Mac HostLinkMac(std::string_view owner);
net::Mac AttachedLinkMac(std::string_view owner);

/// Whether the link carries the owner as its alias, or has no alias yet and this MAC address.
bool IsOwnedLink(const netlink::Link& link, std::string_view owner, const net::Mac& born_with);

}  // namespace cnm
