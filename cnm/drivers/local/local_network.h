// local_network.h: one network of the local driver: its record, and what follows from it.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "cnm/drivers/local/network_options.h"
#include "cnm/engine/values.h"
#include "cnm/network.h"
#include "common/firewall/firewall.h"

namespace cnm::local {

/// What is kept of a network until it is deleted: Docker tells of it once, at its creation.
struct LocalNetwork {
  engine::NetworkConfig config;
  std::string door;     ///< whose: "api", "docker"
  std::string name;     ///< of the cnm network
  std::string core;     ///< the core's options of it when it was created, JSON
  bool shared = false;  ///< another door made it: its bridge and options are not ours
  /// The lease directory of each pool, IPv4 first.
  std::vector<std::string> lease_networks;
  NetworkOptions options = {};  ///< decoded from `config`; not recorded
  bool operator==(const LocalNetwork&) const = default;
};

/// The names that are derived where nobody gives one: "docker-1a2b3c4d5e6f", "br-1a2b3c4d5e6f".
std::string DefaultName(std::string_view door, const engine::NetworkConfig& config);
std::string DefaultBridge(const engine::NetworkConfig& config);

/// The core's network for these options, when no other door has made it.
Network MakeCoreNetwork(const std::string& name, const engine::NetworkConfig& config,
                        const NetworkOptions& options);

/// The name of the bridge in a core network's options.
std::string BridgeOf(const std::string& core);

/// What is to be kept from the network's bridge; nullopt = nothing.
std::optional<firewall::Isolation> IsolationOf(const LocalNetwork& network, const Network& core);

/// The addresses the bridge is to have.
std::vector<net::Prefix> BridgeAddresses(const LocalNetwork& network);
/// What endpoints with an address in this pool route through; nullopt = nothing.
std::optional<net::Address> GatewayFor(const LocalNetwork& network, const net::Address& address);
/// The index of the pool that holds the address, IPv4 pools first; nullopt if none does.
std::optional<size_t> FindPool(const LocalNetwork& network, const net::Address& address);
/// All pools, IPv4 first; and their subnets.
std::vector<engine::PoolData> PoolsOf(const engine::NetworkConfig& config);
std::vector<net::Prefix> SubnetsOf(const LocalNetwork& network);

/// As a JSON document, and back. @throws Error kDecode
std::string Encode(const LocalNetwork& network);
LocalNetwork DecodeLocalNetwork(std::string_view json);

}  // namespace cnm::local
