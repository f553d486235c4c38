// assembly.h: the parts of a daemon, put together.
#pragma once

#include <memory>
#include <string>

#include "cnm/daemon/config/config.h"
#include "cnm/daemon/docker/adaptor.h"
#include "cnm/daemon/docker/replayed_ipam.h"
#include "cnm/drivers/local/local_driver.h"
#include "cnm/engine/engine.h"
#include "cnm/pools/default_ipam.h"

namespace cnm::daemon {

/// What answers requests.
struct Assembly {
  std::shared_ptr<local::LocalDriver> api_bridge;     ///< networks made through the REST API
  std::shared_ptr<local::LocalDriver> docker_bridge;  ///< networks made by Docker
  std::unique_ptr<engine::Engine> engine;
  std::unique_ptr<docker::Adaptor> docker;
  std::shared_ptr<pools::DefaultIpam> pools;          ///< of both
  std::shared_ptr<docker::ReplayedIpam> docker_ipam;  ///< what Docker has of them
  bool serving = false;  ///< requests come: what was asked for may not be on record yet
};

/// All networks and endpoints of the host as the API shows them: cnm/inventory's JSON.
std::string TakeInventory(const Config& config);

/// Opens the stores, makes drivers, allocators and the engine; plugins are found as Docker finds
/// them. @throws Error kInUse when another daemon serves the state directory; kIo
Assembly Assemble(const Config& config);

}  // namespace cnm::daemon
