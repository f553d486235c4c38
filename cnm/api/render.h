// render.h: the JSON bodies of the REST API's answers (libnetwork.md §1.2, §1.3).
//
// Lists are [] when empty. Texts end without newline.
#pragma once

#include <map>
#include <span>
#include <string>
#include <vector>

#include "cnm/engine/engine.h"
#include "cnm/engine/values.h"

namespace cnm::api {

/// {"name","id","type","endpoints":[{"name","id","network"}]}
std::string RenderNetwork(const engine::NetworkInfo& network,
                          const std::vector<engine::EndpointInfo>& endpoints);
/// The same as an array. `endpoints` are of any networks, each network's in the order to show.
std::string RenderNetworks(const std::vector<engine::NetworkInfo>& networks,
                           const std::vector<engine::EndpointInfo>& endpoints);

/// {"name","id","network"}, also of a service.
std::string RenderEndpoint(const engine::EndpointInfo& endpoint);
std::string RenderEndpoints(const std::vector<engine::EndpointInfo>& endpoints);

/// {"id","key","container_id"}, also of a backend; all "" where none is attached.
std::string RenderSandbox(const engine::SandboxInfo& sandbox);
std::string RenderSandboxes(const std::vector<engine::SandboxInfo>& sandboxes);

/// An id or a sandbox's key: a JSON string.
std::string RenderText(const std::string& text);

/// What else is known, of the /details routes: RenderNetwork's members and "scope", "internal",
/// "enable_ipv6", "ipv4", "ipv6" [{"pool","gateway","aux_addresses"}], "options".
std::string RenderNetworkDetails(const engine::NetworkInfo& network,
                                 const std::vector<engine::EndpointInfo>& endpoints);
/// RenderEndpoint's members and "sandbox_id", "container_id", "mac_address", "address",
/// "address_ipv6", "gateway", "gateway_ipv6", "driver_info". `driver_info` is a JSON object or "".
std::string RenderEndpointDetails(const engine::EndpointInfo& endpoint,
                                  const std::string& container_id, const std::string& driver_info);
/// RenderSandbox's members and "endpoints", "statistics" by interface name.
std::string RenderSandboxDetails(
    const engine::SandboxInfo& sandbox, const std::vector<engine::EndpointInfo>& endpoints,
    const std::map<std::string, engine::InterfaceStatistics>& statistics);

}  // namespace cnm::api
