// links.cc: the bridge itself, its VLANs and the link that holds its gateway.
#include "cnm/drivers/bridge/links.h"

#include <cerrno>

#include <fmt/format.h>

#include "cnm/id.h"
#include "common/base/error.h"
#include "common/base/log.h"
#include "common/netns/sysctl.h"

namespace cnm::bridge {
namespace {

void RefuseRouterAdvertisements(const std::string& link) {
  netns::WriteSysctl(fmt::format("net/ipv6/conf/{}/accept_ra", link), "0");  // CVE-2020-10749
}

netlink::Link CreateBridge(const Options& options, netlink::Socket& socket) {
  netlink::BridgeSpec spec;
  spec.name = options.bridge;
  spec.mac = BridgeMac(options.bridge);
  spec.mtu = options.mtu;
  spec.vlan_filtering = options.vlan_filtering();
  // EEXIST: another ADD was faster, and made what we would have made.
  socket.Execute(netlink::CreateBridge(spec).Tolerate(EEXIST));
  return socket.GetLink(options.bridge);
}

void CheckExistingBridge(const Options& options, const netlink::Link& link) {
  if (link.kind != "bridge") {
    throw Error(
        Code::kInUse, fmt::format("\"{}\" already exists but is not a bridge", link.name),
        fmt::format("$.bridge; it is a {} link", link.kind.empty() ? "physical" : link.kind));
  }
  if (options.vlan_filtering() && link.vlan_filtering == false) {
    throw Error(Code::kConfig,
                fmt::format("bridge {} has no VLAN filtering, vlan and vlanTrunk would have no "
                            "effect",
                            link.name),
                fmt::format("run: ip link set {} type bridge vlan_filtering 1", link.name));
  }
  if (options.mtu != 0 && link.mtu != options.mtu) {
    Warn(
        fmt::format("bridge {} exists with MTU {}: it keeps it, $.mtu {} is for the containers' "
                    "links only",
                    link.name, link.mtu, options.mtu));
  }
}

void CreateGatewayPair(const std::string& name, const Options& options, const netlink::Link& bridge,
                       netlink::Socket& socket) {
  netlink::VethSpec spec;  // the port is the "host end": it is born up and enslaved
  spec.name = GatewayPortName(name);
  spec.master = bridge.ifindex;
  spec.mtu = options.mtu;
  spec.mac = DerivedMac("port of " + name);
  spec.peer_name = name;
  spec.peer_mac = BridgeMac(name);
  socket.Execute(netlink::CreateVeth(spec).Tolerate(EEXIST));
}

}  // namespace

netlink::Link EnsureBridge(const Options& options, netlink::Socket& socket) {
  std::optional<netlink::Link> found = socket.FindLink(options.bridge);
  netlink::Link link = found ? *std::move(found) : CreateBridge(options, socket);
  CheckExistingBridge(options, link);
  netlink::LinkChange change;
  if (!link.up()) {
    // Born down and only now brought up: whoever is killed in between leaves a bridge that the next
    // ADD finishes.
    RefuseRouterAdvertisements(link.name);
    change.up = true;
  }
  if (options.promiscuous && link.promiscuity == 0) change.promiscuous = true;
  if (change.up || change.promiscuous) {
    socket.Execute(netlink::ChangeLink(link.ifindex, change));
  }
  return link;
}

std::string GatewayPortName(const std::string& name) {
  return HostLinkName(OwnerOf("bridge gateway", name, ""), 0);
}

std::string GatewayLinkName(const Options& options) {
  return options.vlan == 0 ? options.bridge : fmt::format("{}.{}", options.bridge, options.vlan);
}

netlink::Link EnsureGatewayLink(const Options& options, const netlink::Link& bridge,
                                netlink::Socket& socket) {
  if (options.vlan == 0) return bridge;
  const std::string name = GatewayLinkName(options);
  if (name.size() > 15) {
    throw Error(Code::kConfig,
                fmt::format("gateway link {} of the VLAN: name is longer than 15 bytes", name),
                "$.bridge; shorten the bridge's name");
  }
  std::optional<netlink::Link> link = socket.FindLink(name);
  if (link && link->up()) return *std::move(link);
  // Brought up last: whoever is killed before leaves a link that the next ADD finishes.
  if (!link) CreateGatewayPair(name, options, bridge, socket);
  Options access = options;
  access.trunk.clear();
  ConfigurePortVlans(access, socket.GetLink(GatewayPortName(name)).ifindex, socket);
  RefuseRouterAdvertisements(name);
  netlink::LinkChange up;
  up.up = true;
  netlink::Link made = socket.GetLink(name);
  socket.Execute(netlink::ChangeLink(made.ifindex, up));
  return made;
}

void EnableForwarding(const std::vector<net::Prefix>& gateways) {
  for (const net::Prefix& gateway : gateways) {
    netns::EnsureSysctl(
        gateway.address.is_v4() ? "net/ipv4/ip_forward" : "net/ipv6/conf/all/forwarding", "1");
  }
}

void ConfigurePortVlans(const Options& options, int port, netlink::Socket& socket) {
  if (options.vlan == 0 && options.trunk.empty()) return;
  std::vector<netlink::Request> batch;
  if (!options.preserve_default_vlan) {
    for (const netlink::BridgeVlan& vlan : socket.BridgeVlans(port)) {
      batch.push_back(netlink::RemoveBridgeVlan(port, vlan.vid));
    }
  }
  // A trunk without access VLAN keeps VLAN 1 untagged, as its native VLAN.
  const uint16_t native = options.vlan != 0 ? options.vlan : uint16_t{1};
  batch.push_back(netlink::AddBridgeVlan(port, {.vid = native, .pvid = true, .untagged = true}));
  for (const uint16_t vid : options.trunk) {
    if (vid != native) batch.push_back(netlink::AddBridgeVlan(port, {.vid = vid}));
  }
  socket.Execute(batch);
}

}  // namespace cnm::bridge
