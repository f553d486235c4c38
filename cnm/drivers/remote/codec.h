// codec.h: the requests that network plugins get, and their answers (libnetwork.md §10.4, B.1).
// What the daemon's adaptor writes as well is in cnm/engine/labels.h.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "cnm/engine/values.h"
#include "common/json/object.h"

namespace cnm::remote {

/// Which endpoint a call is for.
struct CallIds {
  std::string_view network;
  std::string_view endpoint;
};

std::string EncodeNetwork(const engine::NetworkConfig& network);
std::string EncodeNetworkId(const std::string& network_id);
std::string EncodeIds(const CallIds& ids);
std::string EncodeEndpoint(const engine::EndpointConfig& endpoint);
/// `options` is a JSON object or "".
std::string EncodeJoin(const CallIds& ids, const std::string& sandbox_key,
                       const std::string& options);
std::string EncodeConnectivity(const CallIds& ids, const std::vector<engine::PortBinding>& bindings,
                               const std::string& options);

/// @throws Error kConfig "invalid capability: expecting 'local' or 'global', got X"
engine::Scope DecodeScope(const json::Object& answer);
/// @throws Error kConfig "unable to parse Gateway \"x\"", also for GatewayIPv6, a route's
/// Destination and NextHop; "route type N is unknown"
engine::JoinInfo DecodeJoin(const json::Object& answer);

}  // namespace cnm::remote
