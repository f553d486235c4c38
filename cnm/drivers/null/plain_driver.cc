// plain_driver.cc: the drivers "null" and "host".
#include "cnm/drivers/null/plain_driver.h"

#include <fmt/format.h>

#include "common/base/error.h"

namespace cnm::drivers {

void PlainDriver::CreateNetwork(const engine::NetworkConfig& network) {
  const std::scoped_lock lock(mutex_);
  if (!network_id_.empty() && network_id_ != network.id) {
    throw Error(Code::kInUse, fmt::format("only one instance of \"{}\" network is allowed", type_));
  }
  network_id_ = network.id;
}

void PlainDriver::DeleteNetwork(const std::string& /*network_id*/) {
  throw Error(Code::kInUse, fmt::format("network of type \"{}\" cannot be deleted", type_));
}

engine::Interface PlainDriver::CreateEndpoint(const engine::EndpointConfig& /*endpoint*/) {
  return {};
}

void PlainDriver::DeleteEndpoint(const std::string& /*network_id*/,
                                 const std::string& /*endpoint_id*/) {}

std::string PlainDriver::OperInfo(const std::string& /*network_id*/,
                                  const std::string& /*endpoint_id*/) {
  return "{}";
}

engine::JoinInfo PlainDriver::Join(const std::string& /*network_id*/,
                                   const std::string& /*endpoint_id*/,
                                   const std::string& /*sandbox_key*/,
                                   const std::string& /*options*/) {
  return {};
}

void PlainDriver::Leave(const std::string& /*network_id*/, const std::string& /*endpoint_id*/) {}

void PlainDriver::ProgramExternalConnectivity(const std::string& /*network_id*/,
                                              const std::string& /*endpoint_id*/,
                                              const std::vector<engine::PortBinding>& /*bindings*/,
                                              const std::string& /*options*/) {}

void PlainDriver::RevokeExternalConnectivity(const std::string& /*network_id*/,
                                             const std::string& /*endpoint_id*/) {}

}  // namespace cnm::drivers
