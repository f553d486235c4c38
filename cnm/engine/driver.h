// driver.h: what every network driver of the Container Network Model does: our own, Docker's remote
// ones, and through the daemon we for Docker.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "cnm/engine/values.h"

namespace cnm::engine {

/// A kind of network (libnetwork.md §8, B.1). Calls for different objects may come at once from
/// several threads. Every call may be repeated: a repetition of what was done succeeds.
/// All @throws Error: kNotFound "No network (ID) exists", kExists, kConfig, kInUse, kKernel.
class NetworkDriver {
 public:
  virtual ~NetworkDriver() = default;
  /// "bridge": what networks name.
  virtual std::string type() const = 0;
  virtual Scope scope() const = 0;

  virtual void CreateNetwork(const NetworkConfig& network) = 0;
  virtual void DeleteNetwork(const std::string& network_id) = 0;

  /// Chooses and records; no kernel change of a built-in driver. @returns what was absent in
  /// `endpoint.interface` and the driver chose
  virtual Interface CreateEndpoint(const EndpointConfig& endpoint) = 0;
  virtual void DeleteEndpoint(const std::string& network_id, const std::string& endpoint_id) = 0;
  /// A JSON object of what the driver knows about the endpoint: "com.docker.network.portmap", ...
  virtual std::string OperInfo(const std::string& network_id, const std::string& endpoint_id) = 0;

  /// Makes the link, which the caller moves into the sandbox. `options` are the sandbox's labels,
  /// a JSON object or "".
  virtual JoinInfo Join(const std::string& network_id, const std::string& endpoint_id,
                        const std::string& sandbox_key, const std::string& options) = 0;
  virtual void Leave(const std::string& network_id, const std::string& endpoint_id) = 0;

  /// Publishes the endpoint's ports: it has become the one through which its sandbox reaches the
  /// world. `options` as in EndpointConfig.
  virtual void ProgramExternalConnectivity(const std::string& network_id,
                                           const std::string& endpoint_id,
                                           const std::vector<PortBinding>& bindings,
                                           const std::string& options) = 0;
  virtual void RevokeExternalConnectivity(const std::string& network_id,
                                          const std::string& endpoint_id) = 0;

  /// Whether the driver's links need to be given back to the host's netns after Leave.
  virtual bool ReturnsLinks() const { return false; }
};

}  // namespace cnm::engine
