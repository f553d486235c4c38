// configure.cc: bringing a link to life inside a sandbox: sysctls, addresses, routes.
#include "cnm/sandbox/configure.h"

#include <linux/if_addr.h>

#include <algorithm>
#include <chrono>

#include <fmt/format.h>

#include "common/base/error.h"
#include "common/base/log.h"
#include "common/netlink/announce.h"
#include "common/netns/sysctl.h"

namespace cnm {
namespace {

bool HasFamily(const Addressing& addressing, net::Family family) {
  return std::any_of(
      addressing.addresses.begin(), addressing.addresses.end(),
      [&](const AddressGrant& grant) { return grant.prefix.address.family() == family; });
}

/// IPv6 may be off in the sandbox (docker and podman do that): it is switched on for lo and for
/// this link, because an address was asked for.
void EnableIpv6(const std::string& link) {
  for (const std::string_view name : {std::string_view("lo"), std::string_view(link)}) {
    netns::EnsureSysctl(fmt::format("net/ipv6/conf/{}/disable_ipv6", name), "0");
  }
  // Without this an address would be lost when the link goes down and up again.
  netns::WriteSysctl(fmt::format("net/ipv6/conf/{}/keep_addr_on_down", link), "1");
}

void WriteSysctls(const SandboxLink& link, const Addressing& addressing) {
  if (HasFamily(addressing, net::Family::kIpv6)) EnableIpv6(link.name);
  const std::string ipv6 = fmt::format("net/ipv6/conf/{}/", link.name);
  if (link.enable_dad) {
    netns::WriteSysctl(ipv6 + "enhanced_dad", "1");
    netns::WriteSysctl(ipv6 + "accept_dad", "1");
  } else {
    netns::WriteSysctl(ipv6 + "accept_dad", "0");  // also for the link-local address
  }
  // What lets the kernel announce IPv6 addresses (netlink::Announce).
  if (HasFamily(addressing, net::Family::kIpv6)) {
    netns::WriteSysctl(ipv6 + "ndisc_notify", "1");
  }
}

void WaitForDad(const SandboxLink& link, netlink::Socket& socket) {
  const auto settled = [&](const std::vector<netlink::LinkAddress>& addresses) {
    return std::none_of(addresses.begin(), addresses.end(), [&](const auto& a) {
      if ((a.flags & IFA_F_DADFAILED) != 0) {
        throw Error(Code::kInUse, fmt::format("address {} on {}: another host has it",
                                              a.prefix.ToString(), link.name));
      }
      return (a.flags & IFA_F_TENTATIVE) != 0;
    });
  };
  if (!socket.WaitForAddresses(link.ifindex, settled, std::chrono::seconds(5))) {
    throw Error(Code::kKernel,
                fmt::format("link {} still has tentative addresses after 5 s", link.name));
  }
}

}  // namespace

std::vector<netlink::Route> ResolveRoutes(const Addressing& addressing, int ifindex) {
  std::vector<netlink::Route> routes;
  for (const RouteSpec& spec : addressing.routes) {
    netlink::Route route;
    route.destination = spec.destination;
    route.gateway = spec.gateway;
    route.ifindex = ifindex;
    route.priority = spec.priority;
    route.mtu = spec.mtu;
    route.advmss = spec.advmss;
    route.scope = spec.scope;
    if (spec.table) route.table = *spec.table;
    for (const AddressGrant& grant : addressing.addresses) {
      if (route.gateway || !grant.gateway) continue;
      if (grant.gateway->family() == route.destination.address.family()) {
        route.gateway = grant.gateway;
      }
    }
    routes.push_back(route);
  }
  return routes;
}

void ConfigureLink(const SandboxLink& link, const Addressing& addressing, netlink::Socket& socket) {
  WriteSysctls(link, addressing);
  std::vector<netlink::Request> batch;
  for (const AddressGrant& grant : addressing.addresses) {
    batch.push_back(netlink::AddAddress(link.ifindex, grant.prefix, !link.enable_dad));
  }
  netlink::LinkChange up;
  up.up = true;
  if (HasFamily(addressing, net::Family::kIpv4)) up.arp_notify = true;  // netlink::Announce
  batch.push_back(netlink::ChangeLink(link.ifindex, up));
  for (const netlink::Route& route : ResolveRoutes(addressing, link.ifindex)) {
    batch.push_back(netlink::AddRoute(route));
  }
  socket.Execute(batch);
  if (link.enable_dad) WaitForDad(link, socket);
}

void AnnounceAddresses(const SandboxLink& link, netlink::Socket& socket) {
  socket.Execute(netlink::Announce(link.ifindex, link.mac));
}

}  // namespace cnm
