// networks.cc: cnmctl network create, rm, inspect, and endpoint create, rm, inspect.
#include <algorithm>
#include <cstdio>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "cnm/api/client.h"
#include "cnm/cli/ask.h"
#include "cnm/cli/commands.h"
#include "cnm/cli/docker_names.h"
#include "cnm/cli/look.h"
#include "common/base/error.h"

namespace cnm::cli {
namespace {

bool IsIpv6(const std::string& subnet) {
  return subnet.find(':') != std::string::npos;
}

/// What would silently have no effect. @throws Error kEnvironment
void CheckSubnets(const Options& options) {
  const std::vector<std::string>& subnets = options.subnets;
  const auto ipv6 = std::find_if(subnets.begin(), subnets.end(), IsIpv6);
  const bool ours = options.driver.empty() || options.driver == "bridge";
  const bool pools = options.ipam.empty() || options.ipam == "default";
  if (ipv6 != subnets.end() && !options.ipv6) {
    throw Error(Code::kEnvironment,
                fmt::format("subnet {}: is IPv6, and --ipv6 is missing", *ipv6));
  }
  if (options.ipv6 && ipv6 == subnets.end() && ours && pools) {
    throw Error(Code::kEnvironment, "--ipv6: needs a --subnet of IPv6",
                "for example --subnet fd00:60::/64");
  }
  if (!subnets.empty()) return;
  for (const auto& [name, value] :
       {std::pair{"--gateway", &options.gateway}, std::pair{"--ip-range", &options.ip_range}}) {
    if (value->empty()) continue;
    throw Error(Code::kEnvironment,
                fmt::format("{} {}: needs the --subnet it is in", name, *value));
  }
}

/// The network as Docker knows it, if that is what the name means: the API's comes first.
/// @returns false when it is not
bool RemoveOfDocker(const api::Client& client, const inventory::Inventory& all,
                    const std::string& name) {
  const inventory::NetworkEntry& network = inventory::GetNetwork(all, name);
  for (const inventory::Membership& member : network.doors) {
    const bool meant = network.Find("api") == nullptr || member.id.starts_with(name);
    if (member.door != "docker" || !meant) continue;
    client.Send("DELETE", fmt::format("/docker-networks/{}", member.id), R"({"force":true})");
    return true;
  }
  return false;
}

}  // namespace

int CreateNetwork(const Options& options) {
  CheckSubnets(options);
  const api::NetworkRequest request{.name = options.arguments[0],
                                    .driver = options.driver,
                                    .driver_options = KeyValues(options.driver_options),
                                    .internal = options.internal,
                                    .ipv6 = options.ipv6,
                                    .subnets = options.subnets,
                                    .ip_range = options.ip_range,
                                    .gateway = options.gateway,
                                    .ipam = options.ipam,
                                    .ipam_options = KeyValues(options.ipam_options)};
  std::puts(OpenClient(options).CreateNetwork(request).c_str());
  return 0;
}

int RemoveNetworks(const Options& options) {
  const api::Client client = OpenClient(options);
  for (const std::string& name : options.arguments) {
    const inventory::Inventory all = AskInventory(client);
    if (options.force && RemoveOfDocker(client, all, name)) continue;
    client.DeleteNetwork(GetApiNetwork(all, name).id, options.force);
  }
  return 0;
}

int InspectNetworks(const Options& options) {
  inventory::Inventory all = Look(options);
  AddDockerNames(all);
  for (const std::string& name : options.arguments) {
    const inventory::NetworkEntry& network = inventory::GetNetwork(all, name);
    const inventory::Membership* api = network.Find("api");
    PrintObject(api == nullptr
                    ? inventory::Encode(network)
                    : OpenClient(options).Send("GET", fmt::format("/networks/{}/details", api->id)),
                options.json);
  }
  return 0;
}

int CreateEndpoint(const Options& options) {
  const api::Client client = OpenClient(options);
  const std::string network = GetApiNetwork(AskInventory(client), options.arguments[0]).name;
  api::EndpointRequest request{.name = options.arguments[1],
                               .aliases = options.aliases,
                               .address = options.address,
                               .mac = options.mac};
  request.ports.reserve(options.publish.size());
  for (const std::string& text : options.publish) request.ports.push_back(ParsePublish(text));
  std::puts(client.Publish(request, network).c_str());
  return 0;
}

int RemoveEndpoint(const Options& options) {
  const api::Client client = OpenClient(options);
  client.Unpublish(FindEndpoint(client, options.arguments[0], options.arguments[1]), options.force);
  return 0;
}

int InspectEndpoint(const Options& options) {
  inventory::Inventory all = Look(options);
  AddDockerNames(all);
  const inventory::EndpointEntry& endpoint =
      GetEndpoint(all, options.arguments[0], options.arguments[1]);
  PrintObject(endpoint.door == "api" ? OpenClient(options).Send(
                                           "GET", fmt::format("/services/{}/details", endpoint.id))
                                     : inventory::Encode(endpoint),
              options.json);
  return 0;
}

}  // namespace cnm::cli
