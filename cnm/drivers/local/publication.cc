// publication.cc: published ports as what an endpoint has attached.
#include "cnm/drivers/local/publication.h"

#include <algorithm>

#include <fmt/format.h>

#include "cnm/drivers/local/endpoint_details.h"
#include "cnm/drivers/local/host_ports.h"
#include "common/firewall/select.h"

namespace cnm::local {
namespace {

/// Where a binding leads to: one mapping for each family it can serve.
void AddMappings(const engine::PortBinding& binding, const Endpoint& endpoint,
                 std::vector<firewall::PortMapping>& mappings) {
  for (const AddressGrant& grant : endpoint.addressing.addresses) {
    const net::Family family = grant.prefix.address.family();
    for (const net::Address& host : HostAddressesOf(binding)) {
      if (host.family() != family) continue;
      firewall::PortMapping mapping{.protocol = ProtocolOf(binding),
                                    .host_port = binding.host_port,
                                    .target_port = binding.port,
                                    .target = grant.prefix};
      if (!host.IsUnspecified()) mapping.host_address = host;
      mappings.push_back(mapping);
    }
  }
}

/// The addresses that mappings lead to, each once.
std::vector<net::Address> TargetsOf(const std::vector<firewall::PortMapping>& mappings) {
  std::vector<net::Address> targets;
  for (const firewall::PortMapping& mapping : mappings) {
    const net::Address& target = mapping.target.address;
    if (std::find(targets.begin(), targets.end(), target) == targets.end()) {
      targets.push_back(target);
    }
  }
  return targets;
}

}  // namespace

std::vector<Attachment> MakePublication(const std::vector<engine::PortBinding>& bindings,
                                        const Endpoint& endpoint, const std::string& bridge) {
  Attachment ports{.plugin = kPortsPlugin, .state = EncodePublished(bindings)};
  std::vector<firewall::PortMapping>& mappings = ports.rules.publication.mappings;
  for (const engine::PortBinding& binding : bindings) AddMappings(binding, endpoint, mappings);
  for (const AddressGrant& grant : endpoint.addressing.addresses) {
    if (!grant.prefix.address.is_v4()) continue;
    // What comes back to a process that asked 127.0.0.1 comes by the bridge.
    ports.sysctls = {{fmt::format("net/ipv4/conf/{}/route_localnet", bridge), "1"}};
  }
  const firewall::Forwarding forwarding{.published = TargetsOf(mappings)};
  std::vector<Attachment> attachments;
  for (const std::string& backend : firewall::ForwardBackends()) {
    Attachment attachment = attachments.empty() ? ports : Attachment{.plugin = kPortsPlugin};
    attachment.backend = backend;
    attachment.follows_host = !forwarding.empty();
    attachment.rules.forwarding = forwarding;
    attachments.push_back(std::move(attachment));
  }
  return attachments;
}

std::vector<net::Address> TargetsIn(const Endpoint& endpoint) {
  std::vector<net::Address> targets;
  targets.reserve(endpoint.addressing.addresses.size());
  for (const AddressGrant& grant : endpoint.addressing.addresses) {
    targets.push_back(grant.prefix.address);
  }
  return targets;
}

}  // namespace cnm::local
