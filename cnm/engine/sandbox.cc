// sandbox.cc: the life of a sandbox.
#include <algorithm>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "cnm/engine/core.h"
#include "cnm/engine/identifier.h"
#include "cnm/engine/sandbox_namespace.h"
#include "cnm/sandbox/etc_hosts.h"
#include "common/base/error.h"
#include "common/base/log.h"
#include "common/base/rollback.h"
#include "common/json/object.h"

namespace cnm::engine {
namespace {

constexpr char kDefaultSandbox[] = "default";

/// Gives the new address to the line of another container's hosts file.
void UpdateParents(const SandboxSpec& spec, const Registry& registry,
                   const std::string& files_directory) {
  for (const ParentUpdate& update : spec.parent_updates) {
    const SandboxPointer parent = registry.FindSandboxOf(update.container_id);
    const auto address = net::Address::Parse(update.address);
    if (!address) throw Error(Code::kConfig, fmt::format("invalid address: {}", update.address));
    if (!parent) continue;
    etc_hosts::UpdateFile(FilesOf(files_directory, *parent).hosts, *address, update.name);
  }
}

/// What its hosts file could not be written with.
void CheckHostNames(const SandboxSpec& spec) {
  for (const std::string& name : {spec.host_name, spec.domain_name}) {
    if (name.empty() || etc_hosts::IsName(name)) continue;
    throw Error(Code::kConfig, fmt::format("invalid host name: {}", name),
                "it is a name in hosts files: no white space, '#' and control character");
  }
}

}  // namespace

std::string Engine::Core::CreateSandbox(const SandboxSpec& spec) {
  if (spec.container_id.empty()) throw Error(Code::kConfig, "invalid container ID");
  CheckHostNames(spec);
  if (!spec.options.empty()) json::Parse(spec.options, "sandbox options");
  SandboxRecord sandbox;
  sandbox.id = NewId();
  sandbox.key = fmt::format(
      "{}/{}", options_.netns_directory,
      spec.use_default_sandbox ? std::string_view(kDefaultSandbox) : ShortId(sandbox.id));
  sandbox.boot_id = boot_id_;
  sandbox.spec = spec;
  registry_.Add(sandbox);
  Rollback undo;
  undo.Push("create sandbox", [&] { RemoveSandbox(sandbox); });
  MakeSandbox(sandbox);
  sandbox.pending = false;
  registry_.Put(sandbox);
  undo.Commit();
  return sandbox.id;
}

void Engine::Core::MakeSandbox(SandboxRecord& sandbox) {
  CreateFiles(FilesOf(options_.files_directory, sandbox), sandbox.spec, NamesFor(sandbox));
  BeginFiles(sandbox);
  UpdateParents(sandbox.spec, registry_, options_.files_directory);
  if (sandbox.spec.use_default_sandbox) {
    const Busy::Hold hold = busy_.Acquire({kDefaultSandbox});
    // All such sandboxes share one mount.
    if (!FindNamespace(sandbox.key, host_.identity())) BindNamespace(sandbox.key, host_);
    sandbox.netns = host_.identity();
    sandbox.has_namespace = true;
    registry_.Put(sandbox);
  } else if (!sandbox.spec.use_external_key) {
    sandbox.netns = MakeNamespace(sandbox.key);
    sandbox.has_namespace = true;
  }
}

void Engine::Core::DeleteSandbox(const std::string& id) {
  GetSandbox(id);
  const Busy::Hold hold = busy_.Acquire({id});
  RemoveSandbox(*GetSandbox(id));
}

/// With the sandbox's lock held: whoever has joined leaves.
void Engine::Core::RemoveSandbox(SandboxRecord sandbox) {
  sandbox.pending = true;
  registry_.Put(sandbox);
  for (const EndpointPointer& endpoint : registry_.EndpointsIn(sandbox.id)) {
    if (endpoint->gateway) {
      RemoveGatewayEndpoint(sandbox, *endpoint);
    } else {
      LeaveLocked(sandbox, *endpoint);
    }
  }
  RemoveSandboxNamespace(sandbox);
  ForgetFiles(sandbox);
  registry_.Remove(sandbox);
}

void Engine::Core::RemoveSandboxNamespace(const SandboxRecord& sandbox) {
  if (!sandbox.spec.use_default_sandbox) {
    RemoveNamespace(sandbox.key);
    return;
  }
  const Busy::Hold hold = busy_.Acquire({kDefaultSandbox});
  const std::vector<SandboxPointer> sandboxes = registry_.Sandboxes();
  const bool shared =
      std::any_of(sandboxes.begin(), sandboxes.end(), [&](const SandboxPointer& other) {
        return other->id != sandbox.id && other->key == sandbox.key && other->has_namespace;
      });
  if (!shared) RemoveNamespace(sandbox.key);
}

/// Whoever has moved into the sandbox moves out, and it is without a namespace again.
void Engine::Core::Unkey(SandboxRecord sandbox) {
  for (const EndpointPointer& endpoint : registry_.EndpointsIn(sandbox.id)) {
    Depopulate(sandbox, *endpoint);
    EndpointRecord outside = *endpoint;
    outside.link.clear();
    registry_.Put(outside);
  }
  RemoveNamespace(sandbox.key);
  sandbox.has_namespace = false;
  sandbox.keying = false;
  registry_.Put(sandbox);
}

void Engine::Core::SetKey(const std::string& id, const std::string& path) {
  if (path.empty()) throw Error(Code::kConfig, "invalid sandbox key");
  GetSandbox(id);
  const Busy::Hold hold = busy_.Acquire({id});
  SandboxRecord sandbox = *GetSandbox(id);
  if (sandbox.has_namespace) {
    throw Error(Code::kInUse, "failed to set sandbox key : already assigned");
  }
  const auto source = netns::NetNs::Open(path);
  sandbox.keying = true;
  registry_.Put(sandbox);
  Rollback undo;
  undo.Push("set sandbox key", [&] { Unkey(sandbox); });
  sandbox.netns = BindNamespace(sandbox.key, source);
  sandbox.has_namespace = true;
  registry_.Put(sandbox);
  Inhabit(sandbox);
  sandbox.keying = false;
  registry_.Put(sandbox);
  undo.Commit();
}

/// Whoever had joined before the namespace came moves in.
void Engine::Core::Inhabit(SandboxRecord& sandbox) {
  for (const EndpointPointer& endpoint : Ordered(sandbox.id)) {
    EndpointRecord inhabitant = *endpoint;
    Populate(sandbox, inhabitant);
  }
  ProgramRoutes(sandbox, Ordered(sandbox.id));
}

void Engine::Core::Refresh(const std::string& id, const SandboxSpec& spec) {
  GetSandbox(id);
  CheckHostNames(spec);
  const Busy::Hold hold = busy_.Acquire({id});
  SandboxRecord sandbox = *GetSandbox(id);
  const std::vector<EndpointPointer> endpoints = Ordered(id);
  for (const EndpointPointer& endpoint : endpoints) {
    if (endpoint->gateway) {
      RemoveGatewayEndpoint(sandbox, *endpoint);
    } else {
      LeaveLocked(sandbox, *endpoint);
    }
  }
  ForgetFiles(sandbox);
  SandboxSpec fresh = spec;
  fresh.container_id = sandbox.spec.container_id;
  fresh.use_default_sandbox = sandbox.spec.use_default_sandbox;  // what it is made of stays
  fresh.use_external_key = sandbox.spec.use_external_key;
  sandbox.spec = std::move(fresh);
  registry_.Put(sandbox);
  CreateFiles(FilesOf(options_.files_directory, sandbox), sandbox.spec, NamesFor(sandbox));
  BeginFiles(sandbox);
  UpdateParents(sandbox.spec, registry_, options_.files_directory);
  for (const EndpointPointer& endpoint : endpoints) {
    if (endpoint->gateway) continue;  // made anew when it is needed
    const Busy::Hold joining = busy_.Acquire({endpoint->id});
    try {
      JoinLocked(sandbox, *GetEndpoint(endpoint->network_id, endpoint->id), endpoint->join_spec);
    } catch (const Error& error) {
      Warn(fmt::format("refresh of sandbox {}: endpoint {}: {}", id, endpoint->name,
                       error.message()));
    }
  }
  SettleGateway(sandbox);
}

std::map<std::string, InterfaceStatistics> Engine::Core::Statistics(const std::string& id) const {
  const SandboxPointer sandbox = GetSandbox(id);
  const auto netns = FindNamespace(sandbox->key, sandbox->netns);
  if (!sandbox->has_namespace || !netns) return {};
  std::vector<std::string> links;
  for (const EndpointPointer& endpoint : Ordered(id)) links.push_back(endpoint->link);
  return ReadStatistics(*netns, links);
}

}  // namespace cnm::engine
