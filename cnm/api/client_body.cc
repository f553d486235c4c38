// client_body.cc: what the REST API's client writes and reads.
#include "cnm/api/client_body.h"

#include <map>

#include <fmt/format.h>

#include "cnm/engine/labels.h"
#include "common/json/object.h"
#include "common/json/writer.h"

namespace cnm::api {
namespace {

/// The decoder reads objects; an answer may be a list, a text or null as well.
json::Object Wrapped(std::string_view body) {
  return json::Parse(fmt::format("{{\"answer\":{}}}", body), "answer");
}

void WriteMap(std::string_view key, const std::map<std::string, std::string>& map,
              json::Writer& w) {
  if (map.empty()) return;
  w.Key(key).BeginObject();
  for (const auto& [name, value] : map) w.Member(name, value);
  w.EndObject();
}

bool IsIpv6(std::string_view subnet) {
  return subnet.find(':') != std::string_view::npos;
}

/// The pools of one family; range and gateway belong to the first subnet given.
void WritePools(const NetworkRequest& request, bool ipv6, json::Writer& w) {
  w.Key(ipv6 ? "ipv6_configuration" : "ipv4_configuration").BeginArray();
  for (size_t i = 0; i < request.subnets.size(); ++i) {
    if (IsIpv6(request.subnets[i]) != ipv6) continue;
    w.BeginObject().Member("PreferredPool", request.subnets[i]);
    if (i == 0) w.MemberUnlessEmpty("SubPool", request.ip_range);
    if (i == 0) w.MemberUnlessEmpty("Gateway", request.gateway);
    w.EndObject();
  }
  w.EndArray();
}

ServiceView ServiceIn(const json::Object& o) {
  ServiceView service;
  o.Optional("name", service.name);
  o.Optional("id", service.id);
  o.Optional("network", service.network);
  return service;
}

NetworkView NetworkIn(const json::Object& o) {
  NetworkView network;
  o.Optional("name", network.name);
  o.Optional("id", network.id);
  o.Optional("type", network.type);
  o.Optional("created", network.created);
  const std::vector<json::Object> endpoints = o.Objects("endpoints");
  network.endpoints.reserve(endpoints.size());
  for (const json::Object& endpoint : endpoints) network.endpoints.push_back(ServiceIn(endpoint));
  return network;
}

SandboxView SandboxIn(const json::Object& o) {
  SandboxView sandbox;
  o.Optional("id", sandbox.id);
  o.Optional("key", sandbox.key);
  o.Optional("container_id", sandbox.container_id);
  return sandbox;
}

template <class View>
std::vector<View> ListIn(std::string_view body, View (*decode)(const json::Object&)) {
  std::vector<View> list;
  const std::vector<json::Object> objects = Wrapped(body).Objects("answer");
  list.reserve(objects.size());
  for (const json::Object& object : objects) list.push_back(decode(object));
  return list;
}

}  // namespace

std::string EncodeNetworkRequest(const NetworkRequest& request) {
  json::Writer w;
  w.BeginObject().Member("name", request.name).MemberUnlessEmpty("id", request.id);
  w.Member("network_type", request.driver).Key("options").BeginObject().EndObject();
  WriteMap("driver_opts", request.driver_options, w);
  std::map<std::string, std::string> labels;
  if (request.internal) labels[engine::kInternalLabel] = "true";
  if (request.ipv6) labels[engine::kEnableIpv6Label] = "true";
  WriteMap("network_opts", labels, w);
  w.MemberUnlessEmpty("ipam_driver", request.ipam);
  WriteMap("ipam_options", request.ipam_options, w);
  if (!request.subnets.empty()) {
    WritePools(request, false, w);
    WritePools(request, true, w);
  }
  return w.EndObject().Take();
}

std::string EncodeServiceRequest(const EndpointRequest& request, const std::string& network) {
  json::Writer w;
  w.BeginObject().Member("name", request.name).Member("network_name", network);
  w.MemberUnlessEmpty("my_aliases", request.aliases);
  w.MemberUnlessEmpty("address", request.address).MemberUnlessEmpty("mac_address", request.mac);
  w.Key("exposed_ports").BeginArray();
  for (const PortRequest& port : request.ports) {
    w.BeginObject().Member("Proto", port.protocol).Member("Port", port.port).EndObject();
  }
  w.EndArray().Key("port_mapping").BeginArray();
  for (const PortRequest& port : request.ports) {
    w.BeginObject().Member("Proto", port.protocol).Member("Port", port.port);
    w.Member("HostIP", port.host_address).Member("HostPort", port.host_port);
    w.Member("HostPortEnd", port.host_port).EndObject();
  }
  return w.EndArray().EndObject().Take();
}

std::string EncodeSandboxRequest(const SandboxRequest& request) {
  json::Writer w;
  w.BeginObject().Member("container_id", request.container_id);
  w.MemberUnlessEmpty("host_name", request.host_name);
  if (request.use_default_sandbox) w.Member("use_default_sandbox", true);
  if (request.use_external_key) w.Member("use_external_key", true);
  return w.EndObject().Take();
}

std::string EncodeJoinRequest(const std::string& sandbox_id,
                              const std::vector<std::string>& aliases) {
  json::Writer w;
  w.BeginObject().Member("sandbox_id", sandbox_id).MemberUnlessEmpty("aliases", aliases);
  return w.EndObject().Take();
}

std::vector<NetworkView> DecodeNetworks(std::string_view body) {
  return ListIn(body, NetworkIn);
}

std::vector<ServiceView> DecodeServices(std::string_view body) {
  return ListIn(body, ServiceIn);
}

std::vector<SandboxView> DecodeSandboxes(std::string_view body) {
  return ListIn(body, SandboxIn);
}

NetworkView DecodeNetwork(std::string_view body) {
  return NetworkIn(json::Parse(body, "answer"));
}

ServiceView DecodeService(std::string_view body) {
  return ServiceIn(json::Parse(body, "answer"));
}

SandboxView DecodeSandbox(std::string_view body) {
  return SandboxIn(json::Parse(body, "answer"));
}

std::string DecodeText(std::string_view body) {
  std::string text;
  Wrapped(body).Optional("answer", text);
  return text;
}

}  // namespace cnm::api
