// list.cc: cnmctl network ls, endpoint ls, lease ls.
#include <dirent.h>

#include <algorithm>
#include <cstdio>
#include <memory>
#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "cnm/cli/commands.h"
#include "cnm/cli/docker_names.h"
#include "cnm/cli/look.h"
#include "cnm/cli/open.h"
#include "cnm/cli/table.h"
#include "cnm/id.h"
#include "cnm/inventory/inventory.h"
#include "common/base/error.h"
#include "common/json/object.h"
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

bool Wanted(const inventory::EndpointEntry& endpoint, const Options& options) {
  return endpoint.id.starts_with(options.container) ||
         endpoint.container.starts_with(options.container) || endpoint.name == options.container;
}

/// "cni,docker:web": the doors that know the network, and what they call it where that is not its
/// name.
std::string DoorsOf(const inventory::NetworkEntry& network) {
  std::vector<std::string> doors;
  doors.reserve(network.doors.size());
  for (const inventory::Membership& door : network.doors) {
    const bool other = !door.name.empty() && door.name != network.name;
    doors.push_back(other ? fmt::format("{}:{}", door.door, door.name) : door.door);
  }
  return fmt::format("{}", fmt::join(doors, ","));
}

/// The link on the host that carries it: the bridge.
std::string LinkOf(const inventory::NetworkEntry& network) {
  std::string link;
  if (network.driver == "bridge") {
    json::Parse(network.options, "options").Optional("bridge", link);
  }
  return link;
}

std::string SubnetsOf(const inventory::NetworkEntry& network) {
  std::vector<std::string> pools;
  pools.reserve(network.subnets.size());
  for (const inventory::Subnet& subnet : network.subnets) pools.push_back(subnet.pool);
  return fmt::format("{}", fmt::join(pools, ","));
}

/// The inventory's JSON objects as one indented array.
template <class Entry>
std::string Array(const std::vector<Entry>& entries) {
  json::Writer w(json::Style::kIndented);
  w.BeginArray();
  for (const Entry& entry : entries) w.Raw(Encode(entry));
  return fmt::format("{}\n", w.EndArray().Take());
}

/// What the endpoints' network is called; a network without a record may still have some.
std::string NameOf(const inventory::Inventory& all, const std::string& name_or_id) {
  try {
    return inventory::GetNetwork(all, name_or_id).name;
  } catch (const Error& error) {
    if (error.code() != Code::kNotFound) throw;
    return name_or_id;
  }
}

/// All there is, narrowed to options.network.
inventory::Inventory LookAt(const Options& options) {
  inventory::Inventory all = Look(options);
  AddDockerNames(all);
  if (options.network.empty()) return all;
  const std::string name = NameOf(all, options.network);
  std::erase_if(all.networks, [&](const auto& network) { return network.name != name; });
  std::erase_if(all.endpoints, [&](const auto& endpoint) { return endpoint.network != name; });
  return all;
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
  return endpoint ? inventory::StateOf(*endpoint, controller) : "no record";
}

}  // namespace

int ListNetworks(const Options& options) {
  const inventory::Inventory all = LookAt(options);
  Table table({"NETWORK", "DRIVER", "LINK", "DOORS", "ENDPOINTS", "SUBNETS", "ID"});
  for (const inventory::NetworkEntry& network : all.networks) {
    table.Add({network.name, network.driver, LinkOf(network), DoorsOf(network),
               fmt::to_string(network.endpoints), SubnetsOf(network), Short(network.id())});
  }
  Print(options.json ? Array(all.networks) : table.ToString());
  return 0;
}

int ListEndpoints(const Options& options) {
  inventory::Inventory all = LookAt(options);
  std::erase_if(all.endpoints, [&](const auto& endpoint) { return !Wanted(endpoint, options); });
  Table table({"NETWORK", "CONTAINER", "NAME", "IFNAME", "STATE", "ADDRESSES", "HOST LINK",
               "RUNTIME", "DOOR"});
  for (const inventory::EndpointEntry& endpoint : all.endpoints) {
    table.Add({endpoint.network, Short(endpoint.container),
               endpoint.name.empty() ? Short(endpoint.id) : endpoint.name, endpoint.ifname,
               endpoint.state, fmt::format("{}", fmt::join(endpoint.addresses, ",")),
               endpoint.host_link, endpoint.runtime, endpoint.door});
  }
  Print(options.json ? Array(all.endpoints) : table.ToString());
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
