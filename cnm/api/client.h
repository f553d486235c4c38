// client.h: the REST API from a client's side: what dnet and cnmctl ask for (libnetwork.md §3).
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "common/http/client.h"

namespace cnm::api {

/// An endpoint, which as a service is known by its network's name.
struct ServiceView {
  std::string name;
  std::string id;
  std::string network;
};

struct NetworkView {
  std::string name;
  std::string id;
  std::string type;
  std::vector<ServiceView> endpoints;
  std::string created = {};  ///< RFC 3339; only in its details
};

/// A sandbox; as a backend where nothing is attached all is "".
struct SandboxView {
  std::string id;
  std::string key;
  std::string container_id;
};

/// A network to make; "" and false are the server's defaults.
struct NetworkRequest {
  std::string name;
  std::string id = {};
  std::string driver = {};
  std::map<std::string, std::string> driver_options = {};
  bool internal = false;
  bool ipv6 = false;
  std::vector<std::string> subnets = {};  ///< CIDR, of either family
  std::string ip_range = {};              ///< in the first subnet
  std::string gateway = {};               ///< in the first subnet
  std::string ipam = {};
  std::map<std::string, std::string> ipam_options = {};
};

/// A port to publish, in the API's own words.
struct PortRequest {
  unsigned protocol = 6;  ///< IP protocol number
  unsigned port = 0;
  std::string host_address = {};
  unsigned host_port = 0;
};

struct EndpointRequest {
  std::string name;
  std::vector<std::string> aliases = {};
  std::string address = {};
  std::string mac = {};
  std::vector<PortRequest> ports = {};
};

struct SandboxRequest {
  std::string container_id;
  std::string host_name = {};
  bool use_default_sandbox = false;
  bool use_external_key = false;
};

/// A server, and how its failures are told.
struct ClientOptions {
  http::ServerAddress server;
  std::string refusal = {};      ///< before what the server said of a request it refused
  std::string unreachable = {};  ///< before what the transport said
};

/// The typed client. Every function is one exchange on its own connection unless it says otherwise.
/// All @throws Error kUnavailable when the server cannot be talked to, kDecode for an answer that
/// is none, else the kind of the answer's status (CodeOf) with the server's text.
class Client {
 public:
  explicit Client(ClientOptions options) : options_(std::move(options)) {}

  /// Any request; `body` is JSON or "". @returns the answer's body
  std::string Send(std::string_view method, const std::string& path,
                   const std::string& body = {}) const;

  std::vector<NetworkView> Networks() const;
  std::string CreateNetwork(const NetworkRequest& request) const;
  /// `force`: also one whose plugin is gone.
  void DeleteNetwork(const std::string& id, bool force = false) const;
  NetworkView GetNetwork(const std::string& id) const;
  NetworkView GetNetworkDetails(const std::string& id) const;

  /// Of a network by name; "" = of all.
  std::vector<ServiceView> Services(const std::string& network = {}) const;
  ServiceView GetService(const std::string& id) const;
  SandboxView Backend(const std::string& service_id) const;
  /// A service of a network by name ("": the default one). @returns its id
  std::string Publish(const EndpointRequest& request, const std::string& network) const;
  void Unpublish(const ServiceView& service, bool force) const;
  /// `aliases` are "TARGET:ALIAS". @returns the sandbox's key
  std::string Attach(const std::string& service_id, const std::string& sandbox_id,
                     const std::vector<std::string>& aliases = {}) const;
  void Detach(const std::string& service_id, const std::string& sandbox_id) const;

  std::vector<SandboxView> Sandboxes() const;
  std::string CreateSandbox(const SandboxRequest& request) const;
  void DeleteSandbox(const std::string& id) const;

  /// Two or three exchanges: by name, then by the beginning of an id. @throws also Error kNotFound
  /// "resource not found X", kConfig "multiple Networks matching the partial identifier (X). ..."
  std::string FindNetworkId(const std::string& name_or_id) const;
  /// In the network of that name ("": the default one). @throws also Error kNotFound "Network X
  /// does not exist", "Service X not found on network N"
  ServiceView FindService(const std::string& name_or_id, const std::string& network) const;
  /// The first sandbox whose container's id begins so. @throws also Error kNotFound "cannot find
  /// sandbox for container: X"
  std::string FindSandboxId(const std::string& container_id) const;

 private:
  std::vector<NetworkView> NetworksBy(std::string_view query) const;
  std::vector<ServiceView> ServicesBy(std::string_view query) const;

  ClientOptions options_;
};

/// Text as a value in a query: all but letters, digits, '-', '_', '.' and '~' percent-encoded.
std::string QueryValue(std::string_view text);

}  // namespace cnm::api
