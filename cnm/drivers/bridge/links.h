// links.h: the bridge itself, its gateway addresses and its ports.
#pragma once

#include <string>
#include <vector>

#include "cnm/drivers/bridge/options.h"
#include "cnm/store/store.h"
#include "common/net/prefix.h"
#include "common/netlink/socket.h"

namespace cnm::bridge {

/// Finds or creates the bridge, up. An existing one keeps MAC and MTU; a missing feature that the
/// options need is an error, a different MTU a warning.
/// @throws Error kInUse `"br0" already exists but is not a bridge`
netlink::Link EnsureBridge(const Options& options, netlink::Socket& socket);

/// The name of the link that holds the gateway addresses: the bridge's, or `<bridge>.<vlan>`.
std::string GatewayLinkName(const Options& options);

/// The link that holds the gateway addresses of the options' VLAN: the bridge, or
/// `<bridge>.<vlan>`, a veth pair on the host whose other end is an access port of that VLAN. Made
/// when missing; it stays, as the bridge does.
netlink::Link EnsureGatewayLink(const Options& options, const netlink::Link& bridge,
                                netlink::Socket& socket);

/// What the gateway addresses of one ADD are for.
struct GatewayPlan {
  std::string network;                ///< for the record of who put an address there
  std::vector<net::Prefix> gateways;  ///< address and subnet length
  bool force = false;                 ///< replace what conflicts
};

/// Gives the link the gateway addresses that it does not have. Another address conflicts when it
/// overlaps one of them, or (IPv4) when no cnm network put it there.
/// @throws Error kConfig `"br0" already has an IP address different from 10.1.0.1/24`
void EnsureGatewayAddresses(const netlink::Link& link, const GatewayPlan& plan,
                            netlink::Socket& socket, Store& store);

/// An address that a network put on a link.
struct GatewayClaim {
  std::string link;
  net::Prefix address;
  std::string network;
};
/// All of them on this host.
std::vector<GatewayClaim> ListGatewayClaims(Store& store);

/// Takes the addresses that the network put on the link away again, and forgets them.
/// `ifindex` 0: the link is gone.
void RemoveGatewayAddresses(const std::string& link, int ifindex, const std::string& network,
                            netlink::Socket& socket, Store& store);

/// The port of the bridge whose other end is the gateway link `name`.
std::string GatewayPortName(const std::string& name);

/// Switches forwarding on for the families of the gateways.
void EnableForwarding(const std::vector<net::Prefix>& gateways);

/// Programs the VLANs of a port (BR-5).
void ConfigurePortVlans(const Options& options, int port, netlink::Socket& socket);

}  // namespace cnm::bridge
