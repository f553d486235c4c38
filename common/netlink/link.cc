// link.cc: the requests that create, change and remove links.
#include "common/netlink/link.h"

#include <linux/if_bridge.h>
#include <linux/if_link.h>
#include <linux/ip.h>
#include <linux/rtnetlink.h>
#include <linux/veth.h>
#include <net/if.h>

#include <cerrno>

#include <fmt/format.h>
#include <netlink/msg.h>

#include "common/netlink/attributes.h"

namespace cnm::netlink {
namespace {

constexpr uint16_t kCreate = NLM_F_CREATE | NLM_F_EXCL;

ifinfomsg MakeHeader(int ifindex, uint32_t flags = 0, uint32_t changed = 0) {
  ifinfomsg header{};
  header.ifi_index = ifindex;
  header.ifi_flags = flags;
  header.ifi_change = changed;
  return header;
}

/// The flags that are to change, and what to.
ifinfomsg MakeChange(int ifindex, const LinkChange& change) {
  ifinfomsg header = MakeHeader(ifindex);
  const auto put = [&header](uint32_t flag, std::optional<bool> on) {
    if (on) header.ifi_change |= flag;
    if (on.value_or(false)) header.ifi_flags |= flag;
  };
  put(IFF_UP, change.up);
  put(IFF_PROMISC, change.promiscuous);
  put(IFF_ALLMULTI, change.all_multicast);
  return header;
}

/// One end's name, MAC and MTU.
void PutEnd(const Request& request, std::string_view name, const net::Mac& mac, uint32_t mtu) {
  PutText(request, IFLA_IFNAME, name);
  Put(request, IFLA_ADDRESS, mac.bytes);
  if (mtu != 0) PutNumber(request, IFLA_MTU, mtu);
}

/// Bridge port attributes go beside the rest, as "slave data", so that one message changes
/// everything.
void PutPort(const Request& request, const LinkChange& change) {
  if (!change.hairpin && !change.isolated) return;
  const Nest info(request, IFLA_LINKINFO);
  PutText(request, IFLA_INFO_SLAVE_KIND, "bridge");
  const Nest port(request, IFLA_INFO_SLAVE_DATA);
  if (change.hairpin) PutNumber<uint8_t>(request, IFLA_BRPORT_MODE, *change.hairpin ? 1 : 0);
  if (change.isolated) PutNumber<uint8_t>(request, IFLA_BRPORT_ISOLATED, *change.isolated ? 1 : 0);
}

Request MakeVlanRequest(std::string what, uint16_t type, int ifindex) {
  Request request(std::move(what), type, 0);
  ifinfomsg header = MakeHeader(ifindex);
  header.ifi_family = AF_BRIDGE;
  AppendHeader(request, header);
  return request;
}

void PutVlan(const Request& request, const bridge_vlan_info& info, bool on_bridge) {
  const Nest spec(request, IFLA_AF_SPEC);
  const uint16_t target = on_bridge ? BRIDGE_FLAGS_SELF : BRIDGE_FLAGS_MASTER;
  PutNumber(request, IFLA_BRIDGE_FLAGS, target);
  uint8_t bytes[sizeof info];
  std::memcpy(bytes, &info, sizeof info);
  Put(request, IFLA_BRIDGE_VLAN_INFO, bytes);
}

}  // namespace

bool Link::up() const {
  return (flags & IFF_UP) != 0;
}

bool Link::promiscuous() const {
  return (flags & IFF_PROMISC) != 0;
}

bool Link::all_multicast() const {
  return (flags & IFF_ALLMULTI) != 0;
}

Request CreateVeth(const VethSpec& spec) {
  Request request(fmt::format("create veth {}", spec.name), RTM_NEWLINK, kCreate);
  AppendHeader(request, MakeHeader(0, IFF_UP, IFF_UP));
  PutEnd(request, spec.name, spec.mac, spec.mtu);
  PutNumber<uint32_t>(request, IFLA_TXQLEN, 0);
  if (spec.master != 0) PutNumber(request, IFLA_MASTER, spec.master);
  const Nest info(request, IFLA_LINKINFO);
  PutText(request, IFLA_INFO_KIND, "veth");
  const Nest data(request, IFLA_INFO_DATA);
  const Nest peer(request, VETH_INFO_PEER);
  AppendHeader(request, MakeHeader(0));
  PutEnd(request, spec.peer_name, spec.peer_mac, spec.mtu);
  if (spec.peer_netns >= 0) PutNumber(request, IFLA_NET_NS_FD, spec.peer_netns);
  return request;
}

Request CreateBridge(const BridgeSpec& spec) {
  Request request(fmt::format("create bridge {}", spec.name), RTM_NEWLINK, kCreate);
  AppendHeader(request, MakeHeader(0, 0, 0));
  PutEnd(request, spec.name, spec.mac, spec.mtu);
  const Nest info(request, IFLA_LINKINFO);
  PutText(request, IFLA_INFO_KIND, "bridge");
  const Nest data(request, IFLA_INFO_DATA);
  if (spec.vlan_filtering) PutNumber<uint8_t>(request, IFLA_BR_VLAN_FILTERING, 1);
  return request;
}

Request ChangeLink(int ifindex, const LinkChange& change) {
  // RTM_NEWLINK without CREATE: RTM_SETLINK would pass over the bridge port attributes.
  Request request(fmt::format("change link {}", ifindex), RTM_NEWLINK, 0);
  AppendHeader(request, MakeChange(ifindex, change));
  if (change.mtu) PutNumber(request, IFLA_MTU, *change.mtu);
  if (change.tx_queue_length) PutNumber(request, IFLA_TXQLEN, *change.tx_queue_length);
  if (change.master) PutNumber(request, IFLA_MASTER, *change.master);
  if (change.mac) Put(request, IFLA_ADDRESS, change.mac->bytes);
  if (change.alias) PutText(request, IFLA_IFALIAS, *change.alias);
  PutPort(request, change);
  if (change.arp_notify) {
    const Nest families(request, IFLA_AF_SPEC);
    const Nest ipv4(request, AF_INET);
    const Nest settings(request, IFLA_INET_CONF);
    PutNumber<uint32_t>(request, IPV4_DEVCONF_ARP_NOTIFY, *change.arp_notify ? 1 : 0);
  }
  return request;
}

Request MoveLink(int ifindex, int netns, const std::string& name) {
  // The kernel moves first and renames then; where another link has the old name, it moves under
  // the new one.
  Request request(fmt::format("move link {} as {}", ifindex, name), RTM_NEWLINK, 0);
  AppendHeader(request, MakeHeader(ifindex));
  PutNumber(request, IFLA_NET_NS_FD, netns);
  PutText(request, IFLA_IFNAME, name);
  return request;
}

Request RemoveLink(int ifindex) {
  Request request(fmt::format("remove link {}", ifindex), RTM_DELLINK, 0);
  AppendHeader(request, MakeHeader(ifindex));
  return std::move(request).Tolerate(ENODEV);
}

Request AddBridgeVlan(int ifindex, const BridgeVlan& vlan, bool on_bridge) {
  Request request = MakeVlanRequest(fmt::format("add vlan {} to link {}", vlan.vid, ifindex),
                                    RTM_SETLINK, ifindex);
  const int flags =
      (vlan.pvid ? BRIDGE_VLAN_INFO_PVID : 0) | (vlan.untagged ? BRIDGE_VLAN_INFO_UNTAGGED : 0);
  PutVlan(request, {static_cast<uint16_t>(flags), vlan.vid}, on_bridge);
  return request;
}

Request RemoveBridgeVlan(int ifindex, uint16_t vid, bool on_bridge) {
  Request request = MakeVlanRequest(fmt::format("remove vlan {} from link {}", vid, ifindex),
                                    RTM_DELLINK, ifindex);
  PutVlan(request, {0, vid}, on_bridge);
  return std::move(request).Tolerate(ENOENT);
}

}  // namespace cnm::netlink
