// names.cc: who is in a sandbox's hosts file, and when it is written.
#include <algorithm>
#include <exception>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "cnm/engine/core.h"
#include "common/base/log.h"

namespace cnm::engine {
namespace {

using etc_hosts::Record;

constexpr size_t kFewNeighbours = 16;

/// One line for each address and name.
void AddLines(const EndpointRecord& endpoint, const std::string& name,
              std::vector<Record>& records) {
  for (const auto& address : {endpoint.interface.address, endpoint.interface.address_ipv6}) {
    if (address) records.push_back({address->address, name});
  }
}

/// The names by which everybody on the network knows the endpoint.
void AddService(const EndpointRecord& endpoint, const std::string& network,
                std::vector<Record>& records) {
  AddLines(endpoint, endpoint.name, records);
  if (etc_hosts::IsName(network)) {  // any text names a network
    AddLines(endpoint, fmt::format("{}.{}", endpoint.name, network), records);
  }
  for (const std::string& alias : endpoint.aliases) AddLines(endpoint, alias, records);
}

}  // namespace

HostNames Engine::Core::NamesFor(const SandboxRecord& sandbox) const {
  HostNames names;
  names.others = ExtraRecords(sandbox.spec);
  for (const EndpointPointer& endpoint : Ordered(sandbox.id)) {
    const NetworkPointer network = registry_.FindNetwork(endpoint->network_id);
    if (!network || endpoint->gateway) continue;  // the gateway network is nobody's
    const auto& own = endpoint->interface.address ? endpoint->interface.address
                                                  : endpoint->interface.address_ipv6;
    if (own) {
      auto self =
          etc_hosts::MakeSelf(own->address, sandbox.spec.host_name, sandbox.spec.domain_name);
      if (self) names.self.push_back(*std::move(self));
    }
    for (const EndpointPointer& other : registry_.Endpoints(endpoint->network_id)) {
      if (!other->pending) AddService(*other, network->name, names.others);
    }
    for (const auto& [alias, target] : endpoint->join_spec.aliases) {
      const EndpointPointer other = registry_.FindEndpointByName(endpoint->network_id, target);
      if (other) AddLines(*other, alias, names.others);
    }
  }
  return names;
}

/// From now on the file is kept up to date; it has the names of this moment.
void Engine::Core::BeginFiles(const SandboxRecord& sandbox) {
  auto written = std::make_shared<Written>();
  written->names = NamesFor(sandbox);
  const std::lock_guard guard(written_mutex_);
  written_[sandbox.id] = std::move(written);
}

/// The same for the file of a former engine, which may have been killed before it wrote a change:
/// lines with addresses of our networks are taken for its own.
void Engine::Core::AdoptFiles(const SandboxRecord& sandbox) {
  std::vector<net::Prefix> pools;
  for (const NetworkPointer& network : registry_.Networks()) {
    for (const auto* holds : {&network->ipv4, &network->ipv6}) {
      for (const PoolHold& hold : *holds) pools.push_back(hold.data.pool);
    }
  }
  auto written = std::make_shared<Written>();
  for (Record& record : ReadRecords(FilesOf(options_.files_directory, sandbox))) {
    const bool ours = std::any_of(pools.begin(), pools.end(), [&](const net::Prefix& pool) {
      return pool.Contains(record.address);
    });
    if (ours) written->names.others.push_back(std::move(record));
  }
  const std::lock_guard guard(written_mutex_);
  written_[sandbox.id] = std::move(written);
}

std::shared_ptr<Engine::Core::Written> Engine::Core::FindWritten(const std::string& sandbox_id) {
  const std::lock_guard guard(written_mutex_);
  const auto found = written_.find(sandbox_id);
  return found == written_.end() ? nullptr : found->second;
}

/// Writes what has changed since the last time. A file that cannot be written is told and hinders
/// nothing.
void Engine::Core::RefreshFiles(const SandboxRecord& sandbox) noexcept {
  try {
    RefreshHosts(sandbox);
    bool ipv6 = false;
    for (const EndpointPointer& endpoint : Ordered(sandbox.id)) {
      const NetworkPointer network = registry_.FindNetwork(endpoint->network_id);
      ipv6 = ipv6 || (network && network->config.enable_ipv6);
    }
    UpdateResolvConf(FilesOf(options_.files_directory, sandbox), sandbox.spec, ipv6);
  } catch (const std::exception& error) {
    Warn(fmt::format("files of sandbox {}: {}", sandbox.id, error.what()));
  }
}

void Engine::Core::RefreshHosts(const SandboxRecord& sandbox) {
  if (!sandbox.spec.origin_hosts_path.empty()) return;
  const std::shared_ptr<Written> written = FindWritten(sandbox.id);
  if (!written) return;
  const std::lock_guard guard(written->mutex);  // the last to write sees the latest
  if (written->gone) return;
  HostNames names = NamesFor(sandbox);
  UpdateHosts(FilesOf(options_.files_directory, sandbox), written->names, names);
  written->names = std::move(names);
}

/// The newcomer or leaver is in a few neighbours' files when this returns. Many are written behind
/// it: one after another asks for all of them again, and each is written once for several.
void Engine::Core::RefreshNeighbours(const std::string& network_id) noexcept {
  std::set<std::string> sandboxes;
  for (const EndpointPointer& endpoint : registry_.Endpoints(network_id)) {
    if (!endpoint->sandbox_id.empty() && !endpoint->gateway) sandboxes.insert(endpoint->sandbox_id);
  }
  for (const std::string& id : sandboxes) {
    if (sandboxes.size() > kFewNeighbours) {
      neighbours_.Ask(id);
    } else {
      RefreshNeighbour(id);
    }
  }
}

void Engine::Core::RefreshNeighbour(const std::string& sandbox_id) noexcept {
  try {
    const SandboxPointer sandbox = registry_.FindSandbox(sandbox_id);
    if (sandbox && !sandbox->pending) RefreshHosts(*sandbox);
  } catch (const std::exception& error) {
    Warn(fmt::format("hosts file of sandbox {}: {}", sandbox_id, error.what()));
  }
}

void Engine::Core::ForgetFiles(const SandboxRecord& sandbox) noexcept {
  try {
    const std::shared_ptr<Written> written = FindWritten(sandbox.id);
    if (written) {
      const std::lock_guard writing(written->mutex);
      written->gone = true;
      const std::lock_guard guard(written_mutex_);
      written_.erase(sandbox.id);
    }
    RemoveFiles(FilesOf(options_.files_directory, sandbox), sandbox.spec);
  } catch (const std::exception& error) {
    Warn(fmt::format("files of sandbox {}: {}", sandbox.id, error.what()));
  }
}

}  // namespace cnm::engine
