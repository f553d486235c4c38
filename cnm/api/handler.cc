// handler.cc: the REST API's actions.
#include "cnm/api/handler.h"

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "cnm/api/body.h"
#include "cnm/api/lookup.h"
#include "cnm/api/query.h"
#include "cnm/api/render.h"
#include "cnm/api/status.h"
#include "common/base/error.h"

namespace cnm::api {
namespace {

using engine::EndpointInfo;
using engine::Engine;
using engine::NetworkInfo;
using engine::SandboxInfo;
using http::Request;
using http::Response;

Response Answer(unsigned status, std::string body) {
  body += '\n';
  return {
      .status = status, .headers = {{"Content-Type", "application/json"}}, .body = std::move(body)};
}

Response Ok(std::string body) {
  return Answer(200, std::move(body));
}

Response Created(const std::string& id) {
  return Answer(201, RenderText(id));
}

Response Done() {
  return {.status = 200};
}

/// The list's filter; "" as a network's name is the default network's.
std::optional<Filter> FilterOf(const Engine& engine, const Route& route) {
  std::optional<Filter> filter = route.filter;
  const bool network_name =
      filter && (filter->key == FilterKey::kNetwork ||
                 (filter->key == FilterKey::kName && route.action == Action::kListNetworks));
  if (network_name) filter->value = NetworkNameOf(engine, filter->value);
  return filter;
}

Response ListNetworks(const Engine& engine, const Route& route) {
  const std::optional<Filter> filter = FilterOf(engine, route);
  std::vector<NetworkInfo> networks = engine.Networks();
  std::erase_if(networks, [&](const NetworkInfo& n) {
    return !Selects(filter, {.name = n.name, .id = n.id, .network = n.name, .container_id = ""});
  });
  return Ok(RenderNetworks(networks, engine.Endpoints()));
}

Response ListEndpoints(const Engine& engine, const Route& route) {
  const bool of_one = route.action == Action::kListEndpoints;
  std::vector<EndpointInfo> endpoints =
      engine.Endpoints(of_one ? NetworkById(engine, route.network).id : "");
  const std::optional<Filter> filter = FilterOf(engine, route);
  std::erase_if(endpoints, [&](const EndpointInfo& e) {
    return !Selects(filter, {.name = e.name, .id = e.id, .network = e.network, .container_id = ""});
  });
  return Ok(RenderEndpoints(endpoints));
}

Response ListSandboxes(const Engine& engine, const Route& route) {
  std::vector<SandboxInfo> sandboxes = engine.Sandboxes();
  std::erase_if(sandboxes, [&](const SandboxInfo& s) {
    return !Selects(route.filter,
                    {.name = "", .id = s.id, .network = "", .container_id = s.container_id});
  });
  return Ok(RenderSandboxes(sandboxes));
}

Response GetNetwork(const Engine& engine, const Route& route) {
  const NetworkInfo network = NetworkById(engine, route.network);
  return Ok(RenderNetwork(network, engine.Endpoints(network.id)));
}

Response GetNetworkDetails(const Engine& engine, const Route& route) {
  const NetworkInfo network = NetworkById(engine, route.network);
  return Ok(RenderNetworkDetails(network, engine.Endpoints(network.id)));
}

/// "" of a driver that knows the endpoint and has nothing to tell, as plugins may (404).
std::string DriverInfoOf(const Engine& engine, const EndpointInfo& endpoint) {
  try {
    return engine.DriverInfo(endpoint.network_id, endpoint.id);
  } catch (const Error& error) {
    if (error.code() != Code::kNotFound) throw;
    return {};
  }
}

Response GetDetails(const Engine& engine, const EndpointInfo& endpoint) {
  const std::string container =
      endpoint.sandbox_id.empty() ? "" : SandboxById(engine, endpoint.sandbox_id).container_id;
  return Ok(RenderEndpointDetails(endpoint, container, DriverInfoOf(engine, endpoint)));
}

Response GetSandboxDetails(const Engine& engine, const Route& route) {
  const SandboxInfo sandbox = SandboxById(engine, route.sandbox);
  std::vector<EndpointInfo> joined = engine.Endpoints();
  std::erase_if(joined, [&](const EndpointInfo& e) { return e.sandbox_id != sandbox.id; });
  return Ok(RenderSandboxDetails(sandbox, joined, engine.Statistics(sandbox.id)));
}

Response GetBackend(const Engine& engine, const Route& route) {
  const EndpointInfo service = ServiceOf(engine, route);
  return Ok(RenderSandbox(service.sandbox_id.empty() ? SandboxInfo{}
                                                     : SandboxById(engine, service.sandbox_id)));
}

Response CreateEndpoint(Engine& engine, const Route& route, const std::string& text) {
  const EndpointBody body = DecodeEndpointBody(text);
  const NetworkInfo network = NetworkById(engine, route.network);
  return Created(engine.CreateEndpoint(network.id, body.spec));
}

Response Publish(Engine& engine, const std::string& text) {
  const EndpointBody body = DecodeEndpointBody(text);
  const NetworkInfo network = NetworkByName(engine, body.network);
  return Created(engine.CreateEndpoint(network.id, body.spec));
}

Response Delete(Engine& engine, const EndpointInfo& endpoint, bool force) {
  engine.DeleteEndpoint(endpoint.network_id, endpoint.id, force);
  return Done();
}

/// `find` names the endpoint to join; the body is read before it is asked.
template <class Find>
Response Join(Engine& engine, const Route& route, const std::string& text, const Find& find) {
  const JoinBody body = DecodeJoinBody(text);
  const EndpointInfo endpoint = find(engine, route);
  const SandboxInfo sandbox = SandboxById(engine, body.sandbox_id);
  return Ok(RenderText(engine.Join(endpoint.network_id, endpoint.id, sandbox.id, body.spec)));
}

Response Leave(Engine& engine, const Route& route, const EndpointInfo& endpoint) {
  const SandboxInfo sandbox = SandboxById(engine, route.sandbox);
  engine.Leave(endpoint.network_id, endpoint.id, sandbox.id);
  return Done();
}

Response Unpublish(Engine& engine, const Route& route, const std::string& text) {
  const bool force = DecodeForce(text);
  return Delete(engine, ServiceOf(engine, route), force);
}

Response ActOnNetwork(Engine& engine, const Route& route, const std::string& body) {
  switch (route.action) {
    case Action::kListNetworks:
      return ListNetworks(engine, route);
    case Action::kGetNetwork:
      return GetNetwork(engine, route);
    case Action::kNetworkDetails:
      return GetNetworkDetails(engine, route);
    case Action::kCreateNetwork:
      return Created(
          engine.CreateNetwork(DecodeNetworkBody(body, engine.options().default_driver)));
    default:
      engine.DeleteNetwork(NetworkById(engine, route.network).id, DecodeForce(body));
      return Done();
  }
}

Response ActOnEndpoint(Engine& engine, const Route& route, const std::string& body) {
  switch (route.action) {
    case Action::kListEndpoints:
      return ListEndpoints(engine, route);
    case Action::kGetEndpoint:
      return Ok(RenderEndpoint(EndpointOf(engine, route)));
    case Action::kEndpointDetails:
      return GetDetails(engine, EndpointOf(engine, route));
    case Action::kCreateEndpoint:
      return CreateEndpoint(engine, route, body);
    case Action::kJoin:
      return Join(engine, route, body, EndpointOf);
    case Action::kLeave:
      return Leave(engine, route, EndpointOf(engine, route));
    default:
      return Delete(engine, EndpointOf(engine, route), false);
  }
}

Response ActOnService(Engine& engine, const Route& route, const std::string& body) {
  switch (route.action) {
    case Action::kListServices:
      return ListEndpoints(engine, route);
    case Action::kGetService:
      return Ok(RenderEndpoint(ServiceOf(engine, route)));
    case Action::kServiceDetails:
      return GetDetails(engine, ServiceOf(engine, route));
    case Action::kGetBackend:
      return GetBackend(engine, route);
    case Action::kPublish:
      return Publish(engine, body);
    case Action::kAttach:
      return Join(engine, route, body, ServiceOf);
    case Action::kDetach:
      return Leave(engine, route, ServiceOf(engine, route));
    default:
      return Unpublish(engine, route, body);
  }
}

Response ActOnSandbox(Engine& engine, const Route& route, const std::string& body) {
  switch (route.action) {
    case Action::kListSandboxes:
      return ListSandboxes(engine, route);
    case Action::kGetSandbox:
      return Ok(RenderSandbox(SandboxById(engine, route.sandbox)));
    case Action::kSandboxDetails:
      return GetSandboxDetails(engine, route);
    case Action::kCreateSandbox:
      return Created(engine.CreateSandbox(DecodeSandboxBody(body)));
    default:
      engine.DeleteSandbox(SandboxById(engine, route.sandbox).id);
      return Done();
  }
}

Response Act(Engine& engine, const Route& route, const std::string& body) {
  switch (SubjectOf(route.action)) {
    case Resource::kNetwork:
      return ActOnNetwork(engine, route, body);
    case Resource::kEndpoint:
      return ActOnEndpoint(engine, route, body);
    case Resource::kSandbox:
      return ActOnSandbox(engine, route, body);
    case Resource::kService:
    case Resource::kHost:
      break;
  }
  try {
    return ActOnService(engine, route, body);
  } catch (const Error& error) {
    throw InTermsOfServices(error);
  }
}

}  // namespace

bool Api::OnlyReads(const Request& request) {
  const std::string_view target = request.target;
  return request.method == "GET" && !target.substr(0, target.find('?')).ends_with("/details");
}

Response Api::Handle(const Request& request) const {
  if (engine_ == nullptr) return http::TextResponse(503, "NetworkController is not available");
  try {
    if (std::optional<std::string> clean = CleanTarget(request.target)) {
      return {.status = 301, .headers = {{"Location", *std::move(clean)}}};
    }
    const std::optional<Route> route = FindRoute(request.method, request.target);
    const bool inventory = route && route->action == Action::kInventory;
    if (!route || (inventory && !inventory_)) return http::TextResponse(404, "404 page not found");
    if (inventory) return Ok(inventory_());
    return Act(*engine_, *route, request.body);
  } catch (const Error& error) {
    return FailureResponse(error);
  }
}

}  // namespace cnm::api
