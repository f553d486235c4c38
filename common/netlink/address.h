// address.h: addresses on links as values, and the requests that change them.
#pragma once

#include <cstdint>

#include "common/net/prefix.h"
#include "common/netlink/request.h"

namespace cnm::netlink {

/// An address on a link as RTM_GETADDR reports it.
struct LinkAddress {
  int ifindex = 0;
  net::Prefix prefix = {};  ///< the local address with its length
  uint8_t scope = 0;        ///< RT_SCOPE_*
  uint32_t flags = 0;       ///< IFA_F_*
  bool operator==(const LinkAddress&) const = default;
};

/// Adds it (CREATE|EXCL): EEXIST when it is there. The IPv4 broadcast address is computed for
/// prefixes shorter than 31. `skip_dad` sets IFA_F_NODAD (IPv6 only): for addresses that an IPAM
/// vouches for.
Request AddAddress(int ifindex, const net::Prefix& prefix, bool skip_dad);
/// EADDRNOTAVAIL is tolerated.
Request RemoveAddress(int ifindex, const net::Prefix& prefix);

}  // namespace cnm::netlink
