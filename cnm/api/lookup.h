// lookup.h: the objects that the REST API's clients name.
#pragma once

#include <optional>
#include <string>

#include "cnm/api/query.h"
#include "cnm/engine/engine.h"

namespace cnm::api {

/// The name, or for "" that of the default network.
std::string NetworkNameOf(const engine::Engine& engine, const std::string& name);

/// All @throws Error kNotFound "Resource not found: Network" (or Endpoint, Sandbox), "Service not
/// found"; kConfig with the engine's text for an id or name that is none
engine::NetworkInfo NetworkById(const engine::Engine& engine, const std::string& id);
/// "" is the default network.
engine::NetworkInfo NetworkByName(const engine::Engine& engine, const std::string& name);
engine::EndpointInfo EndpointOf(const engine::Engine& engine, const Route& route);
engine::EndpointInfo ServiceOf(const engine::Engine& engine, const Route& route);
engine::SandboxInfo SandboxById(const engine::Engine& engine, const std::string& id);

}  // namespace cnm::api
