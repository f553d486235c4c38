// network_methods.cc: NetworkDriver.*: Docker's calls to a network driver (libnetwork.md B.1).
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "cnm/daemon/docker/methods.h"
#include "cnm/engine/labels.h"
#include "cnm/engine/values.h"
#include "common/base/error.h"
#include "common/json/writer.h"

namespace cnm::docker {
namespace {

using engine::Interface;

constexpr char kNothing[] = "{}";

/// Which endpoint a call is about.
struct EndpointId {
  std::string network;
  std::string endpoint;
};

EndpointId DecodeEndpointId(const json::Object& request) {
  return {RequiredText(request, "NetworkID"), RequiredText(request, "EndpointID")};
}

/// The endpoint's or sandbox's labels as they came; "" without any.
std::string OptionsText(const json::Object& request) {
  const auto options = request.OptionalObject("Options");
  return options ? options->Text() : std::string();
}

std::string GetCapabilities(const Backend& backend, const json::Object& /*request*/) {
  const char* scope = backend.network->scope() == engine::Scope::kLocal ? "local" : "global";
  json::Writer writer;
  writer.BeginObject().Member("Scope", scope).Member("ConnectivityScope", scope);
  return writer.EndObject().Take();
}

/// A swarm manager asks what its nodes need to be told about a network: what the user said.
std::string AllocateNetwork(const Backend& /*backend*/, const json::Object& request) {
  RequiredText(request, "NetworkID");
  const std::string options = OptionsText(request);
  json::Writer writer;
  writer.BeginObject().Key("Options").Raw(options.empty() ? std::string_view(kNothing) : options);
  return writer.EndObject().Take();
}

std::string Accept(const Backend& /*backend*/, const json::Object& /*request*/) {
  return kNothing;
}

std::string CreateNetwork(const Backend& backend, const json::Object& request) {
  engine::NetworkConfig network{.id = RequiredText(request, "NetworkID"), .options = {}};
  if (const auto options = request.OptionalObject("Options")) {
    engine::DecodeNetworkOptions(*options, network);
  }
  network.ipv4 = engine::DecodePools(request, "IPv4Data");
  network.ipv6 = engine::DecodePools(request, "IPv6Data");
  const bool made_here = backend.creating && backend.creating(network);
  try {
    backend.network->CreateNetwork(network);
  } catch (const Error&) {
    // A repetition that fails leaves the network that an earlier call has made.
    if (made_here && backend.deleted) backend.deleted(network.id);
    throw;
  }
  return kNothing;
}

std::string DeleteNetwork(const Backend& backend, const json::Object& request) {
  const std::string id = RequiredText(request, "NetworkID");
  backend.network->DeleteNetwork(id);
  if (backend.deleted) backend.deleted(id);
  return kNothing;
}

/// Docker rolls an endpoint back when an answer repeats what the request had.
Interface WithoutGiven(Interface chosen, const Interface& given) {
  if (given.mac) chosen.mac.reset();
  if (given.address) chosen.address.reset();
  if (given.address_ipv6) chosen.address_ipv6.reset();
  return chosen;
}

std::string CreateEndpoint(const Backend& backend, const json::Object& request) {
  EndpointId id = DecodeEndpointId(request);
  const Interface given = engine::DecodeInterface(request, "Interface");
  engine::EndpointConfig endpoint{.network_id = std::move(id.network),
                                  .id = std::move(id.endpoint),
                                  .interface = given,
                                  .options = OptionsText(request)};
  if (const auto options = request.OptionalObject("Options")) {
    endpoint.exposed_ports = engine::DecodeExposedPorts(*options);
    endpoint.port_bindings = engine::DecodePortBindings(*options);
    if (!endpoint.interface.mac) endpoint.interface.mac = engine::DecodeMacLabel(*options);
  }
  const Interface chosen = WithoutGiven(backend.network->CreateEndpoint(endpoint), given);
  json::Writer writer;
  writer.BeginObject();
  if (!chosen.empty()) {
    writer.Key("Interface");
    engine::EncodeChosenInterface(chosen, writer);
  }
  return writer.EndObject().Take();
}

std::string DeleteEndpoint(const Backend& backend, const json::Object& request) {
  const EndpointId id = DecodeEndpointId(request);
  backend.network->DeleteEndpoint(id.network, id.endpoint);
  return kNothing;
}

std::string EndpointOperInfo(const Backend& backend, const json::Object& request) {
  const EndpointId id = DecodeEndpointId(request);
  const std::string info = backend.network->OperInfo(id.network, id.endpoint);
  json::Writer writer;
  writer.BeginObject().Key("Value").Raw(info.empty() ? std::string_view(kNothing) : info);
  return writer.EndObject().Take();
}

void EncodeRoutes(const std::vector<engine::StaticRoute>& routes, json::Writer& writer) {
  if (routes.empty()) return;
  writer.Key("StaticRoutes").BeginArray();
  for (const engine::StaticRoute& route : routes) {
    writer.BeginObject().Member("Destination", route.destination.ToString());
    writer.Member("RouteType", route.next_hop ? 0 : 1);  // 0: by a next hop, 1: on the link
    if (route.next_hop) writer.Member("NextHop", route.next_hop->ToString());
    writer.EndObject();
  }
  writer.EndArray();
}

std::string EncodeJoin(const engine::JoinInfo& info) {
  json::Writer writer;
  writer.BeginObject().Key("InterfaceName").BeginObject();
  writer.Member("SrcName", info.src_name).Member("DstPrefix", info.dst_prefix);
  writer.MemberUnlessEmpty("DstName", info.dst_name).EndObject();
  if (info.gateway) writer.Member("Gateway", info.gateway->ToString());
  if (info.gateway_ipv6) writer.Member("GatewayIPv6", info.gateway_ipv6->ToString());
  EncodeRoutes(info.routes, writer);
  if (info.disable_gateway_service) writer.Member("DisableGatewayService", true);
  return writer.EndObject().Take();
}

std::string Join(const Backend& backend, const json::Object& request) {
  const EndpointId id = DecodeEndpointId(request);
  return EncodeJoin(backend.network->Join(
      id.network, id.endpoint, RequiredText(request, "SandboxKey"), OptionsText(request)));
}

std::string Leave(const Backend& backend, const json::Object& request) {
  const EndpointId id = DecodeEndpointId(request);
  backend.network->Leave(id.network, id.endpoint);
  return kNothing;
}

std::string ProgramExternalConnectivity(const Backend& backend, const json::Object& request) {
  const EndpointId id = DecodeEndpointId(request);
  std::vector<engine::PortBinding> bindings;
  if (const auto options = request.OptionalObject("Options")) {
    bindings = engine::DecodePortBindings(*options);
  }
  backend.network->ProgramExternalConnectivity(id.network, id.endpoint, bindings,
                                               OptionsText(request));
  return kNothing;
}

std::string RevokeExternalConnectivity(const Backend& backend, const json::Object& request) {
  const EndpointId id = DecodeEndpointId(request);
  backend.network->RevokeExternalConnectivity(id.network, id.endpoint);
  return kNothing;
}

struct Named {
  std::string_view name;
  Method method;
};
// Discovery tells of other hosts; a network of one host has no use for it.
constexpr Named kMethods[] = {
    {"GetCapabilities", GetCapabilities},
    {"AllocateNetwork", AllocateNetwork},
    {"FreeNetwork", Accept},
    {"CreateNetwork", CreateNetwork},
    {"DeleteNetwork", DeleteNetwork},
    {"CreateEndpoint", CreateEndpoint},
    {"DeleteEndpoint", DeleteEndpoint},
    {"EndpointOperInfo", EndpointOperInfo},
    {"Join", Join},
    {"Leave", Leave},
    {"ProgramExternalConnectivity", ProgramExternalConnectivity},
    {"RevokeExternalConnectivity", RevokeExternalConnectivity},
    {"DiscoverNew", Accept},
    {"DiscoverDelete", Accept},
};

}  // namespace

Method FindNetworkMethod(std::string_view name) {
  constexpr std::string_view kInterface = "NetworkDriver.";
  if (!name.starts_with(kInterface)) return nullptr;
  name.remove_prefix(kInterface.size());
  for (const Named& candidate : kMethods) {
    if (candidate.name == name) return candidate.method;
  }
  return nullptr;
}

std::string RequiredText(const json::Object& request, std::string_view key) {
  std::string text;
  request.Required(key, text);
  if (text.empty()) request.Fail(key, "is empty");
  return text;
}

}  // namespace cnm::docker
