// engine.cc: the Engine's functions: what readers get to see; changes are the Core's.
#include "cnm/engine/engine.h"

#include <memory>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "cnm/engine/core.h"
#include "common/base/error.h"

namespace cnm::engine {
namespace {

void CheckId(const std::string& id) {
  if (id.empty()) throw Error(Code::kConfig, "invalid id: ");
}

void CheckName(const std::string& name) {
  if (name.empty()) throw Error(Code::kConfig, "invalid name: ");
}

Error NotFound(std::string_view what, const std::string& name) {
  return {Code::kNotFound, fmt::format("{} {} not found", what, name)};
}

EndpointInfo InfoOf(const EndpointRecord& endpoint, const std::string& network) {
  EndpointInfo info{.name = endpoint.name,
                    .id = endpoint.id,
                    .network_id = endpoint.network_id,
                    .network = network,
                    .sandbox_id = {},
                    .interface = endpoint.interface,
                    .gateway = {},
                    .gateway_ipv6 = {}};
  if (endpoint.sandbox_id.empty() || endpoint.moving) return info;
  info.sandbox_id = endpoint.sandbox_id;
  info.gateway = endpoint.join.gateway;
  info.gateway_ipv6 = endpoint.join.gateway_ipv6;
  return info;
}

}  // namespace

NetworkPointer Engine::Core::GetNetwork(const std::string& id) const {
  CheckId(id);
  NetworkPointer network = registry_.FindNetwork(id);
  if (!network || network->pending) throw NotFound("network", id);
  return network;
}

NetworkPointer Engine::Core::GetNetworkByName(const std::string& name) const {
  CheckName(name);
  NetworkPointer network = registry_.FindNetworkByName(name);
  if (!network || network->pending) throw NotFound("network", name);
  return network;
}

EndpointPointer Engine::Core::GetEndpoint(const std::string& network_id,
                                          const std::string& id) const {
  GetNetwork(network_id);
  CheckId(id);
  EndpointPointer endpoint = registry_.FindEndpoint(id);
  if (!endpoint || endpoint->pending || endpoint->network_id != network_id) {
    throw NotFound("endpoint", id);
  }
  return endpoint;
}

EndpointPointer Engine::Core::GetEndpointByName(const std::string& network_id,
                                                const std::string& name) const {
  GetNetwork(network_id);
  CheckName(name);
  EndpointPointer endpoint = registry_.FindEndpointByName(network_id, name);
  if (!endpoint || endpoint->pending) throw NotFound("endpoint", name);
  return endpoint;
}

SandboxPointer Engine::Core::GetSandbox(const std::string& id) const {
  CheckId(id);
  SandboxPointer sandbox = registry_.FindSandbox(id);
  if (!sandbox || sandbox->pending) throw NotFound("sandbox", id);
  return sandbox;
}

namespace {

NetworkInfo InfoOf(const NetworkRecord& network) {
  return {.name = network.name,
          .id = network.config.id,
          .type = network.type,
          .scope = Scope::kLocal,
          .config = network.config,
          .created_ns = network.created_ns};
}

}  // namespace

Engine::Engine(EngineOptions options) : core_(std::make_unique<Core>(std::move(options))) {}
Engine::~Engine() = default;

const std::string& Engine::id() const {
  return core_->id();
}

const EngineOptions& Engine::options() const {
  return core_->options();
}

std::string Engine::CreateNetwork(const NetworkSpec& spec) {
  return Told(options().tell, {.verb = "create-network", .network = spec.name},
              [&] { return core_->CreateNetwork(spec); });
}

void Engine::DeleteNetwork(const std::string& id, bool force) {
  Told(options().tell, core_->EventOf("delete-network", id),
       [&] { core_->DeleteNetwork(id, force); });
}

void Engine::UndoLeft() {
  core_->UndoLeft();
}

std::vector<NetworkInfo> Engine::Networks() const {
  const std::vector<NetworkPointer> networks = core_->registry().Networks();
  std::vector<NetworkInfo> infos;
  infos.reserve(networks.size());
  for (const NetworkPointer& network : networks) {
    if (!network->pending) infos.push_back(InfoOf(*network));
  }
  return infos;
}

bool Engine::KnowsNetwork(const std::string& id) const {
  return core_->registry().HasNetwork(id);
}

bool Engine::KnowsEndpoint(const std::string& id) const {
  return core_->registry().FindEndpoint(id) != nullptr;
}

NetworkInfo Engine::GetNetwork(const std::string& id) const {
  return InfoOf(*core_->GetNetwork(id));
}

NetworkInfo Engine::GetNetworkByName(const std::string& name) const {
  return InfoOf(*core_->GetNetworkByName(name));
}

std::string Engine::CreateEndpoint(const std::string& network_id, const EndpointSpec& spec) {
  Event event = core_->EventOf("create-endpoint", network_id);
  event.endpoint = spec.name;
  return Told(options().tell, std::move(event),
              [&] { return core_->CreateEndpoint(network_id, spec); });
}

void Engine::DeleteEndpoint(const std::string& network_id, const std::string& endpoint_id,
                            bool force) {
  Told(options().tell, core_->EventOf("delete-endpoint", network_id, endpoint_id),
       [&] { core_->DeleteEndpoint(network_id, endpoint_id, force); });
}

std::vector<EndpointInfo> Engine::Endpoints(const std::string& network_id) const {
  std::vector<NetworkPointer> networks;
  if (network_id.empty()) {
    networks = core_->registry().Networks();
  } else {
    networks.push_back(core_->GetNetwork(network_id));
  }
  std::vector<std::vector<EndpointPointer>> endpoints;  // of each network
  endpoints.reserve(networks.size());
  size_t count = 0;
  for (const NetworkPointer& network : networks) {
    endpoints.push_back(core_->registry().Endpoints(network->config.id));
    count += endpoints.back().size();
  }
  std::vector<EndpointInfo> infos;
  infos.reserve(count);
  for (size_t i = 0; i < networks.size(); ++i) {
    for (const EndpointPointer& endpoint : endpoints[i]) {
      if (!endpoint->pending) infos.push_back(InfoOf(*endpoint, networks[i]->name));
    }
  }
  return infos;
}

EndpointInfo Engine::GetEndpoint(const std::string& network_id, const std::string& id) const {
  return InfoOf(*core_->GetEndpoint(network_id, id), core_->GetNetwork(network_id)->name);
}

std::optional<EndpointInfo> Engine::FindEndpoint(const std::string& id) const {
  const EndpointPointer endpoint = core_->registry().FindEndpoint(id);
  if (!endpoint || endpoint->pending) return std::nullopt;
  const NetworkPointer network = core_->registry().FindNetwork(endpoint->network_id);
  if (!network) return std::nullopt;
  return InfoOf(*endpoint, network->name);
}

EndpointInfo Engine::GetEndpointByName(const std::string& network_id,
                                       const std::string& name) const {
  return InfoOf(*core_->GetEndpointByName(network_id, name), core_->GetNetwork(network_id)->name);
}

std::string Engine::DriverInfo(const std::string& network_id,
                               const std::string& endpoint_id) const {
  core_->GetEndpoint(network_id, endpoint_id);
  const NetworkPointer network = core_->GetNetwork(network_id);
  return core_->DriverOf(*network)->OperInfo(network_id, endpoint_id);
}

std::string Engine::Join(const std::string& network_id, const std::string& endpoint_id,
                         const std::string& sandbox_id, const JoinSpec& spec) {
  return Told(options().tell, core_->EventOf("join", network_id, endpoint_id, sandbox_id),
              [&] { return core_->Join(network_id, endpoint_id, sandbox_id, spec); });
}

void Engine::Leave(const std::string& network_id, const std::string& endpoint_id,
                   const std::string& sandbox_id) {
  Told(options().tell, core_->EventOf("leave", network_id, endpoint_id, sandbox_id),
       [&] { core_->Leave(network_id, endpoint_id, sandbox_id); });
}

std::string Engine::CreateSandbox(const SandboxSpec& spec) {
  return Told(options().tell, {.verb = "create-sandbox", .container = spec.container_id},
              [&] { return core_->CreateSandbox(spec); });
}

void Engine::DeleteSandbox(const std::string& id) {
  Told(options().tell, core_->EventOf("delete-sandbox", {}, {}, id),
       [&] { core_->DeleteSandbox(id); });
}

std::vector<SandboxInfo> Engine::Sandboxes() const {
  const std::vector<SandboxPointer> sandboxes = core_->registry().Sandboxes();
  std::vector<SandboxInfo> infos;
  infos.reserve(sandboxes.size());
  for (const SandboxPointer& sandbox : sandboxes) {
    if (!sandbox->pending) infos.push_back(core_->InfoOf(*sandbox));
  }
  return infos;
}

SandboxInfo Engine::GetSandbox(const std::string& id) const {
  return core_->InfoOf(*core_->GetSandbox(id));
}

Event Engine::Core::EventOf(std::string_view verb, const std::string& network_id,
                            const std::string& endpoint_id, const std::string& sandbox_id) const {
  Event event{.verb = verb};
  if (!options_.tell) return event;
  const NetworkPointer network = registry_.FindNetwork(network_id);
  const EndpointPointer endpoint = registry_.FindEndpoint(endpoint_id);
  const SandboxPointer sandbox = registry_.FindSandbox(sandbox_id);
  event.network = network ? network->name : network_id;
  event.endpoint = endpoint ? endpoint->name : endpoint_id;
  event.container = sandbox ? sandbox->spec.container_id : sandbox_id;
  return event;
}

SandboxInfo Engine::Core::InfoOf(const SandboxRecord& sandbox) const {
  SandboxInfo info{.id = sandbox.id,
                   .key = sandbox.key,
                   .container_id = sandbox.spec.container_id,
                   .endpoint_ids = {}};
  const std::vector<EndpointPointer> endpoints = Ordered(sandbox.id);
  info.endpoint_ids.reserve(endpoints.size());
  for (const EndpointPointer& endpoint : endpoints) info.endpoint_ids.push_back(endpoint->id);
  return info;
}

void Engine::SetKey(const std::string& id, const std::string& path) {
  core_->SetKey(id, path);
}

void Engine::Refresh(const std::string& id, const SandboxSpec& spec) {
  core_->Refresh(id, spec);
}

std::map<std::string, InterfaceStatistics> Engine::Statistics(const std::string& id) const {
  return core_->Statistics(id);
}

}  // namespace cnm::engine
