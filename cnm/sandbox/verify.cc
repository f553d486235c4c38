// verify.cc: CHECK inside a sandbox: the link, its addresses and its routes as reported.
#include "cnm/sandbox/verify.h"

#include <algorithm>

#include <fmt/format.h>

#include "cnm/sandbox/configure.h"
#include "common/base/error.h"

namespace cnm {
namespace {

bool Matches(const netlink::Route& wanted, const netlink::Route& present) {
  const bool default_route = wanted.destination.length == 0;
  return present.destination == wanted.destination && present.table == wanted.table &&
         // A later plugin of the chain may have moved the default route to another gateway.
         (default_route || !wanted.gateway || present.gateway == wanted.gateway);
}

void VerifyRoute(const netlink::Route& wanted, netlink::Socket& socket) {
  const net::Family family = wanted.destination.address.family();
  // Any link of the sandbox may carry it: chained plugins move routes.
  const std::vector<netlink::Route> routes = socket.Routes(0, family, wanted.table);
  if (std::any_of(routes.begin(), routes.end(),
                  [&](const netlink::Route& r) { return Matches(wanted, r); })) {
    return;
  }
  throw Error(Code::kConfig,
              fmt::format("Expected Route {{Dst:{} GW:{} Table:{}}} not found in routing table",
                          wanted.destination.ToString(),
                          wanted.gateway ? wanted.gateway->ToString() : "none", wanted.table));
}

}  // namespace

netlink::Link VerifySandboxLink(const Attached& expected, std::string_view kind,
                                netlink::Socket& socket) {
  const AttachedLink& reported = expected.links.at(expected.sandbox_link);
  const std::optional<netlink::Link> link = socket.FindLink(reported.name);
  if (!link) {
    throw Error(Code::kConfig, fmt::format("Cannot find container link {}", reported.name));
  }
  if (link->kind != kind) {
    throw Error(Code::kConfig,
                fmt::format("Error: Container interface {} not of type {}", reported.name, kind));
  }
  if (reported.mac && link->mac != reported.mac) {
    throw Error(Code::kConfig,
                fmt::format("Interface {} Mac {} doesn't match container Mac: {}", reported.name,
                            reported.mac->ToString(), link->mac ? link->mac->ToString() : "none"));
  }
  return *link;
}

void VerifyAddressing(const Attached& expected, const netlink::Link& link,
                      netlink::Socket& socket) {
  const std::vector<netlink::LinkAddress> present = socket.Addresses(link.ifindex);
  for (const AddressGrant& grant : expected.addressing.addresses) {
    if (std::none_of(present.begin(), present.end(),
                     [&](const auto& a) { return a.prefix == grant.prefix; })) {
      throw Error(Code::kConfig, fmt::format("Failed to match addr {} on interface {}",
                                             grant.prefix.ToString(), link.name));
    }
  }
  if (!expected.addressing.addresses.empty() && !link.up()) {
    throw Error(Code::kConfig, fmt::format("Interface {} is down", link.name));
  }
  for (const netlink::Route& wanted : ResolveRoutes(expected.addressing, link.ifindex)) {
    VerifyRoute(wanted, socket);
  }
}

}  // namespace cnm
