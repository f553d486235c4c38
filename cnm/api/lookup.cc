// lookup.cc: the objects that the REST API's clients name.
#include "cnm/api/lookup.h"

#include <optional>
#include <string_view>
#include <utility>

#include <fmt/format.h>

#include "common/base/error.h"

namespace cnm::api {
namespace {

/// What `find` finds; where it finds nothing, said as this API's clients know it.
template <class Find>
auto Lookup(std::string_view kind, const Find& find) {
  try {
    return find();
  } catch (const Error& error) {
    if (error.code() != Code::kNotFound) throw;
    throw Error(Code::kNotFound, fmt::format("Resource not found: {}", kind));
  }
}

}  // namespace

std::string NetworkNameOf(const engine::Engine& engine, const std::string& name) {
  return name.empty() ? engine.options().default_network : name;
}

engine::NetworkInfo NetworkById(const engine::Engine& engine, const std::string& id) {
  return Lookup("Network", [&] { return engine.GetNetwork(id); });
}

engine::NetworkInfo NetworkByName(const engine::Engine& engine, const std::string& name) {
  if (NetworkNameOf(engine, name).empty()) {
    throw Error(Code::kConfig, "invalid name: ",
                "no network was named, and the daemon has no default one: name one "
                "(SERVICE.NETWORK), or set defaultnetwork in cnmd.toml");
  }
  return Lookup("Network", [&] { return engine.GetNetworkByName(NetworkNameOf(engine, name)); });
}

engine::EndpointInfo EndpointOf(const engine::Engine& engine, const Route& route) {
  const engine::NetworkInfo network = NetworkById(engine, route.network);
  return Lookup("Endpoint", [&] { return engine.GetEndpoint(network.id, route.endpoint); });
}

engine::EndpointInfo ServiceOf(const engine::Engine& engine, const Route& route) {
  std::optional<engine::EndpointInfo> found = engine.FindEndpoint(route.endpoint);
  if (!found) throw Error(Code::kNotFound, "Service not found");
  return *std::move(found);
}

engine::SandboxInfo SandboxById(const engine::Engine& engine, const std::string& id) {
  return Lookup("Sandbox", [&] { return engine.GetSandbox(id); });
}

}  // namespace cnm::api
