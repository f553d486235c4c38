// ifb.cc: intermediate functional blocks.
#include "common/netlink/ifb.h"

#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <net/if.h>

#include <fmt/format.h>

#include "common/netlink/attributes.h"

namespace cnm::netlink {

Request CreateIfb(const IfbSpec& spec) {
  Request request(fmt::format("create ifb {}", spec.name), RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL);
  ifinfomsg header{};
  header.ifi_flags = IFF_UP;
  header.ifi_change = IFF_UP;
  AppendHeader(request, header);
  PutText(request, IFLA_IFNAME, spec.name);
  Put(request, IFLA_ADDRESS, spec.mac.bytes);
  PutNumber(request, IFLA_MTU, spec.mtu);
  PutNumber<uint32_t>(request, IFLA_TXQLEN, 0);
  const Nest info(request, IFLA_LINKINFO);
  PutText(request, IFLA_INFO_KIND, "ifb");
  return request;
}

}  // namespace cnm::netlink
