// registry.cc: all objects of an engine in memory, and their records on disk.
#include "cnm/engine/registry.h"

#include <utility>

#include <fmt/format.h>

#include "cnm/store/file_store.h"
#include "common/base/error.h"
#include "common/base/log.h"
#include "common/base/rollback.h"

namespace cnm::engine {
namespace {

std::string KeyOf(const NetworkRecord& network) {
  return fmt::format("{}/{}", kNetworkRecords, network.config.id);
}
std::string KeyOf(const EndpointRecord& endpoint) {
  return fmt::format("{}/{}", kEndpointRecords, endpoint.id);
}
std::string KeyOf(const SandboxRecord& sandbox) {
  return fmt::format("{}/{}", kSandboxRecords, sandbox.id);
}

template <class Map>
typename Map::mapped_type FindIn(const Map& map, const std::string& key) {
  const auto found = map.find(key);
  return found == map.end() ? typename Map::mapped_type() : found->second;
}

}  // namespace

// A store is made for each change: it is two strings, and not for several threads.
void Registry::Write(bool durable, const std::string& key, const std::string& json) const {
  FileStore store(durable ? durable_ : runtime_,
                  durable ? Durability::kDurable : Durability::kVolatile);
  store.Put(key, json, kAnyVersion);
}

void Registry::Erase(bool durable, const std::string& key) const {
  FileStore store(durable ? durable_ : runtime_,
                  durable ? Durability::kDurable : Durability::kVolatile);
  store.Delete(key, kAnyVersion);
}

template <class Decode>
void Registry::LoadAll(bool durable, const char* prefix, const Decode& decode) {
  FileStore store(durable ? durable_ : runtime_, Durability::kVolatile);
  for (const StoredDocument& document : store.List(prefix)) {
    try {
      decode(document.json);
    } catch (const Error& error) {
      Warn(fmt::format("{}: {}", document.key, error.message()));
      if (error.code() != Code::kTryAgain) store.Quarantine(document.key);
    }
  }
}

void Registry::Load() {
  const std::lock_guard guard(mutex_);
  LoadAll(true, kNetworkRecords, [this](const std::string& json) {
    auto network = std::make_shared<const NetworkRecord>(DecodeNetworkRecord(json));
    network_names_[network->name] = network->config.id;
    networks_[network->config.id].record = network;
  });
  LoadAll(false, kEndpointRecords, [this](const std::string& json) {
    Insert(std::make_shared<const EndpointRecord>(DecodeEndpointRecord(json)));
  });
  LoadAll(false, kSandboxRecords, [this](const std::string& json) {
    auto sandbox = std::make_shared<const SandboxRecord>(DecodeSandboxRecord(json));
    containers_[sandbox->spec.container_id] = sandbox->id;
    sandboxes_[sandbox->id] = sandbox;
  });
}

/// With the lock held: the endpoint in all indices. An endpoint whose network is unknown is in none
/// of a network's.
void Registry::Insert(EndpointPointer endpoint) {
  const EndpointPointer old = FindIn(endpoints_, endpoint->id);
  if (old && !old->sandbox_id.empty() && old->sandbox_id != endpoint->sandbox_id) {
    joined_[old->sandbox_id].erase(old->id);
  }
  if (!endpoint->sandbox_id.empty()) joined_[endpoint->sandbox_id].insert(endpoint->id);
  const auto network = networks_.find(endpoint->network_id);
  if (network != networks_.end()) network->second.endpoints[endpoint->name] = endpoint->id;
  endpoints_[endpoint->id] = std::move(endpoint);
}

void Registry::Add(const NetworkRecord& network) {
  const auto fail = [](std::string_view what, const std::string& name) {
    throw Error(Code::kExists, fmt::format("network with {} {} already exists", what, name));
  };
  {
    const std::lock_guard guard(mutex_);
    if (network_names_.contains(network.name)) fail("name", network.name);
    if (networks_.contains(network.config.id)) fail("id", network.config.id);
    network_names_[network.name] = network.config.id;
    networks_[network.config.id].record = std::make_shared<const NetworkRecord>(network);
  }
  Rollback undo;
  undo.Push("take the name", [&] { Forget(network); });
  Put(network);
  undo.Commit();
}

void Registry::Add(const EndpointRecord& endpoint) {
  {
    const std::lock_guard guard(mutex_);
    const auto network = networks_.find(endpoint.network_id);
    if (network == networks_.end() || network->second.record->pending) {
      throw Error(Code::kNotFound, fmt::format("network {} not found", endpoint.network_id));
    }
    if (network->second.endpoints.contains(endpoint.name)) {
      throw Error(Code::kExists,
                  fmt::format("service endpoint with name {} already exists", endpoint.name));
    }
    Insert(std::make_shared<const EndpointRecord>(endpoint));
  }
  Rollback undo;
  undo.Push("take the name", [&] { Forget(endpoint); });
  Put(endpoint);
  undo.Commit();
}

void Registry::Add(const SandboxRecord& sandbox) {
  {
    const std::lock_guard guard(mutex_);
    if (containers_.contains(sandbox.spec.container_id)) {
      throw Error(Code::kConfig,
                  fmt::format("container {} is already present", sandbox.spec.container_id),
                  fmt::format("sandbox {}", containers_[sandbox.spec.container_id]));
    }
    containers_[sandbox.spec.container_id] = sandbox.id;
    sandboxes_[sandbox.id] = std::make_shared<const SandboxRecord>(sandbox);
  }
  Rollback undo;
  undo.Push("take the name", [&] { Forget(sandbox); });
  Put(sandbox);
  undo.Commit();
}

void Registry::Put(const NetworkRecord& network) {
  Write(true, KeyOf(network), Encode(network));
  const std::lock_guard guard(mutex_);
  networks_[network.config.id].record = std::make_shared<const NetworkRecord>(network);
}

void Registry::Put(const EndpointRecord& endpoint) {
  Write(false, KeyOf(endpoint), Encode(endpoint));
  const std::lock_guard guard(mutex_);
  Insert(std::make_shared<const EndpointRecord>(endpoint));
}

void Registry::Put(const SandboxRecord& sandbox) {
  Write(false, KeyOf(sandbox), Encode(sandbox));
  const std::lock_guard guard(mutex_);
  sandboxes_[sandbox.id] = std::make_shared<const SandboxRecord>(sandbox);
}

void Registry::Remove(const NetworkRecord& network) {
  Erase(true, KeyOf(network));
  Forget(network);
}

void Registry::Forget(const NetworkRecord& network) {
  const std::lock_guard guard(mutex_);
  networks_.erase(network.config.id);
  network_names_.erase(network.name);
}

void Registry::Remove(const EndpointRecord& endpoint) {
  Erase(false, KeyOf(endpoint));
  Forget(endpoint);
}

void Registry::Forget(const EndpointRecord& endpoint) {
  const std::lock_guard guard(mutex_);
  const auto network = networks_.find(endpoint.network_id);
  if (network != networks_.end()) network->second.endpoints.erase(endpoint.name);
  const auto joined = joined_.find(endpoint.sandbox_id);
  if (joined != joined_.end()) joined->second.erase(endpoint.id);
  endpoints_.erase(endpoint.id);
}

void Registry::Remove(const SandboxRecord& sandbox) {
  Erase(false, KeyOf(sandbox));
  Forget(sandbox);
}

void Registry::Forget(const SandboxRecord& sandbox) {
  const std::lock_guard guard(mutex_);
  containers_.erase(sandbox.spec.container_id);
  joined_.erase(sandbox.id);
  sandboxes_.erase(sandbox.id);
}

NetworkRecord Registry::BeginDelete(const std::string& network_id) {
  NetworkPointer seen;
  NetworkRecord record;
  {
    const std::lock_guard guard(mutex_);
    const auto found = networks_.find(network_id);
    if (found == networks_.end() || found->second.record->pending) {
      throw Error(Code::kNotFound, fmt::format("network {} not found", network_id));
    }
    seen = found->second.record;
    record = *seen;
    if (!found->second.endpoints.empty()) {
      throw Error(
          Code::kInUse,
          fmt::format("network with name {} id {} has active endpoints", record.name, network_id),
          fmt::format("remove {} first{}", found->second.endpoints.begin()->first,
                      found->second.endpoints.size() > 1
                          ? fmt::format(" and {} more", found->second.endpoints.size() - 1)
                          : ""));
    }
    record.pending = true;
    found->second.record = std::make_shared<const NetworkRecord>(record);
  }
  Rollback undo;
  undo.Push("take out of sight", [&] {
    const std::lock_guard guard(mutex_);
    networks_[network_id].record = seen;
  });
  Put(record);
  undo.Commit();
  return record;
}

NetworkPointer Registry::FindNetwork(const std::string& id) const {
  const std::lock_guard guard(mutex_);
  const auto found = networks_.find(id);
  return found == networks_.end() ? nullptr : found->second.record;
}

bool Registry::HasNetwork(const std::string& id) const {
  NetworkRecord named;
  named.config.id = id;
  return FindNetwork(id) || FileStore(durable_, Durability::kDurable).Get(KeyOf(named));
}

NetworkPointer Registry::FindNetworkByName(const std::string& name) const {
  const std::lock_guard guard(mutex_);
  const auto id = network_names_.find(name);
  return id == network_names_.end() ? nullptr : networks_.at(id->second).record;
}

EndpointPointer Registry::FindEndpoint(const std::string& id) const {
  const std::lock_guard guard(mutex_);
  return FindIn(endpoints_, id);
}

EndpointPointer Registry::FindEndpointByName(const std::string& network_id,
                                             const std::string& name) const {
  const std::lock_guard guard(mutex_);
  const auto network = networks_.find(network_id);
  if (network == networks_.end()) return nullptr;
  return FindIn(endpoints_, FindIn(network->second.endpoints, name));
}

SandboxPointer Registry::FindSandbox(const std::string& id) const {
  const std::lock_guard guard(mutex_);
  return FindIn(sandboxes_, id);
}

SandboxPointer Registry::FindSandboxOf(const std::string& container_id) const {
  const std::lock_guard guard(mutex_);
  return FindIn(sandboxes_, FindIn(containers_, container_id));
}

std::vector<NetworkPointer> Registry::Networks() const {
  const std::lock_guard guard(mutex_);
  std::vector<NetworkPointer> networks;
  networks.reserve(network_names_.size());
  for (const auto& [name, id] : network_names_) networks.push_back(networks_.at(id).record);
  return networks;
}

std::vector<EndpointPointer> Registry::Endpoints(const std::string& network_id) const {
  const std::lock_guard guard(mutex_);
  std::vector<EndpointPointer> endpoints;
  const auto network = networks_.find(network_id);
  if (network == networks_.end()) return endpoints;
  endpoints.reserve(network->second.endpoints.size());
  for (const auto& [name, id] : network->second.endpoints) endpoints.push_back(endpoints_.at(id));
  return endpoints;
}

std::vector<EndpointPointer> Registry::AllEndpoints() const {
  const std::lock_guard guard(mutex_);
  std::vector<EndpointPointer> endpoints;
  endpoints.reserve(endpoints_.size());
  for (const auto& [id, endpoint] : endpoints_) endpoints.push_back(endpoint);
  return endpoints;
}

std::vector<EndpointPointer> Registry::EndpointsIn(const std::string& sandbox_id) const {
  const std::lock_guard guard(mutex_);
  std::vector<EndpointPointer> endpoints;
  const auto joined = joined_.find(sandbox_id);
  if (joined == joined_.end()) return endpoints;
  endpoints.reserve(joined->second.size());
  for (const std::string& id : joined->second) endpoints.push_back(endpoints_.at(id));
  return endpoints;
}

std::vector<SandboxPointer> Registry::Sandboxes() const {
  const std::lock_guard guard(mutex_);
  std::vector<SandboxPointer> sandboxes;
  sandboxes.reserve(containers_.size());
  for (const auto& [container, id] : containers_) sandboxes.push_back(sandboxes_.at(id));
  return sandboxes;
}

}  // namespace cnm::engine
