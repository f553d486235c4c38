// ifb.h: intermediate functional blocks: links through which redirected packets are queued.
#pragma once

#include <cstdint>
#include <string>

#include "common/net/mac.h"
#include "common/netlink/request.h"

namespace cnm::netlink {

struct IfbSpec {
  std::string name = {};  ///< ≤ 15 bytes
  net::Mac mac = {};
  uint32_t mtu = 0;
};

/// Created up, with txqueuelen 0: only what is queued on it by hand holds packets. Fails with
/// EEXIST when the name is taken, with EOPNOTSUPP when the kernel has no ifb.
Request CreateIfb(const IfbSpec& spec);

}  // namespace cnm::netlink
