// local_network.cc: one network of the local driver: its record, and what follows from it.
#include "cnm/drivers/local/local_network.h"

#include <algorithm>

#include <fmt/format.h>

#include "cnm/drivers/bridge/options.h"
#include "cnm/engine/labels.h"
#include "cnm/id.h"
#include "common/json/object.h"
#include "common/json/writer.h"

namespace cnm::local {
namespace {

/// An id that is unique in its first 12 characters; ids of other make are hashed.
std::string ShortId(const std::string& id) {
  const bool hex = id.size() == 64 && id.find_first_not_of("0123456789abcdef") == std::string::npos;
  return hex ? id.substr(0, 12) : NetworkId(id).substr(0, 12);
}

/// The bridge's address in this pool.
net::Prefix BridgeAddress(const LocalNetwork& network, const engine::PoolData& pool) {
  const auto& given = network.options.address;
  if (given && pool.pool.Contains(given->address)) return {given->address, pool.pool.length};
  if (pool.gateway) return {pool.gateway->address, pool.pool.length};
  return {pool.pool.address.Next(), pool.pool.length};
}

}  // namespace

std::string DefaultName(std::string_view door, const engine::NetworkConfig& config) {
  if (!config.name.empty()) return config.name;
  return fmt::format("{}-{}", door, ShortId(config.id));
}

std::string DefaultBridge(const engine::NetworkConfig& config) {
  return fmt::format("br-{}", ShortId(config.id));
}

Network MakeCoreNetwork(const std::string& name, const engine::NetworkConfig& config,
                        const NetworkOptions& options) {
  bridge::Options core;
  core.bridge = options.bridge.empty() ? DefaultBridge(config) : options.bridge;
  core.is_gateway = !options.bare;
  core.ip_masq = options.masquerade && !options.internal;
  core.mtu = options.mtu;
  core.hairpin = true;  // an endpoint reaches its own published ports
  return {.name = name, .id = NetworkId(name), .driver = "bridge", .options = Encode(core)};
}

std::string BridgeOf(const std::string& core) {
  return bridge::Decode(json::Parse(core, "bridge options")).bridge;
}

std::optional<firewall::Isolation> IsolationOf(const LocalNetwork& network, const Network& core) {
  const NetworkOptions& options = network.options;
  // A network that CNI's containers are on stays as their configuration says.
  if (!options.network.empty() && options.icc && !options.internal) return std::nullopt;
  return firewall::Isolation{
      .bridge = BridgeOf(core.options), .within = !options.icc, .internal = options.internal};
}

std::vector<engine::PoolData> PoolsOf(const engine::NetworkConfig& config) {
  std::vector<engine::PoolData> pools = config.ipv4;
  pools.insert(pools.end(), config.ipv6.begin(), config.ipv6.end());
  return pools;
}

std::vector<net::Prefix> BridgeAddresses(const LocalNetwork& network) {
  std::vector<net::Prefix> addresses;
  if (network.options.bare) return addresses;
  const std::vector<engine::PoolData> pools = PoolsOf(network.config);
  addresses.reserve(pools.size());
  for (const engine::PoolData& pool : pools) {
    if (pool.pool.length == 0) continue;  // a network without addresses
    addresses.push_back(BridgeAddress(network, pool));
  }
  return addresses;
}

std::optional<size_t> FindPool(const LocalNetwork& network, const net::Address& address) {
  const std::vector<engine::PoolData> pools = PoolsOf(network.config);
  for (size_t i = 0; i < pools.size(); ++i) {
    if (pools[i].pool.Contains(address)) return i;
  }
  return std::nullopt;
}

std::optional<net::Address> GatewayFor(const LocalNetwork& network, const net::Address& address) {
  const std::optional<size_t> pool = FindPool(network, address);
  if (!pool) return std::nullopt;
  return BridgeAddress(network, PoolsOf(network.config)[*pool]).address;
}

std::vector<net::Prefix> SubnetsOf(const LocalNetwork& network) {
  std::vector<net::Prefix> subnets;
  subnets.reserve(network.config.ipv4.size() + network.config.ipv6.size());
  for (const engine::PoolData& pool : PoolsOf(network.config)) {
    if (pool.pool.length != 0) subnets.push_back(pool.pool);  // else it has no addresses
  }
  return subnets;
}

std::string Encode(const LocalNetwork& network) {
  json::Writer w;
  w.BeginObject().Member("schema", 1).Member("id", network.config.id);
  w.MemberUnlessEmpty("title", network.config.name)
      .Member("door", network.door)
      .Member("name", network.name)
      .Member("shared", network.shared);
  w.Key("core").Raw(network.core);
  w.Key("leaseNetworks").BeginArray();
  for (const std::string& name : network.lease_networks) w.String(name);
  w.EndArray();
  engine::EncodeNetworkOptions(network.config, w.Key("options"));
  engine::EncodePools(network.config.ipv4, w.Key("ipv4"));
  engine::EncodePools(network.config.ipv6, w.Key("ipv6"));
  return w.EndObject().Take();
}

LocalNetwork DecodeLocalNetwork(std::string_view json) {
  const json::Object o = json::Parse(json, "bridge network record");
  LocalNetwork network;
  o.Required("id", network.config.id);
  o.Optional("title", network.config.name);
  o.Required("door", network.door);
  o.Required("name", network.name);
  o.Optional("shared", network.shared);
  network.core = o.RequiredObject("core").Text();
  o.Optional("leaseNetworks", network.lease_networks);
  engine::DecodeNetworkOptions(o.RequiredObject("options"), network.config);
  network.config.ipv4 = engine::DecodePools(o, "ipv4");
  network.config.ipv6 = engine::DecodePools(o, "ipv6");
  network.options = DecodeNetworkOptions(network.config);
  return network;
}

}  // namespace cnm::local
