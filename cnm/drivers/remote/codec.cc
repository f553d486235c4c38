// codec.cc: the requests that network plugins get, and their answers.
#include "cnm/drivers/remote/codec.h"

#include <cstdint>
#include <optional>
#include <string_view>
#include <utility>

#include <fmt/format.h>

#include "cnm/engine/labels.h"
#include "common/base/error.h"
#include "common/json/writer.h"

namespace cnm::remote {
namespace {

using json::Writer;

constexpr uint32_t kNextHop = 0;    // the packet goes to a router
constexpr uint32_t kConnected = 1;  // the destination is on the link

/// Begins a request's object.
Writer Begin(const CallIds& ids) {
  Writer w;
  w.BeginObject().Member("NetworkID", ids.network).Member("EndpointID", ids.endpoint);
  return w;
}

std::string End(Writer& w) {
  return w.EndObject().Take();
}

void WriteOptions(const std::string& options, Writer& w) {
  w.Key("Options").Raw(options.empty() ? "{}" : options);
}

/// The member as parsed by T::Parse; nullopt when absent or "".
template <class T>
std::optional<T> Parsed(const json::Object& object, std::string_view key) {
  std::string text;
  object.Optional(key, text);
  if (text.empty()) return std::nullopt;
  auto value = T::Parse(text);
  if (!value) throw Error(Code::kConfig, fmt::format("unable to parse {} \"{}\"", key, text));
  return value;
}

engine::StaticRoute DecodeRoute(const json::Object& object) {
  const auto destination = Parsed<net::Prefix>(object, "Destination");
  if (!destination) throw Error(Code::kConfig, "unable to parse Destination \"\"");
  engine::StaticRoute route{.destination = destination->Subnet()};
  uint32_t type = kNextHop;
  object.Optional("RouteType", type);
  if (type != kNextHop && type != kConnected) {
    throw Error(Code::kConfig, fmt::format("route type {} is unknown", type));
  }
  if (type == kConnected) return route;
  route.next_hop = Parsed<net::Address>(object, "NextHop");
  if (!route.next_hop) throw Error(Code::kConfig, "unable to parse NextHop \"\"");
  return route;
}

}  // namespace

std::string EncodeNetwork(const engine::NetworkConfig& network) {
  Writer w;
  w.BeginObject().Member("NetworkID", network.id).Key("Options");
  engine::EncodeNetworkOptions(network, w);
  w.Key("IPv4Data");
  engine::EncodePools(network.ipv4, w);
  w.Key("IPv6Data");
  engine::EncodePools(network.ipv6, w);
  return End(w);
}

std::string EncodeNetworkId(const std::string& network_id) {
  Writer w;
  w.BeginObject().Member("NetworkID", network_id);
  return End(w);
}

std::string EncodeIds(const CallIds& ids) {
  Writer w = Begin(ids);
  return End(w);
}

std::string EncodeEndpoint(const engine::EndpointConfig& endpoint) {
  Writer w = Begin({endpoint.network_id, endpoint.id});
  w.Key("Interface");
  engine::EncodeInterface(endpoint.interface, w);
  WriteOptions(endpoint.options, w);
  return End(w);
}

std::string EncodeJoin(const CallIds& ids, const std::string& sandbox_key,
                       const std::string& options) {
  Writer w = Begin(ids);
  w.Member("SandboxKey", sandbox_key);
  WriteOptions(options, w);
  return End(w);
}

std::string EncodeConnectivity(const CallIds& ids, const std::vector<engine::PortBinding>& bindings,
                               const std::string& options) {
  Writer w = Begin(ids);
  if (!options.empty() || bindings.empty()) {
    WriteOptions(options, w);
    return End(w);
  }
  w.Key("Options").BeginObject().Key(engine::kPortMapLabel);
  engine::EncodePortBindings(bindings, w);
  w.EndObject();
  return End(w);
}

engine::Scope DecodeScope(const json::Object& answer) {
  std::string scope;
  answer.Optional("Scope", scope);
  if (scope == "local") return engine::Scope::kLocal;
  if (scope == "global") return engine::Scope::kGlobal;
  throw Error(Code::kConfig, fmt::format("invalid capability: expecting 'local' or 'global', got "
                                         "'{}'",
                                         scope));
}

engine::JoinInfo DecodeJoin(const json::Object& answer) {
  engine::JoinInfo info;
  if (const auto name = answer.OptionalObject("InterfaceName")) {
    name->Optional("SrcName", info.src_name);
    name->Optional("DstPrefix", info.dst_prefix);
    name->Optional("DstName", info.dst_name);
  }
  info.gateway = Parsed<net::Address>(answer, "Gateway");
  info.gateway_ipv6 = Parsed<net::Address>(answer, "GatewayIPv6");
  const std::vector<json::Object> routes = answer.Objects("StaticRoutes");
  info.routes.reserve(routes.size());
  for (const json::Object& route : routes) info.routes.push_back(DecodeRoute(route));
  answer.Optional("DisableGatewayService", info.disable_gateway_service);
  return info;
}

}  // namespace cnm::remote
