// late.cc: networks of plugins that did not answer when the engine started: restored when somebody
// uses them and the plugin answers, and deleted without it when an operator says so.
#include <exception>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "cnm/engine/addresses.h"
#include "cnm/engine/core.h"
#include "common/base/error.h"
#include "common/base/log.h"

namespace cnm::engine {

/// @throws Error of the plugin
void Engine::Core::RestoreFromPlugins(const NetworkRecord& network) {
  if (!network.ipam.empty() && !providers_.HasIpam(network.ipam)) {
    const auto ipam = providers_.GetIpam(network.ipam);
    if (ipam->requires_replay()) ReplayPools(*ipam, network);
  }
  if (!providers_.HasDriver(network.type)) {
    providers_.GetDriver(network.type)->CreateNetwork(network.config);
  }
}

bool Engine::Core::IsLate(const std::string& network_id) {
  const std::lock_guard guard(late_mutex_);
  return late_.contains(network_id);
}

/// While the engine starts: what is to be done about the endpoint is done when the plugin answers.
void Engine::Core::UndoLate(EndpointRecord endpoint) {
  endpoint.pending = true;
  registry_.Put(endpoint);
  const std::lock_guard guard(late_mutex_);
  late_[endpoint.network_id].push_back(endpoint.id);
}

/// Only once the plugin answers: whoever waits for it waits here. @throws Error of the plugin
void Engine::Core::RestoreLate(const NetworkRecord& network) {
  const std::string& id = network.config.id;
  if (!IsLate(id)) return;
  const Busy::Hold hold = busy_.Acquire({fmt::format("late/{}", id)});
  if (!IsLate(id)) return;
  RestoreFromPlugins(network);
  for (const EndpointPointer& endpoint : registry_.Endpoints(id)) {
    if (endpoint->pending || network.ipam.empty() || providers_.HasIpam(network.ipam)) continue;
    const auto ipam = providers_.GetIpam(network.ipam);
    if (ipam->requires_replay()) ReplayAddresses(*ipam, *endpoint);
  }
  std::vector<std::string> dead;
  {
    const std::lock_guard guard(late_mutex_);
    dead = late_.extract(id).mapped();
  }
  Warn(fmt::format("network {}: its plugin answers again: restored", network.name));
  for (const std::string& endpoint_id : dead) {
    if (const auto endpoint = registry_.FindEndpoint(endpoint_id)) UndoEndpoint(*endpoint);
  }
}

std::shared_ptr<NetworkDriver> Engine::Core::DriverOf(const NetworkRecord& network) {
  if (!providers_.HasDriver(network.type)) AwaitPlugin(network);
  return providers_.GetDriver(network.type);
}

std::shared_ptr<IpamDriver> Engine::Core::IpamOf(const NetworkRecord& network) {
  if (!providers_.HasIpam(network.ipam)) AwaitPlugin(network);
  return providers_.GetIpam(network.ipam);
}

/// Not while the engine starts, nor for a network that is being undone.
void Engine::Core::AwaitPlugin(const NetworkRecord& network) {
  if (started_ && !network.pending) RestoreLate(network);
}

/// Before anything of the network is deleted, of which its plugins have to hear. `force`: one that
/// is gone hinders nobody. @throws Error as Providers'
void Engine::Core::RequirePlugins(const NetworkRecord& network, bool force) {
  try {
    DriverOf(network);
    if (!network.ipam.empty()) IpamOf(network);
  } catch (Error& error) {
    if (!force) throw error.AddDetail("if that plugin is gone for good: delete with force");
    Warn(fmt::format("network {}: {}: what its plugin has of it stays there", network.name,
                     error.message()));
  }
}

/// Gives something back to the network's allocator. One that is gone keeps it.
void Engine::Core::ReleaseTo(const NetworkRecord& network,
                             const std::function<void(IpamDriver& ipam)>& release) noexcept {
  if (network.ipam.empty()) return;
  try {
    release(*IpamOf(network));
  } catch (const std::exception& error) {
    Warn(fmt::format("network {}: its addresses stay with IPAM driver {}: {}", network.name,
                     network.ipam, error.what()));
  }
}

}  // namespace cnm::engine
