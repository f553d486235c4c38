// engine.cc: an example: a network, an endpoint on it and a sandbox that joins, as the later README
// of libnetwork tells it.
//
//   example-engine [ROOT]      state goes below ROOT instead of the host's own directories
#include <cstdio>
#include <memory>
#include <string>

#include <fmt/format.h>

#include "cnm/drivers/local/local_driver.h"
#include "cnm/engine/engine.h"
#include "cnm/engine/labels.h"
#include "cnm/pools/default_ipam.h"
#include "common/base/error.h"
#include "common/json/object.h"

namespace cnm {
namespace {

/// A controller with one network driver and one IPAM driver, both of this host.
engine::EngineOptions MakeOptions(const std::string& root) {
  const std::string durable = root + "/var/lib/cnm";
  const std::string leases = root + "/var/lib/cni/networks";
  engine::EngineOptions options;
  options.runtime_directory = root + "/run/cnm";
  options.durable_directory = durable;
  options.files_directory = root + "/var/lib/cnm/files";
  options.netns_directory = root + "/run/cnm/netns";
  options.drivers = {std::make_shared<local::LocalDriver>(
      local::LocalOptions{.paths = {.runtime = options.runtime_directory},
                          .durable_directory = durable,
                          .lease_directory = leases})};
  options.ipams = {std::make_shared<pools::DefaultIpam>(
      pools::DefaultIpamOptions{.durable_directory = durable, .leases_directory = leases})};
  return options;
}

void Run(const std::string& root) {
  engine::Engine controller(MakeOptions(root));

  // A network that containers can join. Its subnet is the next one that nobody here uses.
  const std::string network = controller.CreateNetwork({.name = "network1", .type = "bridge"});

  // For each container: an endpoint, which is its address, its MAC and its published ports.
  engine::EndpointSpec spec;
  spec.name = "Endpoint1";
  spec.exposed_ports = {{.protocol = 6, .port = 80}};
  spec.port_bindings = {{.protocol = 6, .port = 80, .host_port = 8080}};
  const std::string endpoint = controller.CreateEndpoint(network, spec);

  // The container's network namespace, with the hosts and resolv.conf that it mounts.
  const std::string sandbox = controller.CreateSandbox(
      {.container_id = "container1", .host_name = "test", .domain_name = "example.com"});

  // From here on the container is on the network. It may join others too.
  fmt::print("sandbox {}\n", controller.Join(network, endpoint, sandbox));

  const engine::EndpointInfo info = controller.GetEndpoint(network, endpoint);
  if (info.interface.address) fmt::print("address {}\n", info.interface.address->ToString());
  if (info.interface.mac) fmt::print("mac {}\n", info.interface.mac->ToString());
  if (info.gateway) fmt::print("gateway {}\n", info.gateway->ToString());

  // What the driver knows besides, where the ports were published for one.
  const json::Object known =
      json::Parse(controller.DriverInfo(network, endpoint), "driver information");
  for (const engine::PortBinding& binding : engine::DecodePortBindings(known)) {
    fmt::print("port {} of the host is port {} of the container\n", binding.host_port,
               binding.port);
  }
}

}  // namespace
}  // namespace cnm

int main(int argc, char** argv) {
  try {
    cnm::Run(argc > 1 ? argv[1] : "");
    return 0;
  } catch (const cnm::Error& error) {
    fmt::print(stderr, "example-engine: {} ({})\n", error.message(), error.details());
    return 1;
  }
}
