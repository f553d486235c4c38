// verify.h: CHECK inside a sandbox: the link, its addresses and its routes as reported.
#pragma once

#include <string_view>

#include "cnm/driver.h"
#include "common/netlink/socket.h"

namespace cnm {

/// The reported link in the sandbox, which must be there, of this kind and with this MAC. @throws
/// Error kConfig with the reference's words
netlink::Link VerifySandboxLink(const Attached& expected, std::string_view kind,
                                netlink::Socket& socket);

/// Every reported address is on the link, and every reported route in its table (any table, unlike
/// the reference).
/// @throws Error kConfig naming the first that is missing
void VerifyAddressing(const Attached& expected, const netlink::Link& link, netlink::Socket& socket);

}  // namespace cnm
