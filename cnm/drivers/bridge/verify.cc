// verify.cc: CHECK: what ADD reported and the network asks for, compared with the kernel (BR-16).
#include <algorithm>

#include <fmt/format.h>

#include "cnm/drivers/bridge/driver.h"
#include "cnm/drivers/bridge/links.h"
#include "cnm/drivers/bridge/options.h"
#include "cnm/sandbox/verify.h"
#include "common/base/error.h"
#include "common/firewall/select.h"

namespace cnm::bridge {
namespace {

[[noreturn]] void Fail(std::string message) {
  throw Error(Code::kConfig, std::move(message), "DEL and ADD make it anew");
}

const AttachedLink& FindReported(const Attached& expected, const std::string& name) {
  for (const AttachedLink& link : expected.links) {
    if (link.name == name) return link;
  }
  Fail(fmt::format("Interface name {} not found", name));
}

netlink::Link VerifyBridge(const Options& options, const Attached& expected,
                           netlink::Socket& socket) {
  const AttachedLink& reported = FindReported(expected, options.bridge);
  if (reported.in_sandbox)
    Fail(fmt::format("Interface {} should not be in sandbox", reported.name));
  const std::optional<netlink::Link> link = socket.FindLink(options.bridge);
  if (!link) Fail(fmt::format("Interface name {} not found", options.bridge));
  if (link->kind != "bridge") {
    Fail(fmt::format("Interface {} does not have link type of bridge", link->name));
  }
  if (reported.mac && reported.mac != link->mac) {
    Fail(fmt::format("Bridge interface {} Mac doesn't match: {}", link->name,
                     reported.mac->ToString()));
  }
  if (options.promiscuous != (link->promiscuity > 0)) {
    Fail(
        fmt::format("Bridge interface {} configured Promisc Mode {} doesn't match current state: "
                    "{} ",
                    link->name, options.promiscuous, link->promiscuity > 0));
  }
  return *link;
}

void VerifyPortVlans(const Options& options, const netlink::Link& port, netlink::Socket& socket) {
  if (!options.vlan_filtering()) return;
  const std::vector<netlink::BridgeVlan> present = socket.BridgeVlans(port.ifindex);
  std::vector<uint16_t> wanted = options.trunk;
  if (options.vlan != 0) wanted.push_back(options.vlan);
  for (const uint16_t vid : wanted) {
    if (std::none_of(present.begin(), present.end(), [&](const auto& v) { return v.vid == vid; })) {
      Fail(fmt::format("port {} is not in VLAN {}", port.name, vid));
    }
  }
}

/// The port is the reported host link that is a veth on this bridge and has the container's link as
/// its peer.
netlink::Link VerifyPort(const Options& options, const Attached& expected,
                         const netlink::Link& bridge, netlink::Socket& socket) {
  for (const AttachedLink& reported : expected.links) {
    if (reported.in_sandbox || reported.name == options.bridge) continue;
    const std::optional<netlink::Link> link = socket.FindLink(reported.name);
    if (!link || link->kind != "veth" || link->master != bridge.ifindex) continue;
    if (reported.mac && reported.mac != link->mac) {
      Fail(fmt::format("Interface {} Mac doesn't match: {}", link->name, reported.mac->ToString()));
    }
    if (options.hairpin != link->hairpin.value_or(false)) {
      Fail(fmt::format("port {} hairpin mode is not {}", link->name, options.hairpin));
    }
    if (options.port_isolation != link->isolated.value_or(false)) {
      Fail(fmt::format("port {} isolation is not {}", link->name, options.port_isolation));
    }
    VerifyPortVlans(options, *link, socket);
    return *link;
  }
  Fail(fmt::format("CNI veth created for bridge {} was not found", options.bridge));
}

/// The gateways of the addresses must still be on the bridge, or on its VLAN's gateway link.
void VerifyGateways(const Options& options, const Attached& expected, netlink::Socket& socket) {
  if (!options.is_gateway) return;
  const std::string holder = GatewayLinkName(options);
  const std::optional<netlink::Link> link = socket.FindLink(holder);
  if (!link) Fail(fmt::format("Interface name {} not found", holder));
  const std::vector<netlink::LinkAddress> present = socket.Addresses(link->ifindex);
  for (const AddressGrant& grant : expected.addressing.addresses) {
    if (!grant.gateway) continue;
    const net::Prefix wanted{*grant.gateway, grant.prefix.length};
    if (std::none_of(present.begin(), present.end(),
                     [&](const auto& a) { return a.prefix == wanted; })) {
      Fail(fmt::format("gateway address {} is not on {}", wanted.ToString(), holder));
    }
  }
}

}  // namespace

void BridgeDriver::Check(const Network& network, const Attached& expected,
                         const netns::NetNs& sandbox, HostKernel& host) const {
  const Options options = Decode(json::Parse(network.options, "bridge options"));
  netlink::Socket& socket = host.links();
  const netlink::Link bridge = VerifyBridge(options, expected, socket);
  const netlink::Link port = VerifyPort(options, expected, bridge, socket);
  VerifyGateways(options, expected, socket);
  sandbox.Enter();
  netlink::Socket inside = netlink::Socket::Open();
  const netlink::Link link = VerifySandboxLink(expected, "veth", inside);
  if (link.peer != port.ifindex || port.peer != link.ifindex) {
    Fail(fmt::format("CNI veth created for bridge {} was not found", options.bridge));
  }
  if (!options.disable_container_interface) VerifyAddressing(expected, link, inside);
}

void BridgeDriver::Ready(const Network& network, HostKernel& host) const {
  const Options options = Decode(json::Parse(network.options, "bridge options"));
  const std::optional<netlink::Link> link = host.links().FindLink(options.bridge);
  if (link && link->kind != "bridge") {
    throw Error(Code::kUnavailable,
                fmt::format("\"{}\" already exists but is not a bridge", options.bridge));
  }
  if (options.mac_spoof_check) host.firewall("nftables").Verify({});
  if (!options.ip_masq) return;
  const bool any = options.ip_masq_backend.empty();
  host.firewall(any ? firewall::DefaultBackend() : options.ip_masq_backend).Verify({});
}

}  // namespace cnm::bridge
