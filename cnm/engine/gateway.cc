// gateway.cc: through which endpoint a sandbox reaches the world, and the gateway network for
// those that have none (libnetwork.md §30, §32, B.1).
#include <algorithm>
#include <exception>
#include <optional>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "cnm/engine/core.h"
#include "cnm/engine/identifier.h"
#include "cnm/engine/sandbox_namespace.h"
#include "common/base/error.h"
#include "common/base/log.h"

namespace cnm::engine {
namespace {

constexpr char kGatewayNetwork[] = "docker_gwbridge";
constexpr char kGatewayOptions[] =
    R"({"com.docker.network.generic":{"com.docker.network.bridge.name":"docker_gwbridge",)"
    R"("com.docker.network.bridge.enable_icc":"false",)"
    R"("com.docker.network.bridge.enable_ip_masquerade":"true"}})";

const std::optional<net::Address>& GatewayOf(const EndpointRecord& endpoint, net::Family family) {
  return family == net::Family::kIpv4 ? endpoint.join.gateway : endpoint.join.gateway_ipv6;
}

/// The first that has a gateway of the family; nullptr when none has.
EndpointPointer FindProvider(const std::vector<EndpointPointer>& endpoints, net::Family family) {
  const auto found = std::find_if(
      endpoints.begin(), endpoints.end(),
      [&](const EndpointPointer& endpoint) { return GatewayOf(*endpoint, family).has_value(); });
  return found == endpoints.end() ? nullptr : *found;
}

/// Nobody asked for it: the network that gives the default route has changed.
void TellMoved(const EndpointRecord& from, const EndpointRecord& to) {
  Warn(fmt::format(
      "ports of endpoint {} are published no more: the sandbox's default route is endpoint {}'s "
      "now, and only its ports are published; the highest priority at the join decides",
      from.name, to.name));
}

bool HasDefaultRoute(const EndpointRecord& endpoint) {
  return endpoint.join.gateway ||
         std::any_of(endpoint.join.routes.begin(), endpoint.join.routes.end(),
                     [](const StaticRoute& route) {
                       return route.destination.length == 0 && route.destination.address.is_v4();
                     });
}

}  // namespace

std::vector<EndpointPointer> Engine::Core::Ordered(const std::string& sandbox_id) const {
  struct Item {
    EndpointPointer endpoint;
    std::string network;
  };
  std::vector<Item> items;
  for (EndpointPointer& endpoint : registry_.EndpointsIn(sandbox_id)) {
    if (endpoint->moving) continue;
    const NetworkPointer network = registry_.FindNetwork(endpoint->network_id);
    items.push_back({std::move(endpoint), network ? network->name : ""});
  }
  std::sort(items.begin(), items.end(), [](const Item& a, const Item& b) {
    if (a.endpoint->gateway != b.endpoint->gateway) return a.endpoint->gateway;
    const int left = a.endpoint->join_spec.priority;
    const int right = b.endpoint->join_spec.priority;
    if (left != right) return left > right;
    return std::tie(a.network, a.endpoint->name) < std::tie(b.network, b.endpoint->name);
  });
  std::vector<EndpointPointer> ordered;
  ordered.reserve(items.size());
  for (Item& item : items) ordered.push_back(std::move(item.endpoint));
  return ordered;
}

/// Whether one wants a way out and none has one.
bool Engine::Core::NeedsGateway(const std::vector<EndpointPointer>& endpoints) const {
  bool needed = false;
  for (const EndpointPointer& endpoint : endpoints) {
    const NetworkPointer network = registry_.FindNetwork(endpoint->network_id);
    if (!network || endpoint->gateway || network->name == kGatewayNetwork) continue;
    if (network->type == "null" || network->type == "host") continue;
    if (network->config.internal || endpoint->join.disable_gateway_service) continue;
    if (HasDefaultRoute(*endpoint)) return false;
    needed = true;
  }
  return needed;
}

/// After every change of who has joined: the gateway network, the default routes, the published
/// ports.
void Engine::Core::SettleGateway(const SandboxRecord& sandbox) {
  if (sandbox.spec.use_default_sandbox) return;  // the host's own routes are not ours
  std::vector<EndpointPointer> endpoints = Ordered(sandbox.id);
  const bool has_one = !endpoints.empty() && endpoints.front()->gateway;
  const bool needs_one = NeedsGateway(endpoints);
  if (needs_one && !has_one) {
    const auto source =
        std::find_if(endpoints.begin(), endpoints.end(),
                     [this](const EndpointPointer& endpoint) { return NeedsGateway({endpoint}); });
    AddGatewayEndpoint(sandbox, **source);
    endpoints = Ordered(sandbox.id);
  } else if (has_one && !needs_one) {
    RemoveGatewayEndpoint(sandbox, *endpoints.front());
    endpoints = Ordered(sandbox.id);
  }
  ProgramRoutes(sandbox, endpoints);
  Publish(endpoints);
}

/// After a leave: who has left has left, whatever becomes of the others' way out.
void Engine::Core::TrySettleGateway(const SandboxRecord& sandbox) noexcept {
  try {
    SettleGateway(sandbox);
  } catch (const std::exception& error) {
    Warn(fmt::format("gateway of sandbox {}: {}", sandbox.id, error.what()));
  }
}

/// @returns the id of the network, which is made when it is missing
std::string Engine::Core::EnsureGatewayNetwork() {
  const Busy::Hold hold = busy_.Acquire({kGatewayNetwork});
  const NetworkPointer network = registry_.FindNetworkByName(kGatewayNetwork);
  if (network && !network->pending) return network->config.id;
  NetworkSpec spec;
  spec.name = kGatewayNetwork;
  spec.type = "bridge";
  spec.options = kGatewayOptions;
  try {
    return CreateNetwork(spec);
  } catch (Error& error) {
    error.AddContext("error creating external connectivity network");
    throw;
  }
}

void Engine::Core::AddGatewayEndpoint(const SandboxRecord& sandbox, const EndpointRecord& source) {
  const std::string network_id = EnsureGatewayNetwork();
  EndpointSpec spec;
  spec.name = fmt::format("gateway_{}", ShortId(sandbox.spec.container_id));
  if (registry_.FindEndpointByName(network_id, spec.name)) {  // two containers that begin alike
    spec.name = fmt::format("gateway_{}", ShortId(sandbox.id));
  }
  spec.exposed_ports = source.exposed_ports;
  spec.port_bindings = source.port_bindings;
  const std::string& container = sandbox.spec.container_id;
  const std::string id = NewId();
  const Busy::Hold hold = busy_.Acquire({id});  // from before others see it until it has joined
  try {
    CreateEndpoint(network_id, spec, id);
  } catch (Error& error) {
    error.AddContext(fmt::format("container {}: endpoint create on GW Network failed", container));
    throw;
  }
  try {
    JoinLocked(sandbox, *GetEndpoint(network_id, id), {});
  } catch (Error& error) {
    const EndpointPointer left = registry_.FindEndpoint(id);
    if (left) UndoEndpoint(*left);
    error.AddContext(fmt::format("container {}: endpoint join on GW Network failed", container));
    throw;
  }
}

/// The endpoint, which has joined the sandbox, is nobody's to delete between its leave and its end.
void Engine::Core::RemoveGatewayEndpoint(const SandboxRecord& sandbox,
                                         const EndpointRecord& endpoint) {
  const Busy::Hold hold = busy_.Acquire({endpoint.id});
  LeaveLocked(sandbox, endpoint);
  const EndpointPointer left = registry_.FindEndpoint(endpoint.id);
  if (left) RemoveEndpoint(*left);
}

void Engine::Core::ProgramRoutes(const SandboxRecord& sandbox,
                                 const std::vector<EndpointPointer>& endpoints) {
  if (!sandbox.has_namespace) return;
  const auto netns = FindNamespace(sandbox.key, sandbox.netns);
  if (!netns) return;
  for (const net::Family family : net::kFamilies) {
    std::vector<net::Address> known;
    known.reserve(endpoints.size());
    for (const EndpointPointer& endpoint : endpoints) {
      if (const auto& gateway = GatewayOf(*endpoint, family)) known.push_back(*gateway);
    }
    if (known.empty()) continue;  // a default route goes with its link
    const EndpointPointer provider = FindProvider(endpoints, family);
    try {
      SetDefaultRoute(*netns, family, {GatewayOf(*provider, family), provider->link}, known);
    } catch (Error& error) {
      error.AddContext(fmt::format("set gateway {} of endpoint {}",
                                   GatewayOf(*provider, family)->ToString(), provider->name));
      throw;
    }
  }
}

/// Ports are published on the endpoint that provides the way out, and there alone.
void Engine::Core::Publish(const std::vector<EndpointPointer>& endpoints) {
  EndpointPointer provider = FindProvider(endpoints, net::Family::kIpv4);
  if (!provider) provider = FindProvider(endpoints, net::Family::kIpv6);
  for (const EndpointPointer& endpoint : endpoints) {
    if (!endpoint->published || endpoint == provider) continue;
    Withdraw(*endpoint);
    if (provider && !endpoint->port_bindings.empty()) TellMoved(*endpoint, *provider);
  }
  if (!provider || provider->published) return;
  EndpointRecord published = *provider;
  const auto driver = DriverOf(*registry_.FindNetwork(published.network_id));
  try {
    driver->ProgramExternalConnectivity(published.network_id, published.id, published.port_bindings,
                                        published.options);
    // Recorded afterwards: a start that does not find it programs again what may be there.
    published.published = true;
    registry_.Put(published);
  } catch (...) {
    Withdraw(std::move(published));
    throw;
  }
}

void Engine::Core::Withdraw(EndpointRecord endpoint) noexcept {
  try {
    DriverOf(*registry_.FindNetwork(endpoint.network_id))
        ->RevokeExternalConnectivity(endpoint.network_id, endpoint.id);
    endpoint.published = false;
    registry_.Put(endpoint);
  } catch (const std::exception& error) {
    Warn(fmt::format("withdraw the ports of endpoint {}: {}", endpoint.name, error.what()));
  }
}

}  // namespace cnm::engine
