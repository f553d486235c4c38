// engine.h: networks, endpoints and sandboxes of the Container Network Model, with their lives:
// what libnetwork's NetworkController is.
//
// Theory of operation: every object is a record; the engine holds them in memory as well and writes
// before it answers, so that a killed daemon finds all of it again. Networks are durable, endpoints
// and sandboxes live until the host reboots, as what they consist of does. One engine at a time
// serves a state directory (a lock says so). All functions may be called from several threads:
// changes of one network's or sandbox's objects wait for one another, reading never waits for the
// kernel or a driver.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "cnm/engine/driver.h"
#include "cnm/engine/event.h"
#include "cnm/engine/ipam_driver.h"
#include "cnm/engine/values.h"

namespace cnm::engine {

/// How the engine is set up.
struct EngineOptions {
  std::string runtime_directory = "/run/cnm";      ///< endpoints, sandboxes, setkey socket
  std::string durable_directory = "/var/lib/cnm";  ///< networks
  std::string files_directory = "/var/lib/docker/network/files";  ///< hosts, resolv.conf
  std::string netns_directory = "/var/run/docker/netns";
  std::string default_network = {};
  std::string default_driver = "bridge";
  std::vector<std::shared_ptr<NetworkDriver>> drivers = {};
  std::vector<std::shared_ptr<IpamDriver>> ipams = {};  ///< the first is the default
  /// Finds a driver that is not in `drivers` (a plugin); nullptr = there is none.
  std::function<std::shared_ptr<NetworkDriver>(const std::string& type)> find_driver = {};
  std::function<std::shared_ptr<IpamDriver>(const std::string& name)> find_ipam = {};
  Teller tell = {};  ///< of each change that was asked for
};

/// A pool that a network is to have (ipv4_configuration of the REST API).
struct PoolConfig {
  std::string preferred_pool = {};  ///< CIDR; "" = any
  std::string sub_pool = {};
  std::string gateway = {};
  std::map<std::string, std::string> aux_addresses = {};
};

struct NetworkSpec {
  std::string name;
  std::string id = {};       ///< "" = one is made
  std::string type = {};     ///< "" = the default driver
  std::string options = {};  ///< network-wide labels, a JSON object; generic ones under
                             ///< "com.docker.network.generic"
  bool enable_ipv6 = false;
  bool internal = false;
  std::string ipam = {};  ///< "" = the default
  std::map<std::string, std::string> ipam_options = {};
  std::vector<PoolConfig> ipv4 = {};
  std::vector<PoolConfig> ipv6 = {};
};

struct NetworkInfo {
  std::string name;
  std::string id;
  std::string type;
  Scope scope = Scope::kLocal;
  NetworkConfig config;
  int64_t created_ns = 0;  ///< since 1970; 0 of one that an earlier release made
};

struct EndpointSpec {
  std::string name;
  std::vector<ExposedPort> exposed_ports = {};
  std::vector<PortBinding> port_bindings = {};
  std::string options = {};               ///< labels, a JSON object
  std::vector<std::string> aliases = {};  ///< known to the whole network
  Interface interface = {};               ///< wanted addresses and MAC
};

struct EndpointInfo {
  std::string name;
  std::string id;
  std::string network_id;
  std::string network;     ///< its name
  std::string sandbox_id;  ///< "" = not joined
  Interface interface;
  std::optional<net::Address> gateway;  ///< only while joined
  std::optional<net::Address> gateway_ipv6;
};

struct ExtraHost {
  std::string name;
  std::string address;
};
/// Another container's sandbox whose hosts file names this one.
struct ParentUpdate {
  std::string container_id;
  std::string name;
  std::string address;
};

struct SandboxSpec {
  std::string container_id;
  std::string host_name = {};
  std::string domain_name = {};
  std::string hosts_path = {};
  std::string origin_hosts_path = {};
  std::string resolv_conf_path = {};
  std::string origin_resolv_conf_path = {};
  std::vector<std::string> dns = {};
  std::vector<std::string> dns_search = {};
  std::vector<std::string> dns_options = {};
  std::vector<ExtraHost> extra_hosts = {};
  std::vector<ParentUpdate> parent_updates = {};
  bool use_default_sandbox = false;  ///< the host's own network stack
  bool use_external_key = false;     ///< SetKey will bring the namespace
  std::string options = {};          ///< labels for drivers, a JSON object
};

struct SandboxInfo {
  std::string id;
  std::string key;  ///< the namespace's path
  std::string container_id;
  std::vector<std::string> endpoint_ids;  ///< the one that gives the default route first
};

struct JoinSpec {
  int priority = 0;
  std::map<std::string, std::string> aliases = {};  ///< alias -> target endpoint's name
};

/// Counters of one interface in a sandbox (/proc/net/dev).
struct InterfaceStatistics {
  uint64_t rx_bytes = 0, rx_packets = 0, rx_errors = 0, rx_dropped = 0;
  uint64_t tx_bytes = 0, tx_packets = 0, tx_errors = 0, tx_dropped = 0;
};

/// Errors carry libnetwork's texts and kinds (libnetwork.md §27 to §34): kConfig = bad request,
/// kNotFound, kInUse and kExists = forbidden, kUnavailable = no service, kInternal.
class Engine {
 public:
  /// Reads the records, makes what exists known to the drivers, and puts stale objects right
  /// against the kernel. @throws Error kInUse when another engine serves the directory
  explicit Engine(EngineOptions options);
  ~Engine();
  Engine(const Engine&) = delete;
  Engine& operator=(const Engine&) = delete;

  const std::string& id() const;  ///< 64 hex digits, of this controller
  const EngineOptions& options() const;

  // ---- networks
  /// @returns the id
  std::string CreateNetwork(const NetworkSpec& spec);
  /// `force`: also one whose plugin is gone, which keeps what it has for the network.
  void DeleteNetwork(const std::string& id, bool force = false);
  /// Tries again to undo creations that failed, or were killed, while a plugin did not answer.
  void UndoLeft();
  std::vector<NetworkInfo> Networks() const;  ///< by name
  /// Whether it is on record at all, also while it is being made or deleted.
  bool KnowsNetwork(const std::string& id) const;
  /// @throws Error kConfig "invalid id: " for ""; kNotFound "network X not found"
  NetworkInfo GetNetwork(const std::string& id) const;
  NetworkInfo GetNetworkByName(const std::string& name) const;

  // ---- endpoints
  std::string CreateEndpoint(const std::string& network_id, const EndpointSpec& spec);
  /// `force`: also a joined one, which leaves first, and one whose plugin is gone.
  void DeleteEndpoint(const std::string& network_id, const std::string& endpoint_id,
                      bool force = false);
  /// Of all networks when `network_id` is ""; by network name, then endpoint name. One lock, no
  /// driver is asked.
  std::vector<EndpointInfo> Endpoints(const std::string& network_id = {}) const;
  EndpointInfo GetEndpoint(const std::string& network_id, const std::string& id) const;
  /// Of any network; nullopt when there is none.
  std::optional<EndpointInfo> FindEndpoint(const std::string& id) const;
  EndpointInfo GetEndpointByName(const std::string& network_id, const std::string& name) const;
  /// As KnowsNetwork.
  bool KnowsEndpoint(const std::string& id) const;
  /// The driver's OperInfo, a JSON object.
  std::string DriverInfo(const std::string& network_id, const std::string& endpoint_id) const;

  /// @returns the sandbox's key
  std::string Join(const std::string& network_id, const std::string& endpoint_id,
                   const std::string& sandbox_id, const JoinSpec& spec = {});
  void Leave(const std::string& network_id, const std::string& endpoint_id,
             const std::string& sandbox_id);

  // ---- sandboxes
  std::string CreateSandbox(const SandboxSpec& spec);
  void DeleteSandbox(const std::string& id);
  std::vector<SandboxInfo> Sandboxes() const;  ///< by container id
  SandboxInfo GetSandbox(const std::string& id) const;
  /// Gives a sandbox made with use_external_key its namespace: endpoints that joined move in.
  void SetKey(const std::string& id, const std::string& path);
  void Refresh(const std::string& id, const SandboxSpec& spec);
  /// By interface name in the sandbox.
  std::map<std::string, InterfaceStatistics> Statistics(const std::string& id) const;

 private:
  class Core;
  std::unique_ptr<Core> core_;
};

}  // namespace cnm::engine
