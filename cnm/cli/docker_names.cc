// docker_names.cc: what the Docker Engine calls what it has on our networks.
#include "cnm/cli/docker_names.h"

#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <map>
#include <vector>

#include <fmt/format.h>

#include "common/base/error.h"
#include "common/http/client.h"
#include "common/json/object.h"

namespace cnm::cli {
namespace {

constexpr char kDoor[] = "docker";
constexpr std::chrono::milliseconds kPatience{2000};

std::string SocketOf(const std::string& given) {
  if (!given.empty()) return given;
  const char* variable = std::getenv("DOCKER_HOST");
  return variable != nullptr && *variable != 0 ? variable : "unix:///run/docker.sock";
}

std::vector<json::Object> List(const http::ServerAddress& server, const std::string& path) {
  const http::Response response =
      http::Call(server, {.method = "GET", .target = path}, {.exchange = kPatience});
  if (response.status != 200) return {};
  return json::Parse(fmt::format("{{\"answer\":{}}}", response.body), "answer").Objects("answer");
}

struct Container {
  std::string id;
  std::string name;
};

/// The running containers by the ids of their endpoints.
std::map<std::string, Container> Containers(const http::ServerAddress& server) {
  std::map<std::string, Container> containers;
  for (const json::Object& o : List(server, "/containers/json")) {
    Container container;
    std::vector<std::string> names;
    o.Optional("Id", container.id);
    o.Optional("Names", names);
    if (!names.empty()) container.name = names.front().substr(names.front().rfind('/') + 1);
    const auto settings = o.OptionalObject("NetworkSettings");
    const auto networks = settings ? settings->OptionalObject("Networks") : std::nullopt;
    if (!networks) continue;
    for (const auto& [network, joined] : networks->Members()) {
      std::string endpoint;
      joined.AsObject().Optional("EndpointID", endpoint);
      containers[endpoint] = container;
    }
  }
  return containers;
}

void Name(std::vector<inventory::EndpointEntry>& endpoints, const http::ServerAddress& server) {
  const std::map<std::string, Container> containers = Containers(server);
  for (inventory::EndpointEntry& endpoint : endpoints) {
    const auto container = containers.find(endpoint.id);
    if (endpoint.door != kDoor || container == containers.end()) continue;
    endpoint.container = container->second.id;
    endpoint.name = container->second.name;
  }
}

void Name(std::vector<inventory::NetworkEntry>& networks, const http::ServerAddress& server) {
  std::map<std::string, std::string> names;
  for (const json::Object& o : List(server, "/networks")) {
    std::string id;
    o.Optional("Id", id);
    o.Optional("Name", names[id]);
  }
  for (inventory::NetworkEntry& network : networks) {
    for (inventory::Membership& door : network.doors) {
      const auto name = names.find(door.id);
      if (door.door == kDoor && name != names.end()) door.name = name->second;
    }
  }
}

}  // namespace

void AddDockerNames(inventory::Inventory& inventory, const std::string& socket) {
  const auto networks =
      std::any_of(inventory.networks.begin(), inventory.networks.end(),
                  [](const auto& network) { return network.Find(kDoor) != nullptr; });
  if (!networks) return;
  try {
    const http::ServerAddress server = http::ParseServerAddress(SocketOf(socket));
    if (server.unix_path.empty() || ::access(server.unix_path.c_str(), W_OK) != 0) return;
    Name(inventory.networks, server);
    const bool any = std::any_of(inventory.endpoints.begin(), inventory.endpoints.end(),
                                 [](const auto& endpoint) { return endpoint.door == kDoor; });
    if (any) Name(inventory.endpoints, server);
  } catch (const Error&) {
    return;  // names are a convenience; ids are shown as well
  }
}

}  // namespace cnm::cli
