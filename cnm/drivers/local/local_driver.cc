// local_driver.cc: the life of the local driver's endpoints. Networks are in networks.cc, published
// ports in publish.cc, what ended without a call in reconcile.cc.
#include "cnm/drivers/local/local_driver.h"

#include <unistd.h>

#include <ctime>
#include <utility>

#include <fmt/format.h>

#include "cnm/drivers/bridge/driver.h"
#include "cnm/drivers/local/endpoint_details.h"
#include "cnm/drivers/local/publication.h"
#include "cnm/lease_source.h"
#include "common/base/clock.h"
#include "common/base/error.h"
#include "common/base/log.h"
#include "common/base/rollback.h"

namespace cnm::local {
namespace {

constinit const bridge::BridgeDriver kBridge;

/// When this boot began, ns since 1970.
int64_t BootTime() {
  timespec now{};
  timespec up{};
  ::clock_gettime(CLOCK_REALTIME, &now);
  ::clock_gettime(CLOCK_BOOTTIME, &up);
  return (int64_t{now.tv_sec} - up.tv_sec) * 1'000'000'000 + (now.tv_nsec - up.tv_nsec);
}

/// Whether the lease is one that an endpoint took in an earlier boot. Endpoint ids are random, so
/// one without a record is nobody's.
bool IsOfAnEarlierBoot(const host_local::Lease& lease, int64_t boot) {
  const std::string& id = lease.owner.container_id;
  return lease.owner.ifname.empty() && id.size() == 64 &&
         id.find_first_not_of("0123456789abcdef") == std::string::npos && lease.since_ns < boot;
}

[[noreturn]] void FailNoEndpoint(const std::string& id) {
  throw Error(Code::kNotFound, fmt::format("No endpoint ({}) exists", id));
}

/// The addresses that are wanted, each with its gateway and where it is leased.
std::vector<LeasedGrant> GrantsOf(const LocalNetwork& network, const engine::Interface& wanted) {
  std::vector<LeasedGrant> grants;
  for (const auto& prefix : {wanted.address, wanted.address_ipv6}) {
    if (!prefix) continue;
    const std::optional<size_t> pool = FindPool(network, prefix->address);
    if (!pool) {
      throw Error(Code::kConfig, fmt::format("address {} is in no pool of network {}",
                                             prefix->ToString(), network.config.id));
    }
    grants.push_back(
        {{*prefix, GatewayFor(network, prefix->address)}, network.lease_networks.at(*pool)});
  }
  return grants;
}

/// Whether the endpoint is what is asked for: Docker may ask twice.
bool IsSame(const Endpoint& endpoint, const engine::EndpointConfig& wanted) {
  const engine::Interface has = InterfaceOf(endpoint);
  const engine::Interface& wants = wanted.interface;
  const bool same_mac = !wants.mac || wants.mac == has.mac;
  return same_mac && wants.address == has.address && wants.address_ipv6 == has.address_ipv6;
}

engine::JoinInfo JoinInfoOf(const Endpoint& endpoint, const NetworkOptions& options) {
  engine::JoinInfo info{.src_name = endpoint.host_link->peer, .dst_prefix = "eth"};
  if (options.internal) {
    info.disable_gateway_service = true;  // nor another way out
    return info;
  }
  for (const AddressGrant& grant : endpoint.addressing.addresses) {
    const bool v4 = grant.prefix.address.is_v4();
    const std::optional<net::Address>& other = v4 ? options.gateway : options.gateway_ipv6;
    (v4 ? info.gateway : info.gateway_ipv6) = other ? other : grant.gateway;
  }
  return info;
}

engine::Interface Chosen(const Endpoint& endpoint, const engine::EndpointConfig& wanted) {
  if (wanted.interface.mac) return {};
  return {.mac = endpoint.mac};
}

}  // namespace

LocalDriver::LocalDriver(LocalOptions options)
    : options_(std::move(options)), networks_(options_.durable_directory, options_.door) {
  if (!options_.ports) options_.ports = std::make_shared<HostPorts>(PortRange{}, true);
  Controller controller = OpenController("start");
  const std::vector<Endpoint> endpoints = controller.Endpoints();
  for (const Endpoint& endpoint : endpoints) {
    if (endpoint.door != options_.door) continue;
    options_.ports->Note(PublishedBy(endpoint), TargetsIn(endpoint));
    kin_.Note(endpoint);
  }
  EndOrphanedKin(controller);
  for (const auto& network : networks_.All()) {
    try {
      FreeOldLeases(*network, controller);
      Make(*network, controller);
    } catch (Error& e) {
      e.AddContext(fmt::format("network {}", network->name));
      Warn(fmt::format("{}: {}", e.message(), e.details()));
    }
  }
}

/// Endpoints end with the boot, their records with them; their leases would stay.
void LocalDriver::FreeOldLeases(const LocalNetwork& network, Controller& controller) const {
  const int64_t boot = BootTime();
  for (const std::string& name : network.lease_networks) {
    OpenLeases(options_.lease_directory, name).Collect([&](const host_local::Lease& lease) {
      return IsOfAnEarlierBoot(lease, boot) &&
             controller.FindEndpoints(lease.owner.container_id, "").empty();
    });
  }
}

/// `free_leases`: what a pool gave is not given back to it but freed, as nobody will tell the pool.
Controller LocalDriver::OpenController(std::string_view verb, bool free_leases) const {
  ControllerOptions options;
  options.paths = options_.paths;
  options.door = options_.door;
  options.runtime = options_.runtime;
  options.holder = fmt::format("{} pid {}", verb, ::getpid());
  options.drivers = {&kBridge};
  options.background = options_.background;
  options.release_addresses = [free_leases](const std::string& journal) {
    LeaseSource source = LeaseSource::FromJournal(journal);
    free_leases ? source.Free() : source.Release();
  };
  return Controller(std::move(options));
}

std::shared_ptr<const LocalNetwork> LocalDriver::GetNetwork(const std::string& id) const {
  if (auto network = networks_.Find(id)) return network;
  throw Error(Code::kNotFound, fmt::format("No network ({}) exists", id));
}

/// Also that of a network which is forgotten already.
std::optional<Endpoint> LocalDriver::FindEndpoint(const std::string& network_id,
                                                  const std::string& endpoint_id,
                                                  Controller& controller) const {
  if (const auto network = networks_.Find(network_id)) {
    return controller.FindEndpoint({network->name, endpoint_id, ""});
  }
  for (Endpoint& endpoint : controller.FindEndpoints(endpoint_id, "")) {
    if (endpoint.door == options_.door) return std::move(endpoint);
  }
  return std::nullopt;
}

Endpoint LocalDriver::GetEndpoint(const std::string& network_id, const std::string& endpoint_id,
                                  Controller& controller) const {
  GetNetwork(network_id);
  if (auto endpoint = FindEndpoint(network_id, endpoint_id, controller))
    return *std::move(endpoint);
  FailNoEndpoint(endpoint_id);
}

engine::Interface LocalDriver::CreateEndpoint(const engine::EndpointConfig& config) {
  const auto network = GetNetwork(config.network_id);
  if (config.id.empty()) throw Error(Code::kConfig, "invalid endpoint id: ");
  CheckBindings(config.port_bindings);
  Controller controller = OpenController("CreateEndpoint");
  EndpointSpec spec;
  spec.key = {network->name, config.id, ""};
  spec.mac = config.interface.mac;
  spec.details = Encode(EndpointDetails{.network_id = config.network_id,
                                        .created = NowSeconds(),
                                        .mac_given = config.interface.mac.has_value(),
                                        .exposed = config.exposed_ports,
                                        .bindings = config.port_bindings});
  LeaseSource source({.data_dir = options_.lease_directory,
                      .endpoint_id = config.id,
                      .grants = GrantsOf(*network, config.interface)});
  const bool addressed = config.interface.address || config.interface.address_ipv6;
  try {
    const Endpoint made = controller.CreateEndpoint(CoreNetwork(*network, controller), spec,
                                                    addressed ? &source : nullptr);
    return Chosen(made, config);
  } catch (const Error& e) {
    if (e.code() != Code::kExists) throw;
  }
  const std::optional<Endpoint> there = controller.FindEndpoint(spec.key);
  if (there && IsSame(*there, config)) return Chosen(*there, config);
  throw Error(Code::kExists,
              fmt::format("Endpoint ({}) already exists (Only one endpoint allowed)", config.id));
}

/// Where a link can be made right away; the host itself is no such place.
std::optional<netns::NetNs> LocalDriver::SandboxAt(const std::string& key) const {
  if (!options_.born_in_sandbox) return std::nullopt;
  auto sandbox = netns::NetNs::TryOpen(key);
  if (sandbox && sandbox->identity() == netns::CurrentIdentity()) sandbox.reset();
  return sandbox;
}

engine::JoinInfo LocalDriver::Join(const std::string& network_id, const std::string& endpoint_id,
                                   const std::string& sandbox_key, const std::string& labels) {
  const auto network = GetNetwork(network_id);
  const engine::Busy::Hold hold = changing_.Acquire({endpoint_id});
  Controller controller = OpenController("Join");
  const Network core = CoreNetwork(*network, controller);
  const Kin kin = network->options.icc ? Kin() : DecodeKin(labels);
  JoinSpec spec{.key = {network->name, endpoint_id, ""}, .sandbox_path = sandbox_key};
  spec.isolation = IsolationOf(*network, core);
  controller.Forward(core, SubnetsOf(*network), false);
  const auto sandbox = SandboxAt(sandbox_key);
  if (sandbox) spec.waits_in = &*sandbox;
  Endpoint endpoint;
  try {
    endpoint = controller.Join(core, spec);
  } catch (const Error& e) {
    if (e.code() == Code::kNotFound) FailNoEndpoint(endpoint_id);
    throw;
  }
  if (!kin.empty()) {
    Rollback undo;
    undo.Push("join", [&] { controller.Leave(endpoint.key); });
    AddKin(*network, endpoint, kin, controller);
    undo.Commit();
  }
  engine::JoinInfo info = JoinInfoOf(endpoint, network->options);
  info.in_sandbox = sandbox.has_value();
  return info;
}

void LocalDriver::Leave(const std::string& network_id, const std::string& endpoint_id) {
  const engine::Busy::Hold hold = changing_.Acquire({endpoint_id});
  Controller controller = OpenController("Leave");
  const auto endpoint = FindEndpoint(network_id, endpoint_id, controller);
  if (!endpoint) return;
  controller.Leave(endpoint->key);
  ForgetPorts(*endpoint);
  RestoreKin(*endpoint, controller);
}

/// After a reboot there is no record, and the leases are still there.
void LocalDriver::ReleaseLeases(const std::string& network_id,
                                const std::string& endpoint_id) const {
  const auto network = networks_.Find(network_id);
  if (!network) return;
  for (const std::string& name : network->lease_networks) {
    OpenLeases(options_.lease_directory, name).Release({endpoint_id, ""});
  }
}

void LocalDriver::DeleteEndpoint(const std::string& network_id, const std::string& endpoint_id) {
  const engine::Busy::Hold hold = changing_.Acquire({endpoint_id});
  Controller controller = OpenController("DeleteEndpoint");
  const auto endpoint = FindEndpoint(network_id, endpoint_id, controller);
  if (!endpoint) return ReleaseLeases(network_id, endpoint_id);
  RemoveEndpoint(*endpoint, controller);
}

}  // namespace cnm::local
