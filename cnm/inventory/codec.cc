// codec.cc: an inventory as JSON.
#include <vector>

#include "cnm/inventory/inventory.h"
#include "common/json/object.h"
#include "common/json/writer.h"

namespace cnm::inventory {
namespace {

bool IsIpv6(const Subnet& subnet) {
  return subnet.pool.find(':') != std::string::npos;
}

void WriteSubnets(const std::vector<Subnet>& subnets, bool ipv6, json::Writer& w) {
  w.Key(ipv6 ? "ipv6" : "ipv4").BeginArray();
  for (const Subnet& subnet : subnets) {
    if (IsIpv6(subnet) != ipv6) continue;
    w.BeginObject().Member("pool", subnet.pool).Member("gateway", subnet.gateway).EndObject();
  }
  w.EndArray();
}

void Write(const NetworkEntry& network, json::Writer& w) {
  w.BeginObject().Member("name", network.name).Member("id", network.id());
  w.Member("driver", network.driver).Member("endpoints", network.endpoints);
  w.Member("internal", network.internal);
  w.Key("doors").BeginArray();
  for (const Membership& door : network.doors) {
    w.BeginObject().Member("door", door.door).Member("id", door.id);
    w.Member("name", door.name).EndObject();
  }
  w.EndArray();
  WriteSubnets(network.subnets, false, w);
  WriteSubnets(network.subnets, true, w);
  w.Key("options").Raw(network.options).EndObject();
}

void Write(const EndpointEntry& endpoint, json::Writer& w) {
  w.BeginObject().Member("network", endpoint.network).Member("endpointID", endpoint.id);
  w.Member("name", endpoint.name).Member("containerID", endpoint.container);
  w.Member("ifname", endpoint.ifname).Member("state", endpoint.state);
  w.Member("owner", endpoint.owner).Member("driver", endpoint.driver);
  w.Member("door", endpoint.door).Member("runtime", endpoint.runtime);
  w.Member("sandbox", endpoint.sandbox).Member("hostLink", endpoint.host_link);
  w.Member("mac", endpoint.mac).Key("addresses").BeginArray();
  for (const std::string& address : endpoint.addresses) w.String(address);
  w.EndArray().EndObject();
}

NetworkEntry NetworkIn(const json::Object& o) {
  NetworkEntry network;
  o.Required("name", network.name);
  o.Optional("driver", network.driver);
  int64_t endpoints = 0;
  o.Optional("endpoints", endpoints, {0, INT32_MAX});
  network.endpoints = static_cast<int>(endpoints);
  o.Optional("internal", network.internal);
  const std::vector<json::Object> doors = o.Objects("doors");
  network.doors.reserve(doors.size());
  for (const json::Object& member : doors) {
    Membership& door = network.doors.emplace_back();
    member.Required("door", door.door);
    member.Required("id", door.id);
    member.Optional("name", door.name);
  }
  for (const char* family : {"ipv4", "ipv6"}) {
    for (const json::Object& member : o.Objects(family)) {
      Subnet& subnet = network.subnets.emplace_back();
      member.Required("pool", subnet.pool);
      member.Optional("gateway", subnet.gateway);
    }
  }
  if (const auto options = o.OptionalObject("options")) network.options = options->Text();
  return network;
}

EndpointEntry EndpointIn(const json::Object& o) {
  EndpointEntry endpoint;
  o.Required("network", endpoint.network);
  o.Optional("endpointID", endpoint.id);
  o.Optional("name", endpoint.name);
  o.Optional("containerID", endpoint.container);
  o.Optional("ifname", endpoint.ifname);
  o.Optional("state", endpoint.state);
  o.Optional("owner", endpoint.owner);
  o.Optional("driver", endpoint.driver);
  o.Optional("door", endpoint.door);
  o.Optional("runtime", endpoint.runtime);
  o.Optional("sandbox", endpoint.sandbox);
  o.Optional("hostLink", endpoint.host_link);
  o.Optional("mac", endpoint.mac);
  o.Optional("addresses", endpoint.addresses);
  return endpoint;
}

}  // namespace

std::string Encode(const NetworkEntry& network) {
  json::Writer w;
  Write(network, w);
  return w.Take();
}

std::string Encode(const EndpointEntry& endpoint) {
  json::Writer w;
  Write(endpoint, w);
  return w.Take();
}

std::string Encode(const Inventory& inventory) {
  json::Writer w;
  w.BeginObject().Key("networks").BeginArray();
  for (const NetworkEntry& network : inventory.networks) Write(network, w);
  w.EndArray().Key("endpoints").BeginArray();
  for (const EndpointEntry& endpoint : inventory.endpoints) Write(endpoint, w);
  return w.EndArray().EndObject().Take();
}

Inventory Decode(std::string_view json) {
  const json::Object o = json::Parse(json, "inventory");
  Inventory inventory;
  const std::vector<json::Object> networks = o.Objects("networks");
  inventory.networks.reserve(networks.size());
  for (const json::Object& network : networks) inventory.networks.push_back(NetworkIn(network));
  const std::vector<json::Object> endpoints = o.Objects("endpoints");
  inventory.endpoints.reserve(endpoints.size());
  for (const json::Object& one : endpoints) inventory.endpoints.push_back(EndpointIn(one));
  return inventory;
}

}  // namespace cnm::inventory
