// take.cc: reading an inventory from the records of the core, the engine and the bridge driver.
#include <algorithm>
#include <map>
#include <optional>
#include <utility>

#include <fmt/format.h>

#include "cnm/drivers/bridge/links.h"
#include "cnm/drivers/local/network_table.h"
#include "cnm/engine/identifier.h"
#include "cnm/engine/records.h"
#include "cnm/id.h"
#include "cnm/inventory/inventory.h"
#include "cnm/store/file_store.h"
#include "common/base/error.h"
#include "common/base/log.h"

namespace cnm::inventory {
namespace {

constexpr char kCni[] = "cni";
constexpr char kApi[] = "api";

template <class Record>
std::map<std::string, Record> Load(const std::string& directory, const char* prefix,
                                   Record (*decode)(std::string_view)) {
  std::map<std::string, Record> records;
  FileStore store(directory, Durability::kVolatile);
  for (const StoredDocument& document : store.List(prefix)) {
    try {
      records.emplace(document.key.substr(document.key.rfind('/') + 1), decode(document.json));
    } catch (const Error& error) {
      Warn(fmt::format("{}: {}", document.key, error.message()));
    }
  }
  return records;
}

void AddSubnet(NetworkEntry& network, const net::Prefix& subnet,
               const std::optional<net::Prefix>& gateway) {
  if (subnet.length == 0) return;  // a network without addresses
  const std::string pool = subnet.Subnet().ToString();
  const bool known = std::any_of(network.subnets.begin(), network.subnets.end(),
                                 [&](const Subnet& one) { return one.pool == pool; });
  if (known) return;
  network.subnets.push_back({pool, gateway ? gateway->address.ToString() : std::string()});
}

void AddPools(NetworkEntry& network, const engine::NetworkConfig& config) {
  for (const engine::PoolData& pool : local::PoolsOf(config)) {
    AddSubnet(network, pool.pool, pool.gateway);
  }
  network.internal = network.internal || config.internal;
}

/// What the engine knows of an endpoint that the core does not.
struct EngineRecords {
  explicit EngineRecords(const Places& places)
      : networks(Load(places.durable, engine::kNetworkRecords, engine::DecodeNetworkRecord)),
        endpoints(Load(places.runtime, engine::kEndpointRecords, engine::DecodeEndpointRecord)),
        sandboxes(Load(places.runtime, engine::kSandboxRecords, engine::DecodeSandboxRecord)) {}

  void Complete(const engine::EndpointRecord& record, EndpointEntry& entry) const {
    entry.name = record.name;
    entry.ifname = record.link;
    const auto sandbox = sandboxes.find(record.sandbox_id);
    if (sandbox == sandboxes.end()) return;
    entry.container = sandbox->second.spec.container_id;
    if (entry.sandbox.empty()) entry.sandbox = sandbox->second.key;
  }

  std::map<std::string, engine::NetworkRecord> networks;
  std::map<std::string, engine::EndpointRecord> endpoints;
  std::map<std::string, engine::SandboxRecord> sandboxes;
};

EndpointEntry EntryOf(const Endpoint& endpoint, Controller& controller) {
  const bool cni = endpoint.door != kApi && endpoint.door != "docker";
  const std::string& key = endpoint.key.container_id;
  EndpointEntry entry{.network = endpoint.key.network,
                      .id = cni ? "" : key,
                      .container = cni ? key : "",
                      .ifname = endpoint.key.ifname,
                      .state = StateOf(endpoint, controller),
                      .owner = endpoint.owner,
                      .driver = endpoint.driver,
                      .door = endpoint.door,
                      .runtime = endpoint.runtime,
                      .sandbox = endpoint.sandbox.path,
                      .host_link = endpoint.host_link ? endpoint.host_link->name : "",
                      .mac = endpoint.mac.ToString()};
  entry.addresses.reserve(endpoint.addressing.addresses.size());
  for (const AddressGrant& grant : endpoint.addressing.addresses) {
    entry.addresses.push_back(grant.prefix.ToString());
  }
  return entry;
}

/// One of a driver that keeps no records in the core: host, null, a plugin.
EndpointEntry EntryOf(const engine::EndpointRecord& record, const engine::NetworkRecord& network) {
  EndpointEntry entry{.network = network.name,
                      .id = record.id,
                      .state = record.pending || record.moving ? "pending"
                               : record.sandbox_id.empty()     ? "created"
                                                               : "ready",
                      .driver = network.type,
                      .door = kApi,
                      .runtime = "cnmd"};
  if (record.boot_id != engine::BootId()) entry.state = "dead";
  if (record.interface.mac) entry.mac = record.interface.mac->ToString();
  for (const auto& address : {record.interface.address, record.interface.address_ipv6}) {
    if (address) entry.addresses.push_back(address->ToString());
  }
  return entry;
}

std::vector<EndpointEntry> Endpoints(Controller& controller, EngineRecords& engine) {
  std::vector<EndpointEntry> entries;
  for (const Endpoint& endpoint : controller.Endpoints()) {
    EndpointEntry entry = EntryOf(endpoint, controller);
    if (const auto record = engine.endpoints.find(entry.id); record != engine.endpoints.end()) {
      engine.Complete(record->second, entry);
      engine.endpoints.erase(record);
    }
    entries.push_back(std::move(entry));
  }
  for (const auto& [id, record] : engine.endpoints) {
    const auto network = engine.networks.find(record.network_id);
    if (network == engine.networks.end()) continue;
    EndpointEntry entry = EntryOf(record, network->second);
    engine.Complete(record, entry);
    entries.push_back(std::move(entry));
  }
  return entries;
}

using Networks = std::map<std::string, NetworkEntry>;

/// What the bridge drivers of the API and of Docker know of networks; the engine's among them are
/// taken out of its records. @returns by name whether each is another door's, in all their words
std::map<std::string, bool> AddLocalNetworks(const Places& places, EngineRecords& engine,
                                             Networks& networks) {
  std::map<std::string, bool> shared;
  for (const local::LocalNetwork& record : local::NetworkTable(places.durable, "").Recorded()) {
    NetworkEntry& network = networks[record.name];
    if (network.driver.empty()) {
      network = {.name = record.name, .driver = "bridge", .options = record.core};
    }
    const auto known = engine.networks.find(record.config.id);
    std::string title = known == engine.networks.end() ? record.config.name : known->second.name;
    network.doors.push_back({record.door, record.config.id, std::move(title)});
    AddPools(network, record.config);
    const bool others = shared.try_emplace(record.name, true).first->second;
    shared[record.name] = others && record.shared;
    engine.networks.erase(record.config.id);
  }
  return shared;
}

/// CNI knows a network that nobody else made, and one that its containers are on.
void AddCniMemberships(const std::map<std::string, bool>& shared,
                       const std::vector<EndpointEntry>& endpoints, Networks& networks) {
  for (auto& [name, network] : networks) {
    const bool used =
        std::any_of(endpoints.begin(), endpoints.end(), [&wanted = network.name](const auto& one) {
          return one.network == wanted && one.door == kCni;
        });
    const auto others = shared.find(name);
    if (others != shared.end() && !others->second && !used) continue;
    network.doors.insert(network.doors.begin(), {kCni, NetworkId(name), name});
  }
}

void AddGateways(const Places& places, Networks& networks) {
  FileStore store(places.runtime, Durability::kVolatile);
  for (const bridge::GatewayClaim& claim : bridge::ListGatewayClaims(store)) {
    const auto network = networks.find(claim.network);
    if (network != networks.end()) AddSubnet(network->second, claim.address, claim.address);
  }
}

/// Networks of drivers that keep no records in the core. One may have the name of a network of
/// CNI's.
void AddEngineNetworks(const EngineRecords& engine, Networks& networks) {
  for (const auto& [id, record] : engine.networks) {
    NetworkEntry network{.name = record.name, .driver = record.type};
    if (!record.config.options.empty()) network.options = record.config.options;
    network.doors.push_back({kApi, id, record.name});
    AddPools(network, record.config);
    networks.emplace(fmt::format("{} {}", record.name, id), std::move(network));
  }
}

}  // namespace

std::string StateOf(const Endpoint& endpoint, Controller& controller) {
  const bool created = endpoint.state == EndpointState::kCreated;
  if (endpoint.state != EndpointState::kReady && !created) return "pending";
  return controller.LivenessOf(endpoint) == Liveness::kDead ? "dead"
         : created                                          ? "created"
                                                            : "ready";
}

Inventory Take(Controller& controller, const Places& places) {
  EngineRecords engine(places);
  Inventory inventory{.networks = {}, .endpoints = Endpoints(controller, engine)};
  Networks networks;
  for (const Network& network : controller.Networks()) {
    networks[network.name] = {
        .name = network.name, .driver = network.driver, .options = network.options};
  }
  AddCniMemberships(AddLocalNetworks(places, engine, networks), inventory.endpoints, networks);
  AddGateways(places, networks);
  AddEngineNetworks(engine, networks);
  inventory.networks.reserve(networks.size());
  for (auto& [key, network] : networks) {
    network.endpoints = static_cast<int>(std::count_if(
        inventory.endpoints.begin(), inventory.endpoints.end(),
        [&wanted = network.name](const EndpointEntry& one) { return one.network == wanted; }));
    inventory.networks.push_back(std::move(network));
  }
  return inventory;
}

}  // namespace cnm::inventory
