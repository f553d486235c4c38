// announce.cc: telling the neighbours where a link's addresses live now.
#include "common/netlink/announce.h"

#include <linux/rtnetlink.h>

#include <fmt/format.h>

#include "common/netlink/attributes.h"

namespace cnm::netlink {

Request Announce(int ifindex, const net::Mac& mac) {
  Request request(fmt::format("announce addresses of link {}", ifindex), RTM_NEWLINK, 0);
  ifinfomsg header{};
  header.ifi_index = ifindex;
  AppendHeader(request, header);
  Put(request, IFLA_ADDRESS, mac.bytes);
  return request;
}

}  // namespace cnm::netlink
