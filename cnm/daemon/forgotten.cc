// forgotten.cc: what nobody will ask to be removed any more.
#include "cnm/daemon/forgotten.h"

#include <algorithm>
#include <exception>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "common/base/error.h"
#include "common/base/log.h"

namespace cnm::daemon {
namespace {

using Claims = std::map<std::pair<std::string, net::Prefix>, pools::PoolClaim>;

template <class Work>
void Try(const Work& work) {
  try {
    work();
  } catch (const std::exception& e) {
    Warn(fmt::format("reconcile: {}", e.what()));
  }
}

void AddClaims(const engine::NetworkConfig& network, unsigned grace, Claims& claims) {
  for (const auto* pools : {&network.ipv4, &network.ipv6}) {
    for (const engine::PoolData& pool : *pools) {
      const net::Prefix subnet = pool.pool.Subnet();
      pools::PoolClaim& claim = claims[{pool.address_space, subnet}];
      claim.address_space = pool.address_space;
      claim.pool = subnet;
      ++claim.uses;
      claim.grace = std::max(claim.grace, grace);
      for (const auto& [name, address] : pool.aux) claim.addresses.insert(address.address);
    }
  }
}

/// What the engine's and Docker's records say of our pools.
Claims ClaimsOf(const Assembly& parts) {
  Claims claims;
  for (const engine::NetworkInfo& network : parts.engine->Networks()) {
    AddClaims(network.config, parts.serving ? kForgottenAfter : 0, claims);
  }
  std::vector<net::Address> addresses;
  for (const engine::EndpointInfo& endpoint : parts.engine->Endpoints()) {
    for (const auto& prefix : {endpoint.interface.address, endpoint.interface.address_ipv6}) {
      if (prefix) addresses.push_back(prefix->address);
    }
  }
  if (parts.docker_bridge) {
    for (const engine::NetworkConfig& network : parts.docker_bridge->Networks()) {
      if (parts.docker_ipam->Has(network.id)) AddClaims(network, kForgottenAfter, claims);
    }
  }
  for (auto& [key, claim] : claims) claim.addresses.insert(addresses.begin(), addresses.end());
  return claims;
}

void ReleaseUnclaimed(const Assembly& parts) {
  for (const auto& [key, claim] : ClaimsOf(parts)) {
    if (claim.pool.length > 0) Try([&, &one = claim] { parts.pools->ReleaseUnclaimed(one); });
  }
}

/// What our driver could not delete when the engine did. The engine writes a network down before
/// the driver does, and forgets it afterwards: so one that it does not know is nobody's.
void DeleteOrphans(const Assembly& parts) {
  for (const engine::NetworkConfig& network : parts.api_bridge->Networks()) {
    Try([&, &id = network.id] {
      if (parts.engine->KnowsNetwork(id) || !parts.api_bridge->LiveEndpoints(id).empty()) return;
      Warn(fmt::format("network {} could not be deleted before: deleted", id));
      parts.api_bridge->DeleteNetwork(id);
    });
  }
}

}  // namespace

void ReleaseUnwritten(Assembly& parts) {
  Try([&] { ReleaseUnclaimed(parts); });
  parts.serving = true;
}

size_t CollectForgotten(Assembly& parts) {
  size_t touched = 0;
  Try([&] {
    touched += parts.api_bridge->Reconcile(
        kForgottenAfter, [&](const std::string& id) { return parts.engine->KnowsEndpoint(id); });
  });
  Try([&] { parts.engine->UndoLeft(); });
  DeleteOrphans(parts);
  if (parts.docker_bridge) {
    Try([&] { touched += parts.docker_bridge->Reconcile(kForgottenAfter); });
    Try([&] {
      for (const std::string& id : parts.docker_ipam->Ended()) {
        // Docker removes no network with containers: whatever was released was not its to release.
        if (!parts.docker_bridge->LiveEndpoints(id).empty()) {
          Warn(
              fmt::format("docker has released the pools of network {}, where containers run: "
                          "kept until they end",
                          id));
          continue;
        }
        Warn(fmt::format("docker has released the pools of network {}: deleted", id));
        parts.docker_bridge->DeleteNetwork(id);
        parts.docker_ipam->RemoveNetwork(id);
      }
    });
    Try([&] { parts.docker_ipam->ReleaseForgotten(kForgottenAfter); });
  }
  Try([&] { ReleaseUnclaimed(parts); });
  return touched;
}

}  // namespace cnm::daemon
