// docker_names.h: what the Docker Engine calls what it has on our networks: drivers are told ids.
#pragma once

#include <string>

#include "cnm/inventory/inventory.h"

namespace cnm::cli {

/// Completes Docker's networks and endpoints, where there are any, by asking the engine at `socket`
/// ("" = $DOCKER_HOST, else /run/docker.sock). Where it does not answer within 2 s they stay as
/// they are.
void AddDockerNames(inventory::Inventory& inventory, const std::string& socket = {});

}  // namespace cnm::cli
