// join.cc: endpoints joining sandboxes and leaving them.
#include <exception>
#include <functional>
#include <string>
#include <utility>

#include <fmt/format.h>

#include "cnm/engine/core.h"
#include "cnm/engine/sandbox_namespace.h"
#include "cnm/sandbox/etc_hosts.h"
#include "common/base/error.h"
#include "common/base/log.h"
#include "common/base/rollback.h"

namespace cnm::engine {
namespace {

InterfacePlan PlanOf(const EndpointRecord& endpoint) {
  InterfacePlan plan{.src_name = endpoint.join.src_name,
                     .in_sandbox = endpoint.join.in_sandbox,
                     .dst_prefix = endpoint.join.dst_prefix,
                     .dst_name = endpoint.join.dst_name,
                     .mac = endpoint.interface.mac,
                     .addresses = {},
                     .routes = endpoint.join.routes};
  for (const auto& address : {endpoint.interface.address, endpoint.interface.address_ipv6}) {
    if (address) plan.addresses.push_back(*address);
  }
  return plan;
}

void ForgetMembership(EndpointRecord& endpoint) {
  endpoint.sandbox_id.clear();
  endpoint.moving = false;
  endpoint.join_spec = {};
  endpoint.join = {};
  endpoint.link.clear();
  endpoint.published = false;
}

/// A step of a leave, whose failure is told and keeps nobody in a sandbox.
void Attempt(const EndpointRecord& endpoint, const std::function<void()>& step) {
  try {
    step();
  } catch (const Error& error) {
    if (error.code() == Code::kNotFound) return;
    Warn(fmt::format("leave of endpoint {}: {}", endpoint.name, error.message()));
  }
}

void CheckJoinedTo(const EndpointRecord& endpoint, const std::string& sandbox_id) {
  if (endpoint.sandbox_id.empty()) {
    throw Error(Code::kInUse, "cannot leave endpoint with no attached sandbox");
  }
  if (endpoint.sandbox_id != sandbox_id) {
    throw Error(Code::kInUse,
                fmt::format("unexpected sandbox ID in leave request. Expected {}. Got {}",
                            endpoint.sandbox_id, sandbox_id));
  }
}

/// The sandbox's hosts file would never be written again.
void CheckAliases(const JoinSpec& spec) {
  for (const auto& [alias, target] : spec.aliases) {
    if (etc_hosts::IsName(alias)) continue;
    throw Error(Code::kConfig, fmt::format("invalid name: {}", alias),
                "an alias is a name in hosts files: no white space, '#' and control character");
  }
}

}  // namespace

std::string Engine::Core::Join(const std::string& network_id, const std::string& endpoint_id,
                               const std::string& sandbox_id, const JoinSpec& spec) {
  GetEndpoint(network_id, endpoint_id);
  GetSandbox(sandbox_id);
  CheckAliases(spec);
  const Busy::Hold hold = busy_.Acquire({endpoint_id, sandbox_id});
  const EndpointPointer endpoint = GetEndpoint(network_id, endpoint_id);
  const SandboxPointer sandbox = GetSandbox(sandbox_id);
  if (endpoint->gateway && endpoint->sandbox_id.empty()) {
    throw Error(Code::kInUse,
                fmt::format("endpoint {} is of the gateway network's own making", endpoint->name));
  }
  JoinLocked(*sandbox, *endpoint, spec);
  Rollback undo;
  undo.Push("join", [&] {
    LeaveLocked(*sandbox, *registry_.FindEndpoint(endpoint_id));
    TrySettleGateway(*sandbox);
  });
  SettleGateway(*sandbox);
  undo.Commit();
  return sandbox->key;
}

void Engine::Core::JoinLocked(const SandboxRecord& sandbox, EndpointRecord endpoint,
                              const JoinSpec& spec) {
  if (!endpoint.sandbox_id.empty()) {
    const SandboxPointer joined = registry_.FindSandbox(endpoint.sandbox_id);
    throw Error(Code::kInUse, "a sandbox has already joined the endpoint",
                fmt::format("container {} is attached: detach it first",
                            joined ? joined->spec.container_id : endpoint.sandbox_id));
  }
  const NetworkPointer network = registry_.FindNetwork(endpoint.network_id);
  const auto driver = DriverOf(*network);
  endpoint.sandbox_id = sandbox.id;
  endpoint.moving = true;
  endpoint.join_spec = spec;
  registry_.Put(endpoint);
  Rollback undo;
  undo.Push("join endpoint", [&] {
    Attempt(endpoint, [&] { driver->Leave(endpoint.network_id, endpoint.id); });
    if (driver->ReturnsLinks()) Depopulate(sandbox, endpoint);
    ForgetMembership(endpoint);
    registry_.Put(endpoint);
  });
  endpoint.join = driver->Join(endpoint.network_id, endpoint.id, sandbox.key, sandbox.spec.options);
  Populate(sandbox, endpoint);
  endpoint.moving = false;
  registry_.Put(endpoint);
  undo.Commit();
  RefreshFiles(sandbox);
}

/// Brings the link that the driver made into the sandbox, if there is one of each.
void Engine::Core::Populate(const SandboxRecord& sandbox, EndpointRecord& endpoint) {
  if (!sandbox.has_namespace || endpoint.join.src_name.empty()) return;
  const auto netns = FindNamespace(sandbox.key, sandbox.netns);
  if (!netns) {
    throw Error(Code::kNetns,
                fmt::format("network namespace {} of sandbox {} is gone", sandbox.key, sandbox.id));
  }
  AddInterface(*netns, host_, PlanOf(endpoint), [&](const std::string& name) {
    endpoint.link = name;
    registry_.Put(endpoint);
  });
}

/// Gives the link back to the host under the name that the driver knows.
void Engine::Core::Depopulate(const SandboxRecord& sandbox,
                              const EndpointRecord& endpoint) noexcept {
  if (endpoint.link.empty()) return;
  try {
    const auto netns = FindNamespace(sandbox.key, sandbox.netns);
    if (netns) ReturnInterface(*netns, host_, endpoint.link, endpoint.join.src_name);
  } catch (const std::exception& error) {
    Warn(fmt::format("return link {} of endpoint {}: {}", endpoint.link, endpoint.name,
                     error.what()));
  }
}

void Engine::Core::Leave(const std::string& network_id, const std::string& endpoint_id,
                         const std::string& sandbox_id) {
  CheckJoinedTo(*GetEndpoint(network_id, endpoint_id), sandbox_id);
  const Busy::Hold hold = busy_.Acquire({endpoint_id, sandbox_id});
  const EndpointPointer endpoint = GetEndpoint(network_id, endpoint_id);
  CheckJoinedTo(*endpoint, sandbox_id);
  const SandboxPointer sandbox = GetSandbox(sandbox_id);
  LeaveLocked(*sandbox, *endpoint);
  // A gateway endpoint serves its one sandbox, and its name is wanted for the next.
  const EndpointPointer left = registry_.FindEndpoint(endpoint_id);
  if (left && left->gateway) UndoEndpoint(*left);
  TrySettleGateway(*sandbox);
}

/// What a driver cannot do any more is told and does not keep the endpoint in its sandbox.
void Engine::Core::LeaveLocked(const SandboxRecord& sandbox, EndpointRecord endpoint) {
  endpoint.moving = true;
  registry_.Put(endpoint);
  Attempt(endpoint, [&] {
    const NetworkPointer network = registry_.FindNetwork(endpoint.network_id);
    if (!network) return;
    const auto driver = DriverOf(*network);
    if (endpoint.published) {
      Attempt(endpoint,
              [&] { driver->RevokeExternalConnectivity(endpoint.network_id, endpoint.id); });
    }
    Attempt(endpoint, [&] { driver->Leave(endpoint.network_id, endpoint.id); });
    if (driver->ReturnsLinks()) Depopulate(sandbox, endpoint);
  });
  ForgetMembership(endpoint);
  registry_.Put(endpoint);
  RefreshFiles(sandbox);
}

}  // namespace cnm::engine
