// list.cc: cnmctl network ls, endpoint ls, lease ls.
#include <dirent.h>

#include <algorithm>
#include <cstdio>
#include <map>
#include <memory>

#include <fmt/format.h>

#include "cnm/cli/commands.h"
#include "cnm/cli/open.h"
#include "cnm/cli/table.h"
#include "cnm/id.h"
#include "common/json/writer.h"
#include "ipam/host_local/lease_directory.h"

namespace cnm::cli {
namespace {

void Print(const std::string& text) {
  std::fputs(text.c_str(), stdout);
}

std::string Short(const std::string& id) {
  return id.substr(0, 12);
}

std::string AddressesOf(const Endpoint& endpoint) {
  std::string text;
  for (const AddressGrant& grant : endpoint.addressing.addresses) {
    if (!text.empty()) text += ",";
    text += grant.prefix.ToString();
  }
  return text;
}

std::string StateOf(const Endpoint& endpoint, Controller& controller) {
  const bool created = endpoint.state == EndpointState::kCreated;
  if (endpoint.state != EndpointState::kReady && !created) return "pending";
  return controller.LivenessOf(endpoint) == Liveness::kDead ? "dead"
         : created                                          ? "created"
                                                            : "ready";
}

bool Wanted(const Endpoint& endpoint, const Options& options) {
  return (options.network.empty() || endpoint.key.network == options.network) &&
         endpoint.key.container_id.starts_with(options.container);
}

void WriteEndpoint(json::Writer& w, const Endpoint& endpoint, const std::string& state) {
  w.BeginObject().Member("network", endpoint.key.network);
  w.Member("containerID", endpoint.key.container_id).Member("ifname", endpoint.key.ifname);
  w.Member("state", state).Member("owner", endpoint.owner).Member("driver", endpoint.driver);
  w.Member("door", endpoint.door).Member("runtime", endpoint.runtime);
  w.Member("sandbox", endpoint.sandbox.path);
  w.Member("hostLink", endpoint.host_link ? endpoint.host_link->name : "");
  w.Member("mac", endpoint.mac.ToString());
  w.Key("addresses").BeginArray();
  for (const AddressGrant& grant : endpoint.addressing.addresses) {
    w.String(grant.prefix.ToString());
  }
  w.EndArray().EndObject();
}

/// The networks that have a lease directory, or only the one asked for.
std::vector<std::string> LeaseNetworks(const Options& options) {
  if (!options.network.empty()) return {options.network};
  std::vector<std::string> networks;
  const std::unique_ptr<DIR, decltype([](DIR* d) { ::closedir(d); })> dir(
      ::opendir(options.data_dir.c_str()));
  while (const dirent* entry = dir ? ::readdir(dir.get()) : nullptr) {
    if (entry->d_name[0] != '.') networks.emplace_back(entry->d_name);
  }
  std::sort(networks.begin(), networks.end());
  return networks;
}

std::vector<host_local::Lease> LeasesOf(const Options& options, const std::string& network) {
  const host_local::LeaseDirectory directory(
      {.data_dir = options.data_dir,
       .network = network,
       .hash =
           [&](const host_local::Owner& o) { return OwnerOf(network, o.container_id, o.ifname); },
       .boot_id = ""});
  std::vector<host_local::Lease> leases = directory.List();
  std::erase_if(leases, [&](const host_local::Lease& lease) {
    return !lease.owner.container_id.starts_with(options.container);
  });
  return leases;
}

/// What the core knows of a lease's holder; leases made by other plugins have no record.
std::string HolderState(const std::string& network, const host_local::Lease& lease,
                        Controller& controller) {
  const auto endpoint =
      controller.FindEndpoint({network, lease.owner.container_id, lease.owner.ifname});
  return endpoint ? StateOf(*endpoint, controller) : "no record";
}

}  // namespace

int ListNetworks(const Options& options) {
  Controller controller = OpenController(options);
  std::map<std::string, int> endpoints;
  for (const Endpoint& endpoint : controller.Endpoints()) ++endpoints[endpoint.key.network];
  Table table({"NETWORK", "DRIVER", "ENDPOINTS", "OPTIONS", "ID"});
  json::Writer w(json::Style::kIndented);
  w.BeginArray();
  for (const Network& network : controller.Networks()) {
    if (!options.network.empty() && network.name != options.network) continue;
    const int count = endpoints[network.name];
    table.Add(
        {network.name, network.driver, fmt::to_string(count), network.options, Short(network.id)});
    w.BeginObject().Member("name", network.name).Member("id", network.id);
    w.Member("driver", network.driver).Member("endpoints", count);
    w.Key("options").Raw(network.options).EndObject();
  }
  w.EndArray();
  Print(options.json ? w.Take() + "\n" : table.ToString());
  return 0;
}

int ListEndpoints(const Options& options) {
  Controller controller = OpenController(options);
  Table table(
      {"NETWORK", "CONTAINER", "IFNAME", "STATE", "ADDRESSES", "HOST LINK", "RUNTIME", "DOOR"});
  json::Writer w(json::Style::kIndented);
  w.BeginArray();
  for (const Endpoint& endpoint : controller.Endpoints()) {
    if (!Wanted(endpoint, options)) continue;
    const std::string state = StateOf(endpoint, controller);
    table.Add({endpoint.key.network, Short(endpoint.key.container_id), endpoint.key.ifname, state,
               AddressesOf(endpoint), endpoint.host_link ? endpoint.host_link->name : "",
               endpoint.runtime, endpoint.door});
    WriteEndpoint(w, endpoint, state);
  }
  w.EndArray();
  Print(options.json ? w.Take() + "\n" : table.ToString());
  return 0;
}

int ListLeases(const Options& options) {
  Controller controller = OpenController(options);
  Table table({"NETWORK", "ADDRESS", "CONTAINER", "IFNAME", "HOLDER"});
  json::Writer w(json::Style::kIndented);
  w.BeginArray();
  for (const std::string& network : LeaseNetworks(options)) {
    for (const host_local::Lease& lease : LeasesOf(options, network)) {
      const std::string holder = HolderState(network, lease, controller);
      table.Add({network, lease.address.ToString(), Short(lease.owner.container_id),
                 lease.owner.ifname, holder});
      w.BeginObject().Member("network", network).Member("address", lease.address.ToString());
      w.Member("containerID", lease.owner.container_id).Member("ifname", lease.owner.ifname);
      w.Member("holder", holder).Member("bootID", lease.boot_id);
      w.Member("since", lease.since_ns / 1'000'000'000).EndObject();
    }
  }
  w.EndArray();
  Print(options.json ? w.Take() + "\n" : table.ToString());
  return 0;
}

}  // namespace cnm::cli
