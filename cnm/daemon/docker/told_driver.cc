// told_driver.cc: a network driver that tells how each of Docker's calls ended.
#include "cnm/daemon/docker/told_driver.h"

namespace cnm::docker {

void ToldDriver::CreateNetwork(const engine::NetworkConfig& network) {
  engine::Told(
      [this, &network](const engine::Event& event) {
        engine::Event named = event;
        named.network = name_of_(network.id);  // known once it is made
        tell_(named);
      },
      {.verb = "create-network"}, [&] { driver_->CreateNetwork(network); });
}

void ToldDriver::DeleteNetwork(const std::string& network_id) {
  engine::Told(tell_, {.verb = "delete-network", .network = name_of_(network_id)},
               [&] { driver_->DeleteNetwork(network_id); });
}

engine::Interface ToldDriver::CreateEndpoint(const engine::EndpointConfig& endpoint) {
  return engine::Told(tell_,
                      {.verb = "create-endpoint",
                       .network = name_of_(endpoint.network_id),
                       .endpoint = endpoint.id},
                      [&] { return driver_->CreateEndpoint(endpoint); });
}

void ToldDriver::DeleteEndpoint(const std::string& network_id, const std::string& endpoint_id) {
  engine::Told(
      tell_, {.verb = "delete-endpoint", .network = name_of_(network_id), .endpoint = endpoint_id},
      [&] { driver_->DeleteEndpoint(network_id, endpoint_id); });
}

std::string ToldDriver::OperInfo(const std::string& network_id, const std::string& endpoint_id) {
  return driver_->OperInfo(network_id, endpoint_id);  // changes nothing
}

engine::JoinInfo ToldDriver::Join(const std::string& network_id, const std::string& endpoint_id,
                                  const std::string& sandbox_key, const std::string& options) {
  return engine::Told(tell_,
                      {.verb = "join", .network = name_of_(network_id), .endpoint = endpoint_id},
                      [&] { return driver_->Join(network_id, endpoint_id, sandbox_key, options); });
}

void ToldDriver::Leave(const std::string& network_id, const std::string& endpoint_id) {
  engine::Told(tell_, {.verb = "leave", .network = name_of_(network_id), .endpoint = endpoint_id},
               [&] { driver_->Leave(network_id, endpoint_id); });
}

void ToldDriver::ProgramExternalConnectivity(const std::string& network_id,
                                             const std::string& endpoint_id,
                                             const std::vector<engine::PortBinding>& bindings,
                                             const std::string& options) {
  engine::Told(
      tell_, {.verb = "publish", .network = name_of_(network_id), .endpoint = endpoint_id},
      [&] { driver_->ProgramExternalConnectivity(network_id, endpoint_id, bindings, options); });
}

void ToldDriver::RevokeExternalConnectivity(const std::string& network_id,
                                            const std::string& endpoint_id) {
  engine::Told(tell_,
               {.verb = "unpublish", .network = name_of_(network_id), .endpoint = endpoint_id},
               [&] { driver_->RevokeExternalConnectivity(network_id, endpoint_id); });
}

}  // namespace cnm::docker
