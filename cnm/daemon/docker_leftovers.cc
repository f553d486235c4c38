// docker_leftovers.cc: what Docker has of us, shown and taken away by an operator.
#include "cnm/daemon/docker_leftovers.h"

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "cnm/api/status.h"
#include "common/base/error.h"
#include "common/base/log.h"
#include "common/json/object.h"
#include "common/json/writer.h"

namespace cnm::daemon {
namespace {

constexpr std::string_view kNetworks = "/docker-networks";
constexpr std::string_view kPools = "/docker-pools";

http::Response Json(std::string body) {
  body += '\n';
  return {.headers = {{"Content-Type", "application/json"}}, .body = std::move(body)};
}

http::Response ListPools(const Assembly& parts) {
  json::Writer w;
  w.BeginArray();
  for (const auto& [id, uses] : parts.docker_ipam->Unattached()) {
    w.BeginObject().Member("id", id).Member("uses", uses).EndObject();
  }
  return Json(w.EndArray().Take());
}

void RequireForce(const json::Object& body, std::string_view what, std::string_view how) {
  bool force = false;
  body.Optional("force", force);
  if (force) return;
  throw Error(Code::kInUse, fmt::format("{} is Docker's: {}", what, how),
              "if Docker does not know it any more: cnmctl network rm --force, pool rm --force");
}

void RemoveNetwork(const Assembly& parts, const std::string& id, const json::Object& body) {
  for (const auto& network : parts.docker_bridge->Records()) {
    if (network->config.id != id) continue;
    const std::string what = fmt::format("network {}", network->name);
    RequireForce(body, what, fmt::format("docker network rm {}", id.substr(0, 12)));
    const std::vector<std::string> live = parts.docker_bridge->LiveEndpoints(id);
    if (!live.empty()) {
      throw Error(Code::kInUse, fmt::format("{} has a running container", what),
                  fmt::format("endpoint {}", live.front()));
    }
    Warn(fmt::format("{} ({}) of Docker's is removed by an operator", what, id));
    parts.docker_bridge->DeleteNetwork(id);
    parts.docker_ipam->GiveUp(id);
    return;
  }
  throw Error(Code::kNotFound, fmt::format("network {} not found", id));
}

void RemovePool(const Assembly& parts, const json::Object& body) {
  std::string pool;
  body.Required("pool", pool);
  const auto unattached = parts.docker_ipam->Unattached();
  const auto found = unattached.find(pool);
  if (found == unattached.end()) {
    throw Error(Code::kNotFound, fmt::format("pool {} not found", pool),
                "that of a bridge network goes with it: cnmctl network rm");
  }
  RequireForce(body, fmt::format("pool {}", pool), "remove the network that has it");
  Warn(fmt::format("pool {} of Docker's is released by an operator", pool));
  for (uint32_t i = 0; i < found->second; ++i) parts.docker_ipam->ReleasePool(pool);
}

http::Response Act(const Assembly& parts, const http::Request& request) {
  const std::string_view target = request.target;
  if (request.method == "GET" && target == kPools) return ListPools(parts);
  const bool one = target.starts_with(kNetworks) && target.size() > kNetworks.size() + 1;
  if (request.method != "DELETE" || !(one || target == kPools)) {
    return http::TextResponse(404, "404 page not found");
  }
  const json::Object body =
      json::Parse(request.body.empty() ? "{}" : std::string_view(request.body), "$");
  if (one) {
    RemoveNetwork(parts, std::string(target.substr(kNetworks.size() + 1)), body);
  } else {
    RemovePool(parts, body);
  }
  return {.status = 200};
}

}  // namespace

std::optional<http::Response> AskOfDocker(const Assembly& parts, const http::Request& request) {
  const bool ours =
      request.target == kPools || request.target.starts_with(fmt::format("{}/", kNetworks));
  if (!ours || !parts.docker) return std::nullopt;
  try {
    return Act(parts, request);
  } catch (const Error& error) {
    return api::FailureResponse(error);
  }
}

}  // namespace cnm::daemon
