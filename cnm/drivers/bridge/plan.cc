// plan.cc: what a bridge endpoint is going to be. Pure: no system call.
#include <algorithm>

#include <fmt/format.h>

#include "cnm/drivers/bridge/driver.h"
#include "cnm/drivers/bridge/options.h"
#include "cnm/id.h"
#include "cnm/owned_link.h"
#include "common/base/error.h"

namespace cnm::bridge {
namespace {

Options OptionsOf(const Network& network) {
  return Decode(json::Parse(network.options, "bridge options"));
}

/// Default routes through the gateways, one a family, unless the routes have one already: then that
/// one gets the gateway if it names none.
void AddDefaultRoutes(Addressing& addressing) {
  for (const AddressGrant& grant : addressing.addresses) {
    if (!grant.gateway) continue;
    const bool v4 = grant.gateway->is_v4();
    const net::Prefix everything = *net::Prefix::Parse(v4 ? "0.0.0.0/0" : "::/0");
    const auto same = [&](const RouteSpec& r) { return r.destination == everything && !r.table; };
    const auto found = std::find_if(addressing.routes.begin(), addressing.routes.end(), same);
    if (found == addressing.routes.end()) {
      RouteSpec route;
      route.destination = everything;
      route.gateway = grant.gateway;
      addressing.routes.push_back(route);
    } else if (!found->gateway) {
      found->gateway = grant.gateway;
    }
  }
}

/// Only nftables sees frames that a bridge forwards.
constexpr std::string_view kGuardBackend = "nftables";

/// One transaction for guard and masquerading when the configuration leaves the choice to us.
std::string_view MasqueradeBackend(const Options& options) {
  if (options.ip_masq_backend.empty() && options.mac_spoof_check) return kGuardBackend;
  return options.ip_masq_backend;
}

}  // namespace

std::optional<std::string> BridgeDriver::Conflict(const Network& recorded,
                                                  const Network& wanted) const {
  const std::string before = OptionsOf(recorded).bridge;
  const std::string after = OptionsOf(wanted).bridge;
  if (before == after) return std::nullopt;
  return fmt::format("its bridge is {}, this configuration says {}", before, after);
}

void BridgeDriver::CreateEndpoint(const Network& network, Endpoint& endpoint) const {
  const Options options = OptionsOf(network);
  // Both MACs are derived: a container that comes back keeps its neighbours' trust, and a host link
  // is known as ours before its alias is set.
  endpoint.host_link =
      HostLink{.name = HostLinkName(endpoint.owner, 0), .mac = HostLinkMac(endpoint.owner)};
  if (endpoint.mac == net::Mac{}) endpoint.mac = DerivedMac("link of " + endpoint.owner);
  if (options.mac_spoof_check) {
    EnsureAttachment(endpoint, type(), kGuardBackend).rules.spoof_guard =
        firewall::SpoofGuard{.link = endpoint.host_link->name, .mac = endpoint.mac};
  }
}

void BridgeDriver::PlanAddressing(const Network& network, Endpoint& endpoint) const {
  const Options options = OptionsOf(network);
  if (!endpoint.address_source.empty() && endpoint.addressing.addresses.empty()) {
    throw Error(Code::kConfig, "IPAM plugin returned missing IP config", "$.ipam");
  }
  for (AddressGrant& grant : endpoint.addressing.addresses) {
    if (options.is_gateway && !grant.gateway) {
      grant.gateway = grant.prefix.Subnet().address.Next();
    }
    if (options.is_gateway && grant.gateway == grant.prefix.address) {
      throw Error(Code::kConfig,
                  fmt::format("address {} is the gateway's own", grant.prefix.address.ToString()),
                  "$.isGateway: the IPAM must not give out the gateway address");
    }
    if (options.ip_masq) {
      EnsureAttachment(endpoint, type(), MasqueradeBackend(options))
          .rules.masquerades.push_back({.source = grant.prefix});
    }
  }
  if (options.is_default_gateway) AddDefaultRoutes(endpoint.addressing);
}

}  // namespace cnm::bridge
