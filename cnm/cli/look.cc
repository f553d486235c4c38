// look.cc: what networks and endpoints there are, for cnmctl's commands.
#include "cnm/cli/look.h"

#include <unistd.h>

#include <cerrno>
#include <vector>

#include <fmt/format.h>

#include "cnm/cli/ask.h"
#include "cnm/cli/open.h"
#include "common/base/error.h"
#include "common/http/client.h"

namespace cnm::cli {
namespace {

bool MayReadRecords(const Options& options) {
  const bool here = !http::ParseServerAddress(options.socket).unix_path.empty();
  return here && (::access(options.run_dir.c_str(), R_OK | X_OK) == 0 || errno == ENOENT);
}

[[noreturn]] void FailForeign(const inventory::NetworkEntry& network) {
  if (const inventory::Membership* docker = network.Find("docker")) {
    throw Error(Code::kConfig, fmt::format("network {}: is Docker's, not cnmd's", network.name),
                fmt::format("docker network rm {0}; if Docker does not know it any more: "
                            "cnmctl network rm --force {0}",
                            docker->id.substr(0, 12)));
  }
  throw Error(Code::kConfig, fmt::format("network {}: is CNI's, not cnmd's", network.name),
              fmt::format("its file in /etc/cni/net.d makes it; cnmctl gc --network {} --apply "
                          "removes what dead containers left",
                          network.name));
}

bool IsNamed(const inventory::EndpointEntry& endpoint, const std::string& name) {
  return endpoint.name == name || endpoint.id == name || endpoint.container == name;
}

bool Begins(const inventory::EndpointEntry& endpoint, const std::string& name) {
  return endpoint.id.starts_with(name) || endpoint.container.starts_with(name);
}

}  // namespace

inventory::Inventory Look(const Options& options) {
  if (!MayReadRecords(options)) return AskInventory(OpenClient(options));
  Controller controller = OpenController(options);
  return inventory::Take(controller, {.runtime = options.run_dir, .durable = options.state_dir});
}

inventory::Inventory AskInventory(const api::Client& client) {
  return inventory::Decode(client.Send("GET", "/inventory"));
}

inventory::Membership GetApiNetwork(const inventory::Inventory& inventory,
                                    const std::string& name_or_id) {
  const inventory::NetworkEntry& network = inventory::GetNetwork(inventory, name_or_id);
  const inventory::Membership* api = network.Find("api");
  if (api == nullptr) FailForeign(network);
  return *api;
}

const inventory::EndpointEntry& GetEndpoint(const inventory::Inventory& inventory,
                                            const std::string& network, const std::string& name) {
  const std::string& wanted = inventory::GetNetwork(inventory, network).name;
  std::vector<const inventory::EndpointEntry*> begin;
  for (const inventory::EndpointEntry& endpoint : inventory.endpoints) {
    if (endpoint.network != wanted) continue;
    if (IsNamed(endpoint, name)) return endpoint;
    if (Begins(endpoint, name)) begin.push_back(&endpoint);
  }
  if (begin.size() == 1 && !name.empty()) return *begin.front();
  throw Error(begin.empty() ? Code::kNotFound : Code::kConfig,
              begin.empty() ? fmt::format("endpoint {}: network {} has none", name, wanted)
                            : fmt::format("endpoint {}: {} of network {} begin so", name,
                                          begin.size(), wanted),
              fmt::format("see cnmctl endpoint ls --network {}", wanted));
}

}  // namespace cnm::cli
