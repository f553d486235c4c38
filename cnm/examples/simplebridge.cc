// simplebridge.cc: an example: the same story in the order of the earlier README of libnetwork: the
// sandbox is made from a path, and its interfaces and gateway are set by hand.
//
//   example-simplebridge [ROOT]      state goes below ROOT instead of the host's own directories
#include <cstdio>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "cnm/drivers/local/local_driver.h"
#include "cnm/engine/engine.h"
#include "cnm/engine/sandbox_namespace.h"
#include "cnm/pools/default_ipam.h"
#include "common/base/error.h"
#include "common/netns/netns.h"

namespace cnm {
namespace {

constexpr char kDriverName[] = "simplebridge";

/// The bridges of this host under another name: a driver is what a name finds.
std::shared_ptr<engine::NetworkDriver> MakeDriver(const std::string& root) {
  return std::make_shared<local::LocalDriver>(
      local::LocalOptions{.paths = {.runtime = root + "/run/cnm"},
                          .durable_directory = root + "/var/lib/cnm",
                          .lease_directory = root + "/var/lib/cni/networks"});
}

engine::EngineOptions MakeOptions(const std::string& root,
                                  const std::shared_ptr<engine::NetworkDriver>& driver) {
  engine::EngineOptions options;
  options.runtime_directory = root + "/run/cnm";
  options.durable_directory = root + "/var/lib/cnm";
  options.find_driver = [driver](const std::string& type) {
    return type == kDriverName ? driver : nullptr;
  };
  options.ipams = {std::make_shared<pools::DefaultIpam>(
      pools::DefaultIpamOptions{.durable_directory = root + "/var/lib/cnm",
                                .leases_directory = root + "/var/lib/cni/networks"})};
  return options;
}

/// What the endpoint brings into a sandbox: the links that the driver has made for it.
std::vector<engine::InterfacePlan> InterfacesOf(const engine::EndpointInfo& endpoint,
                                                const engine::JoinInfo& joined) {
  engine::InterfacePlan plan{.src_name = joined.src_name,
                             .dst_prefix = joined.dst_prefix,
                             .dst_name = joined.dst_name,
                             .mac = endpoint.interface.mac,
                             .addresses = {},
                             .routes = joined.routes};
  for (const auto& address : {endpoint.interface.address, endpoint.interface.address_ipv6}) {
    if (address) plan.addresses.push_back(*address);
  }
  return {plan};
}

void Run(const std::string& root) {
  const std::shared_ptr<engine::NetworkDriver> driver = MakeDriver(root);
  engine::Engine controller(MakeOptions(root, driver));

  // A network of that driver, with options that are the driver's own.
  engine::NetworkSpec spec;
  spec.name = "network1";
  spec.type = kDriverName;
  spec.options = R"({"com.docker.network.generic":{"BridgeName":"simple0"}})";
  engine::PoolConfig pool;
  pool.preferred_pool = "192.0.2.0/24";
  pool.gateway = "192.0.2.1";
  spec.ipv4 = {pool};
  const std::string network = controller.CreateNetwork(spec);

  // For a new container: its sandbox, from a path that is the sandbox's key.
  const std::string key = root + "/run/cnm/netns/4d23e";
  const netns::NetNs host = netns::NetNs::Current();
  engine::MakeNamespace(key);
  const netns::NetNs sandbox = netns::NetNs::Open(key);

  // An endpoint, made against that key: addresses are chosen and links wait for the sandbox.
  const std::string id = controller.CreateEndpoint(network, {.name = "Endpoint1"});
  const engine::EndpointInfo endpoint = controller.GetEndpoint(network, id);
  const engine::JoinInfo joined = driver->Join(network, id, key, "");

  // Each interface goes in by hand,
  std::string link;
  for (const engine::InterfacePlan& plan : InterfacesOf(endpoint, joined)) {
    engine::AddInterface(sandbox, host, plan, [&link](const std::string& name) { link = name; });
    fmt::print("interface {} in {}\n", link, key);
  }
  // and then the gateway.
  if (joined.gateway) {
    engine::SetDefaultRoute(sandbox, net::Family::kIpv4, {joined.gateway, link}, {});
    fmt::print("gateway {}\n", joined.gateway->ToString());
  }
}

}  // namespace
}  // namespace cnm

int main(int argc, char** argv) {
  try {
    cnm::Run(argc > 1 ? argv[1] : "");
    return 0;
  } catch (const cnm::Error& error) {
    fmt::print(stderr, "example-simplebridge: {} ({})\n", error.message(), error.details());
    return 1;
  }
}
