// publication.h: published ports as what an endpoint has attached.
#pragma once

#include <string>
#include <vector>

#include "cnm/endpoint.h"
#include "cnm/engine/values.h"

namespace cnm::local {

/// What publishes these bindings, whose host ports are chosen, for an endpoint on this bridge: the
/// mappings, and in each packet filter that would drop them the acceptance of connections that were
/// mapped.
std::vector<Attachment> MakePublication(const std::vector<engine::PortBinding>& bindings,
                                        const Endpoint& endpoint, const std::string& bridge);

/// The endpoint's addresses, as the userland proxy needs them.
std::vector<net::Address> TargetsIn(const Endpoint& endpoint);

}  // namespace cnm::local
