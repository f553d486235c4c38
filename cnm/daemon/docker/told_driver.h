// told_driver.h: a network driver that tells how each of Docker's calls ended.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "cnm/engine/driver.h"
#include "cnm/engine/event.h"

namespace cnm::docker {

/// Passes every call on. Docker never says whose an endpoint is: events name its id.
class ToldDriver final : public engine::NetworkDriver {
 public:
  /// What people call the network of this id; the id where nobody knows.
  using NameOf = std::function<std::string(const std::string& network_id)>;

  ToldDriver(std::shared_ptr<engine::NetworkDriver> driver, engine::Teller tell, NameOf name_of)
      : driver_(std::move(driver)), tell_(std::move(tell)), name_of_(std::move(name_of)) {}

  std::string type() const override { return driver_->type(); }
  engine::Scope scope() const override { return driver_->scope(); }
  bool ReturnsLinks() const override { return driver_->ReturnsLinks(); }

  void CreateNetwork(const engine::NetworkConfig& network) override;
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
  std::shared_ptr<engine::NetworkDriver> driver_;
  engine::Teller tell_;
  NameOf name_of_;
};

}  // namespace cnm::docker
