// networks.cc: creating and deleting the local driver's networks.
#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "cnm/drivers/bridge/links.h"
#include "cnm/drivers/local/endpoint_details.h"
#include "cnm/drivers/local/local_driver.h"
#include "cnm/engine/option_names.h"
#include "cnm/id.h"
#include "cnm/lease_source.h"
#include "cnm/pools/lease_network.h"
#include "common/base/error.h"
#include "common/base/log.h"
#include "common/json/object.h"

namespace cnm::local {
namespace {

/// How the door's own client is told to share a network.
std::string SharingHint(const std::string& door, const std::string& name) {
  return fmt::format("to share that network: {2} {0}={1} --ipam-opt {0}={1}", pools::kNetworkOption,
                     name, door == "docker" ? "-o" : "--opt");
}

[[noreturn]] void FailOverlap(const LocalNetwork& network, const net::Prefix& pool,
                              const net::Prefix& other, const std::string& name) {
  throw Error(Code::kOverlap,
              fmt::format("subnet {} of network {} overlaps {} of network {}", pool.ToString(),
                          network.name, other.ToString(), name),
              SharingHint(network.door, name));
}

using Taken = std::vector<std::pair<net::Prefix, std::string>>;

/// A network has the subnets that it has: containers in others would be on its bridge, and neither
/// its gateway nor its other containers would know. IPv4 and IPv6 are asked apart: one may come to
/// the other.
void RequireSameSubnets(const LocalNetwork& network, const Taken& taken) {
  for (const engine::PoolData& pool : PoolsOf(network.config)) {
    if (pool.pool.length == 0) continue;
    const net::Prefix* other = nullptr;
    bool known = false;
    for (const auto& [prefix, name] : taken) {
      if (name != network.name || prefix.length == 0) continue;
      if (prefix.address.is_v4() != pool.pool.address.is_v4()) continue;
      other = &prefix;
      known = known || prefix.Subnet() == pool.pool;
    }
    if (other == nullptr || known) continue;
    throw Error(
        Code::kConfig,
        fmt::format("subnet {} is not network {}'s, which has {}", pool.pool.ToString(),
                    network.name, other->Subnet().ToString()),
        fmt::format("give --subnet {}, or tie it to no network", other->Subnet().ToString()));
  }
}

}  // namespace

/// The network in the core: as recorded there, whoever did it, else as it was first.
Network LocalDriver::CoreNetwork(const LocalNetwork& network, Controller& controller) const {
  if (std::optional<Network> recorded = controller.FindNetwork(network.name)) {
    return *std::move(recorded);
  }
  return {.name = network.name,
          .id = NetworkId(network.name),
          .driver = type(),
          .options = network.core};
}

LocalNetwork LocalDriver::PlanNetwork(const engine::NetworkConfig& config,
                                      Controller& controller) const {
  LocalNetwork network{.config = config, .door = options_.door, .name = {}, .core = {}};
  network.options = DecodeNetworkOptions(config);
  if (!config.options.empty()) {
    engine::CheckOwnOptions(json::Parse(config.options, "network options"));
  }
  const bool tied = !network.options.network.empty();
  network.name = tied ? network.options.network : DefaultName(options_.door, config);
  if (tied) OpenLeases(options_.lease_directory, network.name);  // throws for a bad name
  const std::optional<Network> recorded = controller.FindNetwork(network.name);
  if (recorded && recorded->driver != type()) {
    throw Error(Code::kConfig, fmt::format("network {} is a {} network, not a bridge", network.name,
                                           recorded->driver));
  }
  network.shared = recorded.has_value();
  if (network.shared && !tied) {
    throw Error(Code::kExists, fmt::format("network {} exists already", network.name),
                SharingHint(options_.door, network.name));
  }
  network.core =
      recorded ? recorded->options : MakeCoreNetwork(network.name, config, network.options).options;
  for (const engine::PoolData& pool : PoolsOf(config)) {
    network.lease_networks.push_back(
        tied ? network.name
             : pools::FindLeaseNetwork(options_.durable_directory, pool.address_space, pool.pool));
  }
  return network;
}

/// Two networks with one subnet work only when they know of each other's leases.
void LocalDriver::RequireNoOverlap(const LocalNetwork& network) const {
  Taken taken;
  FileStore store(options_.paths.runtime, Durability::kVolatile);
  for (const bridge::GatewayClaim& claim : bridge::ListGatewayClaims(store)) {
    taken.emplace_back(claim.address, claim.network);
  }
  for (const LocalNetwork& other : networks_.Recorded()) {
    const bool same_bridge = other.name != network.name && !network.shared &&
                             BridgeOf(other.core) == BridgeOf(network.core);
    if (same_bridge) {
      throw Error(Code::kExists,
                  fmt::format("network {} conflicts with network {} ({}) by bridge name",
                              network.name, other.name, BridgeOf(other.core)));
    }
    for (const engine::PoolData& pool : PoolsOf(other.config)) {
      taken.emplace_back(pool.pool, other.name);
    }
  }
  RequireSameSubnets(network, taken);
  for (const engine::PoolData& pool : PoolsOf(network.config)) {
    for (const auto& [prefix, name] : taken) {
      if (name == network.name || pool.pool.length == 0) continue;
      if (pool.pool.Overlaps(prefix)) FailOverlap(network, pool.pool, prefix, name);
    }
  }
}

void LocalDriver::Make(const LocalNetwork& network, Controller& controller) const {
  controller.CreateNetwork(CoreNetwork(network, controller), BridgeAddresses(network));
  // Of an internal network too: where br_netfilter is loaded, a policy of DROP meets what stays on
  // the bridge as well.
  controller.Forward(CoreNetwork(network, controller), SubnetsOf(network), true);
}

void LocalDriver::CreateNetwork(const engine::NetworkConfig& config) {
  if (config.id.empty()) throw Error(Code::kConfig, "invalid network id: ");
  const std::lock_guard guard(changes_);
  Controller controller = OpenController("CreateNetwork");
  if (const auto known = networks_.Find(config.id)) {
    if (known->config != config) {
      throw Error(Code::kExists, fmt::format("network {} exists", config.id),
                  "with other options or pools");
    }
    return Make(*known, controller);
  }
  LocalNetwork network = PlanNetwork(config, controller);
  RequireNoOverlap(network);
  networks_.Put(network);  // before the kernel changes: a kill must not leave an unknown bridge
  try {
    Make(network, controller);
  } catch (const Error&) {
    Rollback undo;
    undo.Push("record", [&] { networks_.Remove(config.id); });
    if (!network.shared) {
      undo.Push("bridge", [&] { controller.DeleteNetwork(CoreNetwork(network, controller)); });
    } else if (!HasNamesake(network)) {
      undo.Push("forwarding", [&] { controller.EndForwarding(network.name); });
    }
    throw;
  }
}

/// What Docker forgot after a call of its failed.
void LocalDriver::RemoveLeftEndpoints(const LocalNetwork& network) {
  Controller controller = OpenController("DeleteNetwork", true);
  for (const Endpoint& endpoint : controller.Endpoints()) {
    if (endpoint.key.network != network.name || endpoint.door != options_.door) continue;
    if (DetailsOf(endpoint).network_id != network.config.id) continue;
    const engine::Busy::Hold hold = changing_.Acquire({endpoint.key.container_id});
    RemoveEndpoint(endpoint, controller);
  }
}

/// Whether another network, of whichever door, is tied to the same one in the core.
bool LocalDriver::HasNamesake(const LocalNetwork& network) const {
  const std::vector<LocalNetwork> recorded = networks_.Recorded();
  return std::any_of(recorded.begin(), recorded.end(), [&](const LocalNetwork& other) {
    return other.name == network.name && other.config.id != network.config.id;
  });
}

/// Whether its bridge is this network's alone.
bool LocalDriver::IsOurs(const LocalNetwork& network, Controller& controller) const {
  if (network.shared || CoreNetwork(network, controller).options != network.core) return false;
  const std::vector<Endpoint> endpoints = controller.Endpoints();
  return !HasNamesake(network) &&
         std::none_of(endpoints.begin(), endpoints.end(), [&](const Endpoint& endpoint) {
           return endpoint.key.network == network.name && endpoint.door != options_.door;
         });
}

std::string LocalDriver::NetworkName(const std::string& network_id) const {
  const auto network = networks_.Find(network_id);
  return network ? network->name : network_id.substr(0, 12);
}

std::vector<engine::NetworkConfig> LocalDriver::Networks() const {
  const auto networks = networks_.All();
  std::vector<engine::NetworkConfig> configs;
  configs.reserve(networks.size());
  for (const auto& network : networks) configs.push_back(network->config);
  return configs;
}

std::vector<std::string> LocalDriver::LiveEndpoints(const std::string& network_id) const {
  const auto network = networks_.Find(network_id);
  Controller controller = OpenController("LiveEndpoints");
  std::vector<std::string> live;
  for (const Endpoint& endpoint : network ? controller.Endpoints() : std::vector<Endpoint>()) {
    const bool here = endpoint.key.network == network->name && endpoint.door == options_.door &&
                      DetailsOf(endpoint).network_id == network_id;
    if (!here || endpoint.state != EndpointState::kReady) continue;
    if (controller.LivenessOf(endpoint) == Liveness::kAlive) {
      live.push_back(endpoint.key.container_id);
    }
  }
  return live;
}

void LocalDriver::DeleteNetwork(const std::string& network_id) {
  const std::lock_guard guard(changes_);
  const auto network = networks_.Find(network_id);
  if (!network) return;
  RemoveLeftEndpoints(*network);
  Controller controller = OpenController("DeleteNetwork");
  const Network core = CoreNetwork(*network, controller);
  if (IsOurs(*network, controller)) {
    controller.DeleteNetwork(core);  // first: where it is refused, the network keeps its rules
  } else if (!HasNamesake(*network)) {
    controller.EndForwarding(network->name);
  }
  if (const auto isolation = IsolationOf(*network, core)) controller.EndIsolation(*isolation);
  controller.ForgetSubnets(SubnetsOf(*network));
  networks_.Remove(network_id);
}

}  // namespace cnm::local
