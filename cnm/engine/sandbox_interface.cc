// sandbox_interface.cc: links that move into a sandbox and out of it, and its default routes.
#include <algorithm>

#include <fmt/format.h>

#include "cnm/engine/sandbox_namespace.h"
#include "cnm/sandbox/configure.h"
#include "common/base/error.h"
#include "common/netlink/socket.h"
#include "common/netns/sysctl.h"

namespace cnm::engine {
namespace {

std::string ChooseName(const InterfacePlan& plan, netlink::Socket& sandbox) {
  if (!plan.dst_name.empty()) return plan.dst_name;
  for (unsigned number = 0;; ++number) {
    std::string name = fmt::format("{}{}", plan.dst_prefix, number);
    if (!sandbox.FindLink(name)) return name;
  }
}

/// The plan in the words that configure a CNI interface as well.
Addressing ToAddressing(const InterfacePlan& plan, netlink::Socket& sandbox, int ifindex) {
  Addressing addressing;
  addressing.addresses.reserve(plan.addresses.size());
  for (const net::Prefix& address : plan.addresses) addressing.addresses.push_back({address, {}});
  for (const StaticRoute& route : plan.routes) {
    const bool through_here =
        !route.next_hop ||
        std::any_of(plan.addresses.begin(), plan.addresses.end(),
                    [&](const net::Prefix& address) { return address.Contains(*route.next_hop); });
    if (through_here) {
      RouteSpec spec;
      spec.destination = route.destination;
      spec.gateway = route.next_hop;
      addressing.routes.push_back(spec);
      continue;
    }
    // A next hop behind another link of the sandbox.
    const auto way = sandbox.FindRoute(*route.next_hop);
    netlink::Route through;
    through.destination = route.destination;
    through.gateway = route.next_hop;
    through.ifindex = way ? way->ifindex : ifindex;
    sandbox.Execute(netlink::AddRoute(through));
  }
  return addressing;
}

/// A link without an IPv6 address has no IPv6 at all, as Docker's containers know it: no link-local
/// address, and no router on the link that gives it one.
void DisableIpv6Unless(const InterfacePlan& plan, const std::string& name) {
  const bool wanted =
      std::any_of(plan.addresses.begin(), plan.addresses.end(),
                  [](const net::Prefix& address) { return !address.address.is_v4(); });
  if (!wanted) netns::EnsureSysctl(fmt::format("net/ipv6/conf/{}/disable_ipv6", name), "1");
}

void Configure(const InterfacePlan& plan, const std::string& name, netlink::Socket& sandbox) {
  const netlink::Link link = sandbox.GetLink(name);
  DisableIpv6Unless(plan, name);           // while the link is down
  if (plan.mac && link.mac != plan.mac) {  // a plugin's choice is the caller's to set
    netlink::LinkChange change;
    change.mac = plan.mac;
    sandbox.Execute(netlink::ChangeLink(link.ifindex, change));
  }
  const SandboxLink target{.name = name,
                           .ifindex = link.ifindex,
                           .mac = plan.mac.value_or(link.mac.value_or(net::Mac{}))};
  const Addressing addressing = ToAddressing(plan, sandbox, link.ifindex);
  ConfigureLink(target, addressing, sandbox);
  if (!addressing.addresses.empty()) AnnounceAddresses(target, sandbox);
}

bool IsKnown(const std::vector<net::Address>& known, const std::optional<net::Address>& gateway) {
  return gateway && std::find(known.begin(), known.end(), *gateway) != known.end();
}

}  // namespace

void AddInterface(const netns::NetNs& sandbox, const netns::NetNs& host, const InterfacePlan& plan,
                  const std::function<void(const std::string& name)>& journal) {
  netlink::Socket outside = netlink::Socket::Open();
  const bool stays = plan.in_sandbox || sandbox.identity() == host.identity();
  sandbox.Run([&] {
    netlink::Socket inside = netlink::Socket::Open();
    netlink::Socket& place = stays ? inside : outside;
    const netlink::Link link = place.GetLink(plan.src_name);
    const std::string name = ChooseName(plan, inside);
    journal(name);
    if (link.up() && stays) {  // a link that is up keeps its name
      netlink::LinkChange down;
      down.up = false;
      place.Execute(netlink::ChangeLink(link.ifindex, down));
    }
    place.Execute(netlink::MoveLink(link.ifindex, sandbox.fd(), name));
    Configure(plan, name, inside);
  });
}

bool ReturnInterface(const netns::NetNs& sandbox, const netns::NetNs& host, const std::string& name,
                     const std::string& host_name) {
  bool returned = false;
  sandbox.Run([&] {
    netlink::Socket inside = netlink::Socket::Open();
    const auto link = inside.FindLink(name);
    if (!link) return;
    netlink::LinkChange down;
    down.up = false;
    inside.Execute(netlink::ChangeLink(link->ifindex, down));
    inside.Execute(netlink::MoveLink(link->ifindex, host.fd(), host_name));
    returned = true;
  });
  return returned;
}

void SetDefaultRoute(const netns::NetNs& sandbox, net::Family family, const DefaultRoute& wanted,
                     const std::vector<net::Address>& known) {
  sandbox.Run([&] {
    netlink::Socket socket = netlink::Socket::Open();
    const int ifindex = wanted.gateway ? socket.GetLink(wanted.link).ifindex : 0;
    bool present = false;
    for (const netlink::Route& route : socket.Routes(0, family)) {
      if (route.destination.length != 0 || !route.gateway) continue;
      if (wanted.gateway == route.gateway && route.ifindex == ifindex) {
        present = true;
      } else if (IsKnown(known, route.gateway)) {
        socket.Execute(netlink::RemoveRoute(route));
      }
    }
    if (!wanted.gateway || present) return;
    netlink::Route route;
    route.destination.address =
        family == net::Family::kIpv4 ? net::Address() : *net::Address::Parse("::");
    route.gateway = wanted.gateway;
    route.ifindex = ifindex;
    socket.Execute(netlink::AddRoute(route));
  });
}

}  // namespace cnm::engine
