// restore.cc: what a new engine does with the records of the last one: goes on with what is whole,
// undoes what is half done, and puts right what the kernel has lost meanwhile.
#include <string>
#include <string_view>
#include <utility>

#include <fmt/format.h>

#include "cnm/engine/addresses.h"
#include "cnm/engine/core.h"
#include "cnm/engine/identifier.h"
#include "cnm/engine/sandbox_namespace.h"
#include "common/base/atomic_file.h"
#include "common/base/error.h"
#include "common/base/log.h"

namespace cnm::engine {
namespace {

FileLock LockDirectory(const std::string& directory) {
  MakeDirectories(directory, 0700);
  try {
    return FileLock::Acquire(fmt::format("{}/engine.lock", directory), {.seconds = 0});
  } catch (const Error& error) {
    if (error.code() != Code::kTryAgain) throw;
    throw Error(Code::kInUse, fmt::format("another engine serves {}", directory));
  }
}

/// The controller's id: the same after a start, because runtimes' hooks are configured with it.
std::string LoadId(const std::string& directory) {
  const std::string path = fmt::format("{}/controller-id", directory);
  std::string id = ReadFile(path, 64).value_or("");
  if (id.size() == 64) return id;
  id = NewId();
  MakeDirectories(directory, 0700);
  WriteFileAtomic(path, id, Durability::kDurable);
  return id;
}

/// One object's trouble must not keep the others from living on.
template <class Step>
void Attempt(std::string_view what, const std::string& name, const Step& step) {
  try {
    step();
  } catch (const Error& error) {
    Warn(fmt::format("restore {} {}: {}", what, name, error.message()));
  }
}

}  // namespace

Engine::Core::Core(EngineOptions options)
    : options_(std::move(options)),
      lock_(LockDirectory(options_.runtime_directory)),
      id_(LoadId(options_.durable_directory)),
      boot_id_(BootId()),
      host_(netns::NetNs::Current()),
      registry_(options_.runtime_directory, options_.durable_directory),
      providers_(options_),
      neighbours_([this](const std::string& id) { RefreshNeighbour(id); }) {
  Restore();
  providers_.EndStart();
  started_ = true;
}

void Engine::Core::Restore() {
  registry_.Load();
  RestoreNetworks();
  for (const SandboxPointer& sandbox : registry_.Sandboxes()) {
    Attempt("sandbox", sandbox->id, [&] {
      AdoptFiles(*sandbox);
      RestoreSandbox(*sandbox);
    });
  }
  for (const EndpointPointer& endpoint : registry_.AllEndpoints()) {
    Attempt("endpoint", endpoint->name, [&] { RestoreEndpoint(*endpoint); });
  }
  for (const NetworkPointer& network : registry_.Networks()) {
    if (network->pending) UndoNetwork(*network);
  }
  for (const SandboxPointer& sandbox : registry_.Sandboxes()) {
    TrySettleGateway(*sandbox);
    RefreshFiles(*sandbox);
  }
}

void Engine::Core::RestoreNetworks() {
  for (const NetworkPointer& network : registry_.Networks()) {
    if (network->pending) continue;
    Attempt("pools of network", network->name, [&] {
      if (network->ipam.empty() || !providers_.HasIpam(network->ipam)) return;
      const auto ipam = providers_.GetIpam(network->ipam);
      if (ipam->requires_replay()) ReplayPools(*ipam, *network);
    });
    Attempt("network", network->name, [&] {
      if (!providers_.HasDriver(network->type)) return;
      providers_.GetDriver(network->type)->CreateNetwork(network->config);
    });
    const bool ours = network->ipam.empty() || providers_.HasIpam(network->ipam);
    if (ours && providers_.HasDriver(network->type)) continue;
    try {
      RestoreFromPlugins(*network);
    } catch (const Error& error) {
      Warn(fmt::format("network {}: {}: restored when its plugin answers", network->name,
                       error.message()));
      const std::lock_guard guard(late_mutex_);
      late_[network->config.id];
    }
  }
}

/// A sandbox without its namespace is nobody's any more.
void Engine::Core::RestoreSandbox(SandboxRecord sandbox) {
  const bool gone = sandbox.boot_id != boot_id_ ||
                    (sandbox.has_namespace && !FindNamespace(sandbox.key, sandbox.netns));
  if (sandbox.pending || (gone && !sandbox.keying)) {
    RemoveSandbox(std::move(sandbox));
    return;
  }
  if (!sandbox.keying) return;
  Unkey(std::move(sandbox));  // the key has not come through: as if it had been refused
}

void Engine::Core::RestoreEndpoint(const EndpointRecord& endpoint) {
  const SandboxPointer sandbox = registry_.FindSandbox(endpoint.sandbox_id);
  const NetworkPointer network = registry_.FindNetwork(endpoint.network_id);
  const bool homeless = !endpoint.sandbox_id.empty() && !sandbox;
  const bool dead = endpoint.pending || endpoint.boot_id != boot_id_ || !network;
  if (homeless || (sandbox && (dead || endpoint.moving))) {
    SandboxRecord nowhere;
    nowhere.id = endpoint.sandbox_id;
    LeaveLocked(sandbox ? *sandbox : nowhere, endpoint);
  }
  if (dead || (endpoint.gateway && (homeless || endpoint.moving || endpoint.sandbox_id.empty()))) {
    if (network && IsLate(network->config.id)) {
      UndoLate(endpoint);
    } else {
      UndoEndpoint(endpoint);
    }
    return;
  }
  if (network->ipam.empty() || IsLate(network->config.id)) return;
  const auto ipam = providers_.GetIpam(network->ipam);
  if (ipam->requires_replay()) ReplayAddresses(*ipam, endpoint);
}

}  // namespace cnm::engine
