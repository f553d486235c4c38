// link_decode.cc: links and their VLAN ids as the kernel reports them.
#include <linux/if_bridge.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>

#include <algorithm>

#include <netlink/msg.h>

#include "common/netlink/attributes.h"
#include "common/netlink/decode.h"

namespace cnm::netlink {
namespace {

std::optional<bool> FlagOf(const nlattr* attribute) {
  if (attribute == nullptr) return {};
  return NumberOr<uint8_t>(attribute, 0) != 0;
}

void DecodeKind(const nlattr* nest, Link& link) {
  const Attributes<IFLA_INFO_MAX> info(nest);
  link.kind = Text(info[IFLA_INFO_KIND]);
  if (link.kind == "bridge") {
    const Attributes<IFLA_BR_MAX> bridge(info[IFLA_INFO_DATA]);
    link.vlan_filtering = FlagOf(bridge[IFLA_BR_VLAN_FILTERING]);
  }
  if (Text(info[IFLA_INFO_SLAVE_KIND]) == "bridge") {
    const Attributes<IFLA_BRPORT_MAX> port(info[IFLA_INFO_SLAVE_DATA]);
    link.hairpin = FlagOf(port[IFLA_BRPORT_MODE]);
    link.isolated = FlagOf(port[IFLA_BRPORT_ISOLATED]);
  }
}

BridgeVlan MakeVlan(uint32_t vid, uint16_t flags) {
  return {.vid = static_cast<uint16_t>(vid),
          .pvid = (flags & BRIDGE_VLAN_INFO_PVID) != 0,
          .untagged = (flags & BRIDGE_VLAN_INFO_UNTAGGED) != 0};
}

}  // namespace

Link DecodeLink(const nlmsghdr& message) {
  Link link;
  if (message.nlmsg_type != RTM_NEWLINK || message.nlmsg_len < NLMSG_LENGTH(sizeof(ifinfomsg))) {
    return link;
  }
  const auto& header = *static_cast<const ifinfomsg*>(NLMSG_DATA(&message));
  const Attributes<IFLA_MAX> attributes(&header + 1,
                                        static_cast<int>(NLMSG_PAYLOAD(&message, sizeof header)));
  link.ifindex = header.ifi_index;
  link.flags = header.ifi_flags;
  link.name = Text(attributes[IFLA_IFNAME]);
  link.alias = Text(attributes[IFLA_IFALIAS]);
  const std::span<const uint8_t> mac = Bytes(attributes[IFLA_ADDRESS]);
  if (mac.size() == 6) std::copy(mac.begin(), mac.end(), link.mac.emplace().bytes.begin());
  link.mtu = NumberOr<uint32_t>(attributes[IFLA_MTU], 0);
  link.tx_queue_length = NumberOr<uint32_t>(attributes[IFLA_TXQLEN], 0);
  link.operstate = NumberOr<uint8_t>(attributes[IFLA_OPERSTATE], 0);
  link.promiscuity = NumberOr<uint32_t>(attributes[IFLA_PROMISCUITY], 0);
  link.master = NumberOr<int>(attributes[IFLA_MASTER], 0);
  link.peer = NumberOr<int>(attributes[IFLA_LINK], 0);
  DecodeKind(attributes[IFLA_LINKINFO], link);
  return link;
}

void DecodeBridgeVlans(const nlmsghdr& message, std::vector<BridgeVlan>& vlans) {
  if (message.nlmsg_type != RTM_NEWVLAN || message.nlmsg_len < NLMSG_LENGTH(sizeof(br_vlan_msg))) {
    return;
  }
  const auto& header = *static_cast<const br_vlan_msg*>(NLMSG_DATA(&message));
  const auto* attribute = reinterpret_cast<const nlattr*>(&header + 1);
  for (int left = static_cast<int>(NLMSG_PAYLOAD(&message, sizeof header)); nla_ok(attribute, left);
       attribute = nla_next(attribute, &left)) {
    if (nla_type(attribute) != BRIDGE_VLANDB_ENTRY) continue;
    const Attributes<BRIDGE_VLANDB_ENTRY_MAX> entry(attribute);
    const std::span<const uint8_t> bytes = Bytes(entry[BRIDGE_VLANDB_ENTRY_INFO]);
    if (bytes.size() < sizeof(bridge_vlan_info)) continue;
    bridge_vlan_info info;
    std::memcpy(&info, bytes.data(), sizeof info);
    const uint32_t last = NumberOr<uint16_t>(entry[BRIDGE_VLANDB_ENTRY_RANGE], info.vid);
    for (uint32_t vid = info.vid; vid <= last; ++vid) vlans.push_back(MakeVlan(vid, info.flags));
  }
}

}  // namespace cnm::netlink
