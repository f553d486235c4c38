// remote_driver.cc: a network driver that is a Docker plugin.
#include "cnm/drivers/remote/remote_driver.h"

#include <functional>

#include <fmt/format.h>

#include "cnm/drivers/remote/codec.h"
#include "cnm/engine/labels.h"
#include "common/base/error.h"

namespace cnm::remote {
namespace {

/// Reads an answer; a failure to do so is undone by `roll_back`, and says whether that worked.
template <class Read>
auto ReadOrRollBack(const Read& read, const std::function<void()>& roll_back) {
  try {
    return read();
  } catch (const Error& error) {
    std::string end = "rolled back";
    try {
      roll_back();
    } catch (const Error& undo) {
      end = fmt::format("failed to roll back: {}", undo.message());
    }
    throw Error(error.code(), fmt::format("{}; {}", error.message(), end), error.details());
  }
}

void RefuseReplaced(const engine::Interface& given, const engine::Interface& answered) {
  if ((given.mac && answered.mac) || (given.address && answered.address) ||
      (given.address_ipv6 && answered.address_ipv6)) {
    throw Error(Code::kConfig, "driver attempted to add interface ignoring the one provided");
  }
}

}  // namespace

std::shared_ptr<RemoteDriver> RemoteDriver::Find(const std::string& name,
                                                 const PluginSettings& settings) {
  const auto plugin = Plugin::Find(name, "NetworkDriver", settings);
  if (!plugin) return nullptr;
  const json::Object capabilities = plugin->Call("NetworkDriver.GetCapabilities", "");
  try {
    return std::shared_ptr<RemoteDriver>(new RemoteDriver(*plugin, DecodeScope(capabilities)));
  } catch (const Error& error) {
    throw Error(Code::kConfig, fmt::format("invalid driver bound to network: {}", name),
                error.message());
  }
}

json::Object RemoteDriver::Call(std::string_view method, const std::string& body) const {
  return plugin_.Call(fmt::format("NetworkDriver.{}", method), body);
}

void RemoteDriver::CallIfKnown(std::string_view method, const std::string& body) const {
  try {
    Call(method, body);
  } catch (const Error& error) {
    if (error.code() != Code::kNotFound) throw;
  }
}

void RemoteDriver::CreateNetwork(const engine::NetworkConfig& network) {
  Call("CreateNetwork", EncodeNetwork(network));
}

void RemoteDriver::DeleteNetwork(const std::string& network_id) {
  Call("DeleteNetwork", EncodeNetworkId(network_id));
}

engine::Interface RemoteDriver::CreateEndpoint(const engine::EndpointConfig& endpoint) {
  const json::Object answer = Call("CreateEndpoint", EncodeEndpoint(endpoint));
  const auto read = [&] {
    engine::Interface interface = engine::DecodeInterface(answer, "Interface");
    RefuseReplaced(endpoint.interface, interface);
    return interface;
  };
  return ReadOrRollBack(read, [&] { DeleteEndpoint(endpoint.network_id, endpoint.id); });
}

void RemoteDriver::DeleteEndpoint(const std::string& network_id, const std::string& endpoint_id) {
  Call("DeleteEndpoint", EncodeIds({network_id, endpoint_id}));
}

std::string RemoteDriver::OperInfo(const std::string& network_id, const std::string& endpoint_id) {
  const json::Object answer = Call("EndpointOperInfo", EncodeIds({network_id, endpoint_id}));
  const auto value = answer.OptionalObject("Value");
  return value ? value->Text() : "{}";
}

engine::JoinInfo RemoteDriver::Join(const std::string& network_id, const std::string& endpoint_id,
                                    const std::string& sandbox_key, const std::string& options) {
  const json::Object answer =
      Call("Join", EncodeJoin({network_id, endpoint_id}, sandbox_key, options));
  return ReadOrRollBack([&] { return DecodeJoin(answer); },
                        [&] { Leave(network_id, endpoint_id); });
}

void RemoteDriver::Leave(const std::string& network_id, const std::string& endpoint_id) {
  Call("Leave", EncodeIds({network_id, endpoint_id}));
}

void RemoteDriver::ProgramExternalConnectivity(const std::string& network_id,
                                               const std::string& endpoint_id,
                                               const std::vector<engine::PortBinding>& bindings,
                                               const std::string& options) {
  CallIfKnown("ProgramExternalConnectivity",
              EncodeConnectivity({network_id, endpoint_id}, bindings, options));
}

void RemoteDriver::RevokeExternalConnectivity(const std::string& network_id,
                                              const std::string& endpoint_id) {
  CallIfKnown("RevokeExternalConnectivity", EncodeIds({network_id, endpoint_id}));
}

}  // namespace cnm::remote
