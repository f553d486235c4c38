// network.cc: what the endpoints of a bridge network share: the bridge and its gateway addresses.
#include <algorithm>

#include <fmt/format.h>

#include "cnm/drivers/bridge/driver.h"
#include "cnm/drivers/bridge/links.h"
#include "cnm/drivers/bridge/options.h"
#include "cnm/id.h"
#include "common/base/error.h"
#include "common/netns/sysctl.h"

namespace cnm::bridge {
namespace {

/// @throws Error kInUse naming a port of the bridge besides `gateway_port`
void RequireNoPorts(const netlink::Link& bridge, const std::string& gateway_port,
                    netlink::Socket& socket) {
  for (const netlink::Link& link : socket.Links()) {
    if (link.master != bridge.ifindex || link.name == gateway_port) continue;
    throw Error(Code::kInUse, fmt::format("bridge {} has a port: {}", bridge.name, link.name),
                fmt::format("who it belongs to: ip link show {}", link.name));
  }
}

}  // namespace

void BridgeDriver::CreateNetwork(const Network& network, const std::vector<net::Prefix>& gateways,
                                 HostKernel& host, Store& store) const {
  const Options options = Decode(json::Parse(network.options, "bridge options"));
  netlink::Socket& socket = host.links();
  const netlink::Link bridge = EnsureBridge(options, socket);
  if (gateways.empty()) return;
  const netlink::Link link = EnsureGatewayLink(options, bridge, socket);
  const bool ipv6 = std::any_of(gateways.begin(), gateways.end(), [](const net::Prefix& gateway) {
    return !gateway.address.is_v4();
  });
  // A host may have it off for new links; an administrator's choice otherwise stays.
  if (ipv6) netns::EnsureSysctl(fmt::format("net/ipv6/conf/{}/disable_ipv6", link.name), "0");
  EnsureGatewayAddresses(link, {network.name, gateways, options.force_address}, socket, store);
  EnableForwarding(gateways);
}

bool BridgeDriver::DeleteNetwork(const Network& network, HostKernel& host, Store& store) const {
  const Options options = Decode(json::Parse(network.options, "bridge options"));
  netlink::Socket& socket = host.links();
  const std::string gateway = GatewayLinkName(options);
  const std::optional<netlink::Link> bridge = socket.FindLink(options.bridge);
  const std::optional<netlink::Link> gateway_link = socket.FindLink(gateway);
  // A bridge with another MAC was there before us and stays.
  const bool ours = bridge && bridge->kind == "bridge" && bridge->mac == BridgeMac(bridge->name);
  if (ours) RequireNoPorts(*bridge, GatewayPortName(gateway), socket);
  RemoveGatewayAddresses(gateway, gateway_link ? gateway_link->ifindex : 0, network.name, socket,
                         store);
  if (!ours) return bridge.has_value();
  if (options.vlan != 0 && gateway_link) {
    host.RemoveLink(gateway_link->ifindex);
  }
  host.RemoveLink(bridge->ifindex);
  return true;
}

}  // namespace cnm::bridge
