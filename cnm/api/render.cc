// render.cc: the JSON bodies of the REST API's answers.
#include "cnm/api/render.h"

#include <optional>
#include <string_view>
#include <unordered_map>

#include "cnm/engine/labels.h"
#include "common/base/clock.h"
#include "common/json/writer.h"

namespace cnm::api {
namespace {

using engine::EndpointInfo;
using engine::NetworkInfo;
using EndpointPointers = std::vector<const EndpointInfo*>;

template <class T>
std::string Text(const std::optional<T>& value) {
  return value ? value->ToString() : std::string();
}

void WriteEndpointMembers(const EndpointInfo& endpoint, json::Writer& w) {
  w.Member("name", endpoint.name).Member("id", endpoint.id).Member("network", endpoint.network);
}

void WriteEndpoint(const EndpointInfo& endpoint, json::Writer& w) {
  w.BeginObject();
  WriteEndpointMembers(endpoint, w);
  w.EndObject();
}

void WriteNetworkMembers(const NetworkInfo& network, const EndpointPointers& endpoints,
                         json::Writer& w) {
  w.Member("name", network.name).Member("id", network.id).Member("type", network.type);
  w.Key("endpoints").BeginArray();
  for (const EndpointInfo* endpoint : endpoints) WriteEndpoint(*endpoint, w);
  w.EndArray();
}

EndpointPointers PointersTo(const std::vector<EndpointInfo>& endpoints) {
  EndpointPointers pointers;
  pointers.reserve(endpoints.size());
  for (const EndpointInfo& endpoint : endpoints) pointers.push_back(&endpoint);
  return pointers;
}

void WriteSandboxMembers(const engine::SandboxInfo& sandbox, json::Writer& w) {
  w.Member("id", sandbox.id).Member("key", sandbox.key);
  w.Member("container_id", sandbox.container_id);
}

void WritePools(std::string_view key, const std::vector<engine::PoolData>& pools, json::Writer& w) {
  w.Key(key).BeginArray();
  for (const engine::PoolData& pool : pools) {
    w.BeginObject().Member("pool", pool.pool.ToString()).Member("gateway", Text(pool.gateway));
    w.Key("aux_addresses").BeginObject();
    for (const auto& [name, address] : pool.aux) w.Member(name, address.address.ToString());
    w.EndObject().EndObject();
  }
  w.EndArray();
}

void WriteStatistics(const engine::InterfaceStatistics& s, json::Writer& w) {
  w.BeginObject().Member("rx_bytes", s.rx_bytes).Member("rx_packets", s.rx_packets);
  w.Member("rx_errors", s.rx_errors).Member("rx_dropped", s.rx_dropped);
  w.Member("tx_bytes", s.tx_bytes).Member("tx_packets", s.tx_packets);
  w.Member("tx_errors", s.tx_errors).Member("tx_dropped", s.tx_dropped).EndObject();
}

}  // namespace

std::string RenderNetwork(const NetworkInfo& network, const std::vector<EndpointInfo>& endpoints) {
  json::Writer w;
  w.BeginObject();
  WriteNetworkMembers(network, PointersTo(endpoints), w);
  return w.EndObject().Take();
}

std::string RenderNetworks(const std::vector<NetworkInfo>& networks,
                           const std::vector<EndpointInfo>& endpoints) {
  std::unordered_map<std::string_view, EndpointPointers> by_network;
  by_network.reserve(networks.size());
  for (const EndpointInfo& e : endpoints) by_network[e.network_id].push_back(&e);
  json::Writer w;
  w.BeginArray();
  for (const NetworkInfo& network : networks) {
    w.BeginObject();
    WriteNetworkMembers(network, by_network[network.id], w);
    w.EndObject();
  }
  return w.EndArray().Take();
}

std::string RenderEndpoint(const EndpointInfo& endpoint) {
  json::Writer w;
  WriteEndpoint(endpoint, w);
  return w.Take();
}

std::string RenderEndpoints(const std::vector<EndpointInfo>& endpoints) {
  json::Writer w;
  w.BeginArray();
  for (const EndpointInfo& endpoint : endpoints) WriteEndpoint(endpoint, w);
  return w.EndArray().Take();
}

std::string RenderSandbox(const engine::SandboxInfo& sandbox) {
  json::Writer w;
  w.BeginObject();
  WriteSandboxMembers(sandbox, w);
  return w.EndObject().Take();
}

std::string RenderSandboxes(const std::vector<engine::SandboxInfo>& sandboxes) {
  json::Writer w;
  w.BeginArray();
  for (const engine::SandboxInfo& sandbox : sandboxes) {
    w.BeginObject();
    WriteSandboxMembers(sandbox, w);
    w.EndObject();
  }
  return w.EndArray().Take();
}

std::string RenderText(const std::string& text) {
  json::Writer w;
  return w.String(text).Take();
}

std::string RenderNetworkDetails(const NetworkInfo& network,
                                 const std::vector<EndpointInfo>& endpoints) {
  json::Writer w;
  w.BeginObject();
  WriteNetworkMembers(network, PointersTo(endpoints), w);
  w.Member("created", UtcText(network.created_ns));
  w.Member("scope", network.scope == engine::Scope::kGlobal ? "global" : "local");
  w.Member("internal", network.config.internal);
  w.Member("enable_ipv6", network.config.enable_ipv6);
  WritePools("ipv4", network.config.ipv4, w);
  WritePools("ipv6", network.config.ipv6, w);
  w.Key("options").Raw(network.config.options.empty() ? "{}" : network.config.options);
  return w.EndObject().Take();
}

std::string RenderEndpointDetails(const EndpointInfo& endpoint, const std::string& container_id,
                                  const std::string& driver_info) {
  json::Writer w;
  w.BeginObject();
  WriteEndpointMembers(endpoint, w);
  w.Member("sandbox_id", endpoint.sandbox_id).Member("container_id", container_id);
  w.Member("mac_address", Text(endpoint.interface.mac));
  w.Member("address", Text(endpoint.interface.address));
  w.Member("address_ipv6", Text(endpoint.interface.address_ipv6));
  w.Member("gateway", Text(endpoint.gateway)).Member("gateway_ipv6", Text(endpoint.gateway_ipv6));
  w.Key("driver_info").Raw(driver_info.empty() ? "{}" : driver_info);
  return w.EndObject().Take();
}

std::string RenderSandboxDetails(
    const engine::SandboxInfo& sandbox, const std::vector<EndpointInfo>& endpoints,
    const std::map<std::string, engine::InterfaceStatistics>& statistics) {
  json::Writer w;
  w.BeginObject();
  WriteSandboxMembers(sandbox, w);
  w.Key("endpoints").BeginArray();
  for (const EndpointInfo& endpoint : endpoints) WriteEndpoint(endpoint, w);
  w.EndArray().Key("statistics").BeginObject();
  for (const auto& [name, counters] : statistics) {
    w.Key(name);
    WriteStatistics(counters, w);
  }
  return w.EndObject().EndObject().Take();
}

}  // namespace cnm::api
