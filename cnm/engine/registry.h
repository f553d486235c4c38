// registry.h: all objects of an engine in memory, and their records on disk.
//
// Theory of operation: a record in memory is never changed but replaced by a new one, so a reader
// takes a pointer under the lock and reads without it. Disks are written outside the lock, by
// whoever is changing the object (Busy keeps others away): first the record, then the memory that
// answers are made of. Pending objects keep their names and count as users of what they are in, and
// no reader sees them.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <vector>

#include "cnm/engine/records.h"
#include "cnm/store/store.h"

namespace cnm::engine {

using NetworkPointer = std::shared_ptr<const NetworkRecord>;
using EndpointPointer = std::shared_ptr<const EndpointRecord>;
using SandboxPointer = std::shared_ptr<const SandboxRecord>;

class Registry {
 public:
  /// Endpoints and sandboxes are kept in `runtime_directory`, networks in `durable_directory`.
  Registry(std::string runtime_directory, std::string durable_directory)
      : runtime_(std::move(runtime_directory)), durable_(std::move(durable_directory)) {}

  /// Reads all records; those that cannot be read are put into quarantine. @throws Error kIo
  void Load();

  // ---- new objects: their names and places are taken, then they are recorded
  /// @throws Error kExists "network with name X already exists"
  void Add(const NetworkRecord& network);
  /// @throws Error kNotFound when the network is gone; kExists "service endpoint with name X
  /// already exists"
  void Add(const EndpointRecord& endpoint);
  /// @throws Error kConfig "container X is already present"
  void Add(const SandboxRecord& sandbox);

  // ---- changes: record first. @throws Error kIo, the memory being as it was
  void Put(const NetworkRecord& network);
  void Put(const EndpointRecord& endpoint);
  void Put(const SandboxRecord& sandbox);
  void Remove(const NetworkRecord& network);
  void Remove(const EndpointRecord& endpoint);
  void Remove(const SandboxRecord& sandbox);

  /// Takes the network out of sight and keeps new endpoints away. @throws Error kNotFound "unknown
  /// network"; kInUse "network with name X id Y has active endpoints"; kIo,
  /// the network being as it was
  NetworkRecord BeginDelete(const std::string& network_id);

  // ---- what there is, pending ones included; nullptr when there is none
  NetworkPointer FindNetwork(const std::string& id) const;
  NetworkPointer FindNetworkByName(const std::string& name) const;
  /// Also one whose record a newer release has written. @throws Error kIo
  bool HasNetwork(const std::string& id) const;
  EndpointPointer FindEndpoint(const std::string& id) const;
  EndpointPointer FindEndpointByName(const std::string& network_id, const std::string& name) const;
  SandboxPointer FindSandbox(const std::string& id) const;
  SandboxPointer FindSandboxOf(const std::string& container_id) const;
  std::vector<NetworkPointer> Networks() const;                                 ///< by name
  std::vector<EndpointPointer> Endpoints(const std::string& network_id) const;  ///< by name
  std::vector<EndpointPointer> AllEndpoints() const;  ///< also of networks that are not there
  std::vector<EndpointPointer> EndpointsIn(const std::string& sandbox_id) const;
  std::vector<SandboxPointer> Sandboxes() const;  ///< by container id

 private:
  struct NetworkEntry {
    NetworkPointer record;
    std::map<std::string, std::string> endpoints = {};  ///< name -> id
  };
  void Insert(EndpointPointer endpoint);
  void Forget(const NetworkRecord& network);
  void Forget(const EndpointRecord& endpoint);
  void Forget(const SandboxRecord& sandbox);
  void Write(bool durable, const std::string& key, const std::string& json) const;
  void Erase(bool durable, const std::string& key) const;
  template <class Decode>
  void LoadAll(bool durable, const char* prefix, const Decode& decode);

  const std::string runtime_;
  const std::string durable_;
  mutable std::mutex mutex_;  ///< of all below
  std::map<std::string, NetworkEntry> networks_;
  std::map<std::string, std::string> network_names_;  ///< name -> id
  std::map<std::string, EndpointPointer> endpoints_;
  std::map<std::string, SandboxPointer> sandboxes_;
  std::map<std::string, std::string> containers_;        ///< container id -> sandbox id
  std::map<std::string, std::set<std::string>> joined_;  ///< sandbox id -> endpoint ids
};

}  // namespace cnm::engine
