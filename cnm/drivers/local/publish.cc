// publish.cc: the ports of an endpoint: published, withdrawn, told of.
#include <fmt/format.h>

#include "cnm/drivers/local/endpoint_details.h"
#include "cnm/drivers/local/local_driver.h"
#include "cnm/drivers/local/publication.h"
#include "cnm/engine/ipam_driver.h"
#include "cnm/engine/labels.h"
#include "common/base/error.h"
#include "common/json/writer.h"

namespace cnm::local {
namespace {

/// How often a port of our own choice may turn out to be somebody else's.
constexpr int kAttempts = 10;

bool AnyIsOurChoice(const std::vector<engine::PortBinding>& wanted) {
  for (const engine::PortBinding& binding : wanted) {
    if (binding.host_port == 0 || binding.host_port_end > binding.host_port) return true;
  }
  return false;
}

/// Who holds the port, if it is an endpoint of ours.
std::string HolderOf(const std::vector<engine::PortBinding>& wanted, Controller& controller) {
  for (const Endpoint& other : controller.Endpoints()) {
    for (const engine::PortBinding& held : PublishedBy(other)) {
      for (const engine::PortBinding& binding : wanted) {
        const bool same = held.protocol == binding.protocol && binding.host_port != 0 &&
                          held.host_port == binding.host_port;
        if (same) return fmt::format("port {} is {}'s", held.host_port, Describe(other.key));
      }
    }
  }
  return "";
}

}  // namespace

/// Makes their host ports free for others.
void LocalDriver::ForgetPorts(const Endpoint& endpoint) const {
  options_.ports->GiveBack(PublishedBy(endpoint));
}

void LocalDriver::ProgramExternalConnectivity(const std::string& network_id,
                                              const std::string& endpoint_id,
                                              const std::vector<engine::PortBinding>& bindings,
                                              const std::string& /*options*/) {
  const auto network = GetNetwork(network_id);
  const engine::Busy::Hold hold = changing_.Acquire({endpoint_id});
  Controller controller = OpenController("ProgramExternalConnectivity");
  const Endpoint endpoint = GetEndpoint(network_id, endpoint_id, controller);
  if (bindings.empty() || network->options.internal) return;
  CheckBindings(bindings);
  if (endpoint.state != EndpointState::kReady) {
    throw Error(Code::kConfig, fmt::format("{} is in no sandbox", Describe(endpoint.key)));
  }
  // What is recorded need not stand: a process may have been killed between the two.
  const std::vector<engine::PortBinding> published = PublishedBy(endpoint);
  if (!published.empty()) return AddPorts(endpoint, published, controller);
  std::vector<engine::PortBinding> wanted = bindings;
  for (engine::PortBinding& binding : wanted) {
    if (!binding.host_ip) binding.host_ip = network->options.binding;
  }
  PublishPorts(endpoint, wanted, controller);
}

/// Records and programs them.
void LocalDriver::AddPorts(const Endpoint& endpoint, const std::vector<engine::PortBinding>& chosen,
                           Controller& controller) const {
  const Network core = CoreNetwork(*GetNetwork(DetailsOf(endpoint).network_id), controller);
  AttachmentSpec spec{.key = endpoint.key, .plugin = kPortsPlugin, .sandbox = endpoint.sandbox};
  spec.wanted = MakePublication(chosen, endpoint, BridgeOf(core.options));
  controller.AddAttachments(spec);
}

/// Chooses the host ports and publishes; again while somebody else, CNI's containers say, turns out
/// to hold a port that we chose.
void LocalDriver::PublishPorts(const Endpoint& endpoint,
                               const std::vector<engine::PortBinding>& wanted,
                               Controller& controller) const {
  for (int attempt = 1;; ++attempt) {
    std::vector<engine::PortBinding> chosen;
    try {
      chosen = options_.ports->Take(wanted);
      options_.ports->Serve(chosen, TargetsIn(endpoint));
      return AddPorts(endpoint, chosen, controller);
    } catch (Error& e) {
      options_.ports->GiveBack(chosen);
      if (e.code() != Code::kInUse) throw;
      if (!chosen.empty() && attempt < kAttempts && AnyIsOurChoice(wanted)) continue;
      const std::string holder = HolderOf(wanted, controller);
      if (!holder.empty()) e.AddDetail(holder);
      throw;
    }
  }
}

void LocalDriver::RevokeExternalConnectivity(const std::string& network_id,
                                             const std::string& endpoint_id) {
  const engine::Busy::Hold hold = changing_.Acquire({endpoint_id});
  Controller controller = OpenController("RevokeExternalConnectivity");
  const auto endpoint = FindEndpoint(network_id, endpoint_id, controller);
  if (!endpoint) return;
  controller.RemoveAttachments({.key = endpoint->key, .plugin = kPortsPlugin});
  ForgetPorts(*endpoint);
}

std::string LocalDriver::OperInfo(const std::string& network_id, const std::string& endpoint_id) {
  Controller controller = OpenController("OperInfo");
  const Endpoint endpoint = GetEndpoint(network_id, endpoint_id, controller);
  const EndpointDetails details = DetailsOf(endpoint);
  json::Writer w;
  w.BeginObject();
  if (!details.exposed.empty()) {
    engine::EncodeExposedPorts(details.exposed, w.Key(engine::kExposedPortsLabel));
  }
  std::vector<engine::PortBinding> published = PublishedBy(endpoint);
  for (engine::PortBinding& binding : published) {
    const engine::Interface interface = InterfaceOf(endpoint);
    const auto& address = interface.address ? interface.address : interface.address_ipv6;
    if (address) binding.ip = address->address;
  }
  if (!published.empty()) engine::EncodePortBindings(published, w.Key(engine::kPortMapLabel));
  w.Member(engine::kMacLabel, engine::EncodeMacLabel(endpoint.mac));
  return w.EndObject().Take();
}

}  // namespace cnm::local
