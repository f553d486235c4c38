// assembly.cc: the parts of a daemon, put together.
#include "cnm/daemon/assembly.h"

#include <algorithm>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "cnm/api/status.h"
#include "cnm/controller.h"
#include "cnm/daemon/docker/told_driver.h"
#include "cnm/daemon/port_proxy.h"
#include "cnm/drivers/local/host_ports.h"
#include "cnm/drivers/null/plain_driver.h"
#include "cnm/drivers/remote/remote_driver.h"
#include "cnm/drivers/remote/remote_ipam.h"
#include "cnm/endpoint.h"
#include "cnm/flight_recorder.h"
#include "cnm/inventory/inventory.h"
#include "cnm/journal.h"
#include "cnm/pools/null_ipam.h"
#include "cnm/store/file_store.h"
#include "common/base/atomic_file.h"
#include "common/base/background.h"

namespace cnm::daemon {
namespace {

constexpr char kDockerDoor[] = "docker";

/// How many removed links the kernel may be freeing at once before the next removal waits.
constexpr unsigned kRemovalThreads = 8;

/// What the bridge drivers of all doors share.
struct Shared {
  explicit Shared(const Config& config)
      : ports(std::make_shared<local::HostPorts>(
            PortRange{}, true,
            config.userland_proxy ? std::make_shared<AsioPortProxy>() : nullptr)) {}

  std::shared_ptr<local::HostPorts> ports;
  std::shared_ptr<Background> background = std::make_shared<Background>(kRemovalThreads);
};

std::shared_ptr<local::LocalDriver> MakeBridge(const Config& config, const std::string& door,
                                               const Shared& shared) {
  const bool docker = door == kDockerDoor;
  return std::make_shared<local::LocalDriver>(
      local::LocalOptions{.paths = {.runtime = config.runtime_directory},
                          .durable_directory = config.durable_directory,
                          .lease_directory = config.lease_directory,
                          .door = door,
                          .runtime = docker ? "dockerd" : "cnmd",
                          .born_in_sandbox = !docker,  // Docker wants to move it itself
                          .ports = shared.ports,
                          .background = shared.background});
}

/// Writes what was asked of a door into the flight recorder, where the plugins write their calls.
engine::Teller TellerOf(const Config& config, const char* door) {
  return [directory = config.runtime_directory, door](const engine::Event& event) {
    const int code =
        event.error == nullptr ? 0 : static_cast<int>(api::StatusOf(event.error->code()));
    AppendToLog(
        directory,
        LogLine({.verb = event.verb,
                 .plugin = door,
                 .network = event.network,
                 .container = event.container,
                 .endpoint = event.endpoint,
                 .runtime = std::string_view(door) == kDockerDoor ? "dockerd" : "cnmd",
                 .code = code,
                 .message = event.error == nullptr ? std::string_view() : event.error->message()},
                event.times));
  };
}

/// Asks the records: only when an address is taken, which is when Docker replays.
bool IsDockers(const std::string& runtime_directory, const net::Address& address) {
  FileStore store(runtime_directory, Durability::kVolatile);
  const std::vector<Endpoint> endpoints = Journal(store).Endpoints();
  return std::any_of(endpoints.begin(), endpoints.end(), [&](const Endpoint& endpoint) {
    const auto& grants = endpoint.addressing.addresses;
    return endpoint.door == kDockerDoor &&
           std::any_of(grants.begin(), grants.end(),
                       [&](const AddressGrant& grant) { return grant.prefix.address == address; });
  });
}

}  // namespace

std::string TakeInventory(const Config& config) {
  ControllerOptions options;
  options.paths.runtime = config.runtime_directory;
  options.door = "api";
  options.holder = "inventory";
  Controller controller(std::move(options));
  return inventory::Encode(inventory::Take(
      controller, {.runtime = config.runtime_directory, .durable = config.durable_directory}));
}

Assembly Assemble(const Config& config) {
  Assembly parts;
  const Shared shared(config);
  parts.pools = std::make_shared<pools::DefaultIpam>(pools::DefaultIpamOptions{
      .durable_directory = config.durable_directory, .leases_directory = config.lease_directory});
  parts.api_bridge = MakeBridge(config, "api", shared);
  parts.engine = std::make_unique<engine::Engine>(engine::EngineOptions{
      .runtime_directory = config.runtime_directory,
      .durable_directory = config.durable_directory,
      .files_directory = config.files_directory,
      .netns_directory = config.netns_directory,
      .default_network = config.default_network,
      .default_driver = config.default_driver,
      .drivers = {parts.api_bridge, std::make_shared<drivers::PlainDriver>(drivers::kHostDriver),
                  std::make_shared<drivers::PlainDriver>(drivers::kNullDriver)},
      .ipams = {parts.pools, std::make_shared<pools::NullIpam>()},
      .find_driver = [](const auto& type) { return remote::RemoteDriver::Find(type); },
      .find_ipam = [](const auto& name) { return remote::RemoteIpam::Find(name); },
      .tell = TellerOf(config, "api")});
  if (!config.docker) return parts;
  parts.docker_bridge = MakeBridge(config, kDockerDoor, shared);
  parts.docker_ipam = std::make_shared<docker::ReplayedIpam>(
      parts.pools, docker::ReplayedIpamOptions{
                       .durable_directory = config.durable_directory,
                       .held = [runtime = config.runtime_directory](const auto& address) {
                         return IsDockers(runtime, address);
                       }});
  parts.docker = std::make_unique<docker::Adaptor>(docker::Backend{
      .network = std::make_shared<docker::ToldDriver>(
          parts.docker_bridge, TellerOf(config, kDockerDoor),
          [bridge = parts.docker_bridge](const auto& id) { return bridge->NetworkName(id); }),
      .ipam = parts.docker_ipam,
      .activated = [ipam = parts.docker_ipam] { ipam->Activated(); },
      .creating =
          [ipam = parts.docker_ipam](const auto& network) { return ipam->AddNetwork(network); },
      .deleted = [ipam = parts.docker_ipam](const auto& id) { ipam->RemoveNetwork(id); }});
  return parts;
}

}  // namespace cnm::daemon
