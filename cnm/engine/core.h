// core.h: what an Engine does: each operation in the file that its heading names.
//
// Theory of operation: an operation takes its objects in `busy`, writes down what it is about to do
// (records `pending` or `moving`), does it, and writes down that it is done. What fails is undone
// in reverse. A start finds what a killed process left half done by those marks and undoes it.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "cnm/engine/busy.h"
#include "cnm/engine/deferred.h"
#include "cnm/engine/engine.h"
#include "cnm/engine/providers.h"
#include "cnm/engine/registry.h"
#include "cnm/engine/sandbox_files.h"
#include "common/base/file_lock.h"
#include "common/netns/netns.h"

namespace cnm::engine {

class Engine::Core {
 public:
  explicit Core(EngineOptions options);

  // ---- lookups: what readers may see (engine.cc). @throws Error as Engine's
  NetworkPointer GetNetwork(const std::string& id) const;
  NetworkPointer GetNetworkByName(const std::string& name) const;
  EndpointPointer GetEndpoint(const std::string& network_id, const std::string& id) const;
  EndpointPointer GetEndpointByName(const std::string& network_id, const std::string& name) const;
  SandboxPointer GetSandbox(const std::string& id) const;

  // ---- network.cc
  std::string CreateNetwork(const NetworkSpec& spec);
  void DeleteNetwork(const std::string& id, bool force);
  void UndoLeft();

  // ---- late.cc: @throws Error as Providers', of a plugin whose networks wait for it
  std::shared_ptr<NetworkDriver> DriverOf(const NetworkRecord& network);
  std::shared_ptr<IpamDriver> IpamOf(const NetworkRecord& network);

  // ---- endpoint.cc
  /// `gateway_id`: the id of a gateway network's own endpoint, which the caller holds in `busy_`;
  /// "" = an endpoint that somebody asked for
  std::string CreateEndpoint(const std::string& network_id, const EndpointSpec& spec,
                             const std::string& gateway_id = {});
  void DeleteEndpoint(const std::string& network_id, const std::string& id, bool force);

  // ---- join.cc
  std::string Join(const std::string& network_id, const std::string& endpoint_id,
                   const std::string& sandbox_id, const JoinSpec& spec);
  void Leave(const std::string& network_id, const std::string& endpoint_id,
             const std::string& sandbox_id);

  // ---- sandbox.cc
  std::string CreateSandbox(const SandboxSpec& spec);
  void DeleteSandbox(const std::string& id);
  void SetKey(const std::string& id, const std::string& path);
  void Refresh(const std::string& id, const SandboxSpec& spec);
  std::map<std::string, InterfaceStatistics> Statistics(const std::string& id) const;

  // ---- restore.cc
  void Restore();

  /// The endpoints that have joined, the one whose gateway comes first in front (gateway.cc).
  std::vector<EndpointPointer> Ordered(const std::string& sandbox_id) const;

  SandboxInfo InfoOf(const SandboxRecord& sandbox) const;
  /// By the names of what is known, by the ids of what is not (engine.cc).
  Event EventOf(std::string_view verb, const std::string& network_id,
                const std::string& endpoint_id = {}, const std::string& sandbox_id = {}) const;

  const std::string& id() const { return id_; }
  const EngineOptions& options() const { return options_; }
  const Registry& registry() const { return registry_; }

 private:
  // network.cc
  void UndoNetwork(const NetworkRecord& network) noexcept;
  // endpoint.cc
  void MakeEndpoint(const NetworkRecord& network, EndpointRecord& endpoint);
  void RemoveEndpoint(EndpointRecord endpoint);
  void UndoEndpoint(const EndpointRecord& endpoint) noexcept;
  // join.cc: with the sandbox's lock held, and the endpoint's unless it has joined
  void JoinLocked(const SandboxRecord& sandbox, EndpointRecord endpoint, const JoinSpec& spec);
  void LeaveLocked(const SandboxRecord& sandbox, EndpointRecord endpoint);
  void Populate(const SandboxRecord& sandbox, EndpointRecord& endpoint);
  void Depopulate(const SandboxRecord& sandbox, const EndpointRecord& endpoint) noexcept;
  // gateway.cc: with the sandbox's lock held
  void SettleGateway(const SandboxRecord& sandbox);
  void TrySettleGateway(const SandboxRecord& sandbox) noexcept;
  bool NeedsGateway(const std::vector<EndpointPointer>& endpoints) const;
  void AddGatewayEndpoint(const SandboxRecord& sandbox, const EndpointRecord& source);
  void RemoveGatewayEndpoint(const SandboxRecord& sandbox, const EndpointRecord& endpoint);
  std::string EnsureGatewayNetwork();
  void ProgramRoutes(const SandboxRecord& sandbox, const std::vector<EndpointPointer>& endpoints);
  void Publish(const std::vector<EndpointPointer>& endpoints);
  void Withdraw(EndpointRecord endpoint) noexcept;
  // sandbox.cc
  void MakeSandbox(SandboxRecord& sandbox);
  void Unkey(SandboxRecord sandbox);
  void RemoveSandbox(SandboxRecord sandbox);
  void RemoveSandboxNamespace(const SandboxRecord& sandbox);
  void Inhabit(SandboxRecord& sandbox);
  // names.cc
  HostNames NamesFor(const SandboxRecord& sandbox) const;
  void RefreshFiles(const SandboxRecord& sandbox) noexcept;
  void RefreshHosts(const SandboxRecord& sandbox);
  void RefreshNeighbours(const std::string& network_id) noexcept;
  void RefreshNeighbour(const std::string& sandbox_id) noexcept;
  void ForgetFiles(const SandboxRecord& sandbox) noexcept;
  // late.cc
  void RestoreFromPlugins(const NetworkRecord& network);
  bool IsLate(const std::string& network_id);
  void UndoLate(EndpointRecord endpoint);
  void RestoreLate(const NetworkRecord& network);
  void AwaitPlugin(const NetworkRecord& network);
  void RequirePlugins(const NetworkRecord& network, bool force);
  void ReleaseTo(const NetworkRecord& network,
                 const std::function<void(IpamDriver& ipam)>& release) noexcept;
  // restore.cc
  void RestoreNetworks();
  void RestoreSandbox(SandboxRecord sandbox);
  void RestoreEndpoint(const EndpointRecord& endpoint);

  /// What was last written to a sandbox's hosts file.
  struct Written {
    std::mutex mutex;
    HostNames names;
    bool gone = false;  ///< the file was removed with its sandbox
  };
  void BeginFiles(const SandboxRecord& sandbox);
  void AdoptFiles(const SandboxRecord& sandbox);
  std::shared_ptr<Written> FindWritten(const std::string& sandbox_id);

  EngineOptions options_;
  FileLock lock_;  ///< of the runtime directory
  std::string id_;
  std::string boot_id_;
  netns::NetNs host_;
  Registry registry_;
  Busy busy_;
  Providers providers_;
  bool started_ = false;  ///< set before anybody else can call
  std::mutex late_mutex_;
  /// By network: the endpoints that are to be undone when its plugin answers.
  std::map<std::string, std::vector<std::string>> late_;
  std::set<std::string> left_;  ///< networks whose creation could not be undone
  std::mutex written_mutex_;
  std::map<std::string, std::shared_ptr<Written>> written_;  ///< by sandbox id
  Deferred neighbours_;  ///< hosts files to be written; the last member: it uses the others
};

}  // namespace cnm::engine
