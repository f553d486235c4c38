// endpoint.cc: creating and deleting endpoints.
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "cnm/engine/addresses.h"
#include "cnm/engine/core.h"
#include "cnm/engine/identifier.h"
#include "cnm/engine/labels.h"
#include "cnm/sandbox/etc_hosts.h"
#include "common/base/error.h"
#include "common/base/log.h"
#include "common/base/rollback.h"
#include "common/json/object.h"
#include "common/json/writer.h"

namespace cnm::engine {
namespace {

/// As in the DNS: endpoints' names are host names.
constexpr size_t kLongestName = 253;

void CheckName(const std::string& name) {
  if (name.size() > kLongestName) {
    throw Error(Code::kConfig,
                fmt::format("invalid name: {} is longer than {} bytes", name, kLongestName));
  }
  // It becomes a name in hosts files.
  if (!etc_hosts::IsName(name)) {
    throw Error(Code::kConfig, fmt::format("invalid name: {}", name),
                "an endpoint's name is not blank and has no white space, '#' and control "
                "character");
  }
}

/// All labels as a driver gets them: the caller's own, and those that the spec has members for.
std::string LabelsOf(const EndpointRecord& endpoint) {
  json::Writer w;
  w.BeginObject();
  if (!endpoint.options.empty()) {
    const json::Object own = json::Parse(endpoint.options, "endpoint options");
    for (const auto& [key, value] : own.Members()) {
      if (key == kPortMapLabel || key == kExposedPortsLabel) continue;
      w.Key(key).Raw(value.Text());
    }
  }
  w.Key(kExposedPortsLabel);
  EncodeExposedPorts(endpoint.exposed_ports, w);
  w.Key(kPortMapLabel);
  EncodePortBindings(endpoint.port_bindings, w);
  return w.EndObject().Take();
}

/// What the driver chose, where nothing was wanted.
void Complete(Interface& interface, const Interface& chosen) {
  if (!interface.mac) interface.mac = chosen.mac;
  if (!interface.address) interface.address = chosen.address;
  if (!interface.address_ipv6) interface.address_ipv6 = chosen.address_ipv6;
}

EndpointRecord MakeRecord(const EndpointSpec& spec, const std::string& network_id) {
  CheckName(spec.name);
  for (const std::string& alias : spec.aliases) CheckName(alias);
  EndpointRecord record;
  record.name = spec.name;
  record.id = NewId();
  record.network_id = network_id;
  record.exposed_ports = spec.exposed_ports;
  record.port_bindings = spec.port_bindings;
  record.options = spec.options;
  record.aliases = spec.aliases;
  record.interface = spec.interface;
  if (spec.options.empty()) return record;
  const json::Object options = json::Parse(spec.options, "endpoint options");
  if (record.port_bindings.empty()) record.port_bindings = DecodePortBindings(options);
  if (record.exposed_ports.empty()) record.exposed_ports = DecodeExposedPorts(options);
  if (!record.interface.mac) record.interface.mac = DecodeMacLabel(options);
  return record;
}

}  // namespace

std::string Engine::Core::CreateEndpoint(const std::string& network_id, const EndpointSpec& spec,
                                         const std::string& gateway_id) {
  const NetworkPointer network = GetNetwork(network_id);
  EndpointRecord endpoint = MakeRecord(spec, network_id);
  endpoint.boot_id = boot_id_;
  endpoint.gateway = !gateway_id.empty();
  if (endpoint.gateway) endpoint.id = gateway_id;
  endpoint.options = LabelsOf(endpoint);
  registry_.Add(endpoint);
  Rollback undo;
  undo.Push("create endpoint", [&] { UndoEndpoint(endpoint); });
  MakeEndpoint(*network, endpoint);
  endpoint.pending = false;
  registry_.Put(endpoint);
  undo.Commit();
  RefreshNeighbours(network_id);
  return endpoint.id;
}

void Engine::Core::MakeEndpoint(const NetworkRecord& network, EndpointRecord& endpoint) {
  if (!network.ipam.empty()) {
    RequestAddresses(*IpamOf(network), network, endpoint, [&] { registry_.Put(endpoint); });
  }
  try {
    Complete(endpoint.interface,
             DriverOf(network)->CreateEndpoint({.network_id = endpoint.network_id,
                                                .id = endpoint.id,
                                                .interface = endpoint.interface,
                                                .exposed_ports = endpoint.exposed_ports,
                                                .port_bindings = endpoint.port_bindings,
                                                .options = endpoint.options}));
  } catch (Error& error) {
    error.AddContext(
        fmt::format("failed to create endpoint {} on network {}", endpoint.name, network.name));
    throw;
  }
}

void Engine::Core::DeleteEndpoint(const std::string& network_id, const std::string& id,
                                  bool force) {
  // Which sandbox is to be held is known only after looking, and may change until it is.
  for (;;) {
    const std::string sandbox_id = GetEndpoint(network_id, id)->sandbox_id;
    std::vector<std::string> objects = {id};
    if (!sandbox_id.empty()) objects.push_back(sandbox_id);
    const Busy::Hold hold = busy_.Acquire(std::move(objects));
    const EndpointPointer endpoint = GetEndpoint(network_id, id);
    if (endpoint->sandbox_id != sandbox_id) continue;
    RequirePlugins(*GetNetwork(network_id), force);
    if (!sandbox_id.empty()) {
      const SandboxPointer sandbox = GetSandbox(sandbox_id);
      if (!force) {
        throw Error(
            Code::kInUse,
            fmt::format("endpoint with name {} id {} has active containers", endpoint->name, id),
            fmt::format("container {} is attached: detach it first, or use force",
                        sandbox->spec.container_id));
      }
      LeaveLocked(*sandbox, *endpoint);
      TrySettleGateway(*sandbox);
    }
    // The gateway network's own endpoint may have gone with its reason.
    const EndpointPointer left = registry_.FindEndpoint(id);
    if (left) RemoveEndpoint(*left);
    return;
  }
}

/// With the endpoint's lock held, nobody being joined.
void Engine::Core::RemoveEndpoint(EndpointRecord endpoint) {
  const NetworkPointer network = registry_.FindNetwork(endpoint.network_id);
  endpoint.pending = true;
  registry_.Put(endpoint);
  try {
    if (network) DriverOf(*network)->DeleteEndpoint(endpoint.network_id, endpoint.id);
  } catch (const Error& error) {
    if (error.code() == Code::kInUse || error.code() == Code::kExists) {
      endpoint.pending = false;
      registry_.Put(endpoint);
      throw;
    }
    if (error.code() != Code::kNotFound) {
      Warn(fmt::format("delete endpoint {}: {}", endpoint.name, error.message()));
    }
  }
  if (network && !(endpoint.pool.empty() && endpoint.pool_ipv6.empty())) {
    ReleaseTo(*network, [&](IpamDriver& ipam) { ReleaseAddresses(ipam, endpoint); });
  }
  registry_.Remove(endpoint);
  RefreshNeighbours(endpoint.network_id);
}

/// Takes back all that an endpoint's record says, and the record.
void Engine::Core::UndoEndpoint(const EndpointRecord& endpoint) noexcept {
  try {
    EndpointRecord left = endpoint;
    left.sandbox_id.clear();
    RemoveEndpoint(std::move(left));
  } catch (const std::exception& error) {
    Warn(fmt::format("undo endpoint {}: {}", endpoint.name, error.what()));
  }
}

}  // namespace cnm::engine
