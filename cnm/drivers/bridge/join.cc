// join.cc: every kernel change that joins an endpoint to a bridge network, each followed by its
// undo step.
#include <linux/if.h>

#include <algorithm>
#include <cerrno>
#include <chrono>

#include <fmt/format.h>

#include "cnm/drivers/bridge/driver.h"
#include "cnm/drivers/bridge/links.h"
#include "cnm/drivers/bridge/options.h"
#include "cnm/id.h"
#include "cnm/owned_link.h"
#include "cnm/sandbox/configure.h"
#include "common/base/error.h"
#include "common/netns/sysctl.h"

namespace cnm::bridge {
namespace {

constexpr uint32_t kNameAttempts = 16;

netlink::VethSpec VethOf(const Options& options, const Endpoint& endpoint, int bridge,
                         const JoinContext& context) {
  netlink::VethSpec spec;
  spec.name = endpoint.host_link->name;
  spec.master = bridge;
  spec.mtu = options.mtu;
  spec.mac = endpoint.host_link->mac;
  const bool ready = context.sandbox != nullptr;
  spec.peer_name = ready ? endpoint.key.ifname : endpoint.host_link->peer;
  spec.peer_mac = endpoint.mac;
  const netns::NetNs* const place = ready ? context.sandbox : context.waits_in;
  if (place != nullptr) spec.peer_netns = place->fd();
  return spec;
}

/// Gives the endpoint the next names for its links: recorded, and guarded, before they are used.
void Rename(Endpoint& endpoint, const JoinContext& context) {
  HostLink& host_link = *endpoint.host_link;
  host_link.name = HostLinkName(endpoint.owner, host_link.attempt);
  if (context.sandbox == nullptr) {
    host_link.peer = PeerLinkName(endpoint.owner, host_link.attempt);
  }
  const auto guard = std::find_if(endpoint.attachments.begin(), endpoint.attachments.end(),
                                  [](const Attachment& a) { return a.rules.spoof_guard; });
  if (guard == endpoint.attachments.end()) return context.journal();
  context.host.firewall(guard->backend).Remove(guard->rules);
  guard->rules.spoof_guard->link = host_link.name;
  context.journal();
  context.host.firewall(guard->backend).Add(guard->rules);
}

/// Makes the pair. Its birth is also the test that both names are free: EEXIST means that one was
/// not.
netlink::Link CreatePair(const Options& options, Endpoint& endpoint, int bridge,
                         const JoinContext& context) {
  netlink::Socket& socket = context.host.links();
  HostLink& host_link = *endpoint.host_link;
  while (host_link.attempt < kNameAttempts) {
    const netlink::Request create =
        netlink::CreateVeth(VethOf(options, endpoint, bridge, context)).Tolerate(EEXIST);
    if (socket.Execute(create) == 0) return socket.GetLink(host_link.name);
    const std::optional<netlink::Link> taken = socket.FindLink(host_link.name);
    if (!taken && context.sandbox != nullptr) {
      throw Error(Code::kExists,
                  fmt::format("container veth name (\"{}\") peer provided (\"{}\") already exists",
                              endpoint.key.ifname, host_link.name),
                  fmt::format("CNI_IFNAME {}: the sandbox {} has a link of this name",
                              endpoint.key.ifname, endpoint.sandbox.path));
    }
    if (taken && IsOwnedLink(*taken, endpoint.owner, host_link.mac)) {
      socket.Execute(netlink::RemoveLink(taken->ifindex));  // ours: its record was lost
      continue;
    }
    ++host_link.attempt;
    Rename(endpoint, context);
  }
  throw Error(Code::kInUse,
              fmt::format("every host link name of endpoint {} is taken", endpoint.owner));
}

void MarkPort(const Options& options, const Endpoint& endpoint, netlink::Socket& socket) {
  netlink::LinkChange change;
  change.alias = endpoint.owner;
  if (options.hairpin) change.hairpin = true;
  if (options.port_isolation) change.isolated = true;
  const int port = endpoint.host_link->ifindex;
  socket.Execute(netlink::ChangeLink(port, change));
  ConfigurePortVlans(options, port, socket);
  netns::WriteSysctl(fmt::format("net/ipv6/conf/{}/accept_ra", endpoint.host_link->name), "0");
}

std::vector<net::Prefix> GatewaysOf(const Options& options, const Addressing& addressing) {
  std::vector<net::Prefix> gateways;
  for (const AddressGrant& grant : addressing.addresses) {
    if (options.is_gateway && grant.gateway) {
      gateways.push_back({*grant.gateway, grant.prefix.length});
    }
  }
  return gateways;
}

/// The carrier comes up through the kernel's link watch: until the port forwards, announcements and
/// first packets would be lost.
void WaitForPort(const HostLink& port, netlink::Socket& socket) {
  const auto is_up = [](const netlink::Link& link) { return link.operstate == IF_OPER_UP; };
  if (!socket.WaitForLink(port.ifindex, is_up, std::chrono::seconds(5))) {
    throw Error(Code::kKernel,
                fmt::format("bridge port in error state: {} is not up after 5 s", port.name));
  }
}

void ConfigureSandbox(const Options& options, const Endpoint& endpoint, int ifindex,
                      const JoinContext& context) {
  if (context.sandbox == nullptr || options.disable_container_interface) return;
  context.sandbox->Enter();
  netlink::Socket inside = netlink::Socket::Open();
  const SandboxLink link{endpoint.key.ifname, ifindex, endpoint.mac, options.enable_dad};
  ConfigureLink(link, endpoint.addressing, inside);
  WaitForPort(*endpoint.host_link, context.host.links());
  if (!endpoint.addressing.addresses.empty()) AnnounceAddresses(link, inside);
}

}  // namespace

void BridgeDriver::Restore(const Network& network, const Endpoint& endpoint, HostKernel& host,
                           Store& store) const {
  const Options options = Decode(json::Parse(network.options, "bridge options"));
  const std::vector<net::Prefix> gateways = GatewaysOf(options, endpoint.addressing);
  if (gateways.empty()) return;
  const netlink::Link link = host.links().GetLink(GatewayLinkName(options));
  EnsureGatewayAddresses(link, {network.name, gateways, options.force_address}, host.links(),
                         store);
  EnableForwarding(gateways);
}

Attached BridgeDriver::Join(const Network& network, Endpoint& endpoint,
                            const JoinContext& context) const {
  const Options options = Decode(json::Parse(network.options, "bridge options"));
  netlink::Socket& socket = context.host.links();
  const netlink::Link bridge = EnsureBridge(options, socket);
  const std::vector<net::Prefix> gateways = GatewaysOf(options, endpoint.addressing);
  netlink::Link gateway_link = bridge;
  if (!gateways.empty()) {
    gateway_link = EnsureGatewayLink(options, bridge, socket);
    EnsureGatewayAddresses(gateway_link, {network.name, gateways, options.force_address}, socket,
                           context.store);
    EnableForwarding(gateways);
  }

  // Before the request: once the kernel has it, nobody else would know about the pair.
  context.undo.Push("veth", [this, &endpoint, &host = context.host] { Leave(endpoint, host); });
  const netlink::Link port = CreatePair(options, endpoint, bridge.ifindex, context);
  endpoint.host_link->ifindex = port.ifindex;
  MarkPort(options, endpoint, socket);
  ConfigureSandbox(options, endpoint, port.peer, context);

  Attached attached{
      .links = {{bridge.name, bridge.mac},
                {port.name, port.mac},
                {context.sandbox != nullptr ? endpoint.key.ifname : endpoint.host_link->peer,
                 endpoint.mac, 0, context.sandbox != nullptr}},
      .sandbox_link = 2,
      .addressing = endpoint.addressing};
  if (gateway_link.ifindex != bridge.ifindex) {
    attached.links.push_back({gateway_link.name, gateway_link.mac});
  }
  return attached;
}

}  // namespace cnm::bridge
