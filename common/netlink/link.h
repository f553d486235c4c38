// link.h: network links as values, and the requests that change them.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "common/net/mac.h"
#include "common/netlink/request.h"

namespace cnm::netlink {

/// A link as RTM_GETLINK reports it (linux/if_link.h).
struct Link {
  int ifindex = 0;
  std::string name = {};
  std::string kind = {};   ///< "veth", "bridge"; "" for lo and physical links
  std::string alias = {};  ///< IFLA_IFALIAS
  std::optional<net::Mac> mac = {};
  uint32_t mtu = 0;
  uint32_t flags = 0;                       ///< IFF_*
  uint32_t tx_queue_length = 0;             ///< packets
  uint8_t operstate = 0;                    ///< IF_OPER_*
  uint32_t promiscuity = 0;                 ///< how many asked for promiscuous mode
  int master = 0;                           ///< ifindex of the bridge it is a port of; 0 = none
  int peer = 0;                             ///< IFLA_LINK: a veth's peer, in that peer's netns
  std::optional<bool> hairpin = {};         ///< of a bridge port
  std::optional<bool> isolated = {};        ///< of a bridge port
  std::optional<bool> vlan_filtering = {};  ///< of a bridge

  bool up() const;
  /// Whether somebody set it on the link, as `ip link` does; a sniffer's wish does not show here.
  bool promiscuous() const;
  bool all_multicast() const;
  bool operator==(const Link&) const = default;
};

/// A veth pair, born complete in one message: the host end here, the peer in its own netns under
/// its final name.
struct VethSpec {
  std::string name = {};
  int master = 0;    ///< bridge to be a port of; 0 = none
  uint32_t mtu = 0;  ///< both ends; 0 = kernel default
  net::Mac mac = {};
  std::string peer_name = {};
  net::Mac peer_mac = {};
  int peer_netns = -1;  ///< fd of the peer's netns; -1 = this one
};
/// The host end is created up with txqueuelen 0; the peer down (the kernel refuses to open it
/// before its partner exists). Fails with EEXIST when either name is taken. The extack text tells
/// nothing about which.
Request CreateVeth(const VethSpec& spec);

struct BridgeSpec {
  std::string name = {};
  net::Mac mac = {};
  uint32_t mtu = 0;  ///< 0 = kernel default
  bool vlan_filtering = false;
};
/// Created down, so that its sysctls can be set before it hears anything. Fails with EEXIST when
/// the name is taken.
Request CreateBridge(const BridgeSpec& spec);

/// A change of an existing link; only the members that are set. For the bridge port attributes it
/// must be a port already.
struct LinkChange {
  std::optional<bool> up = {};
  std::optional<bool> promiscuous = {};
  std::optional<bool> all_multicast = {};
  std::optional<uint32_t> mtu = {};
  std::optional<uint32_t> tx_queue_length = {};  ///< packets
  std::optional<int> master = {};                ///< 0 = release it
  std::optional<net::Mac> mac = {};
  std::optional<std::string> alias = {};
  std::optional<bool> hairpin = {};   ///< bridge port attribute
  std::optional<bool> isolated = {};  ///< bridge port attribute
  /// net.ipv4.conf.LINK.arp_notify; set after `up`, and cheaper than a write to /proc/sys
  std::optional<bool> arp_notify = {};

  bool operator==(const LinkChange&) const = default;
};
Request ChangeLink(int ifindex, const LinkChange& change);
/// Moves a link into the netns of this descriptor, under this name there; it is down afterwards. In
/// the netns it is in already it is only renamed.
Request MoveLink(int ifindex, int netns, const std::string& name);
/// ENODEV is tolerated: removing twice succeeds.
Request RemoveLink(int ifindex);

/// A VLAN id on a bridge port or on the bridge itself.
struct BridgeVlan {
  uint16_t vid = 0;
  bool pvid = false;
  bool untagged = false;
  bool operator==(const BridgeVlan&) const = default;
};
/// `on_bridge`: the link is the bridge itself, not a port of one.
Request AddBridgeVlan(int ifindex, const BridgeVlan& vlan, bool on_bridge = false);
/// ENOENT is tolerated.
Request RemoveBridgeVlan(int ifindex, uint16_t vid, bool on_bridge = false);

}  // namespace cnm::netlink
