// plain_driver.h: the drivers "null" and "host", of which there is one network each and nothing to
// build.
#pragma once

#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "cnm/engine/driver.h"

namespace cnm::drivers {

inline constexpr char kNullDriver[] = "null";  ///< no link: Docker's network "none"
inline constexpr char kHostDriver[] = "host";  ///< the host's own network stack

/// One network, never deleted; endpoints are names and nothing else (libnetwork.md §10.2).
class PlainDriver : public engine::NetworkDriver {
 public:
  /// `type` is one of the above.
  explicit PlainDriver(std::string type) : type_(std::move(type)) {}

  std::string type() const override { return type_; }
  engine::Scope scope() const override { return engine::Scope::kLocal; }

  /// The same network may be made again, as after a restart.
  /// @throws Error kInUse "only one instance of "null" network is allowed"
  void CreateNetwork(const engine::NetworkConfig& network) override;
  /// @throws Error kInUse "network of type "null" cannot be deleted", always
  void DeleteNetwork(const std::string& network_id) override;

  engine::Interface CreateEndpoint(const engine::EndpointConfig& endpoint) override;
  void DeleteEndpoint(const std::string& network_id, const std::string& endpoint_id) override;
  std::string OperInfo(const std::string& network_id, const std::string& endpoint_id) override;
  engine::JoinInfo Join(const std::string& network_id, const std::string& endpoint_id,
                        const std::string& sandbox_key, const std::string& options) override;
  void Leave(const std::string& network_id, const std::string& endpoint_id) override;
  void ProgramExternalConnectivity(const std::string& network_id, const std::string& endpoint_id,
                                   const std::vector<engine::PortBinding>& bindings,
                                   const std::string& options) override;
  void RevokeExternalConnectivity(const std::string& network_id,
                                  const std::string& endpoint_id) override;

 private:
  std::string type_;
  std::mutex mutex_;
  std::string network_id_;  ///< "" = not made yet
};

}  // namespace cnm::drivers
