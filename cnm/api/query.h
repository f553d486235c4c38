// query.h: what the REST API's client asks for: routes and list filters, as pure functions.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace cnm::api {

/// What a route does. A service is an endpoint by another name; its backend, the sandbox joined.
/// The Details are not libnetwork's: its answers stay as they are, what else is known is there.
enum class Action : uint8_t {
  kListNetworks,
  kGetNetwork,
  kNetworkDetails,
  kCreateNetwork,
  kDeleteNetwork,
  kListEndpoints,
  kGetEndpoint,
  kEndpointDetails,
  kCreateEndpoint,
  kDeleteEndpoint,
  kJoin,
  kLeave,
  kListServices,
  kGetService,
  kServiceDetails,
  kPublish,
  kUnpublish,
  kGetBackend,
  kAttach,
  kDetach,
  kListSandboxes,
  kGetSandbox,
  kSandboxDetails,
  kCreateSandbox,
  kDeleteSandbox,
  kInventory,  ///< all networks and endpoints of the host, whichever door made them
};

/// What kind of object an action is about.
enum class Resource : uint8_t { kNetwork, kEndpoint, kService, kSandbox, kHost };
Resource SubjectOf(Action action);

/// By what a list is narrowed.
enum class FilterKey : uint8_t { kName, kPartialId, kNetwork, kContainerId, kPartialContainerId };

struct Filter {
  FilterKey key = FilterKey::kName;
  std::string value;  ///< decoded; "" is a value
  bool operator==(const Filter&) const = default;
};

/// A request understood.
struct Route {
  Action action = Action::kListNetworks;
  std::string network = {};   ///< ids from the path, "" where the route has none
  std::string endpoint = {};  ///< or the service
  std::string sandbox = {};
  std::optional<Filter> filter = {};  ///< of a list
  bool operator==(const Route&) const = default;
};

/// The route of a request; `target` is path and query as sent. Each route exists bare ("/networks")
/// and behind one segment of any text ("/v1.19/networks"); the bare meaning comes first. Ids in a
/// path are letters, digits, '_' and '-'. nullopt: no such route, also for an unknown method (404).
/// @throws Error kConfig "Unsupported query" for a list with more than one filter of its own (400);
///         a query without meaning for the route is ignored
std::optional<Route> FindRoute(std::string_view method, std::string_view target);

/// Where to send a client whose path has empty, "." or ".." segments (301); nullopt if it has none.
/// A slash at the end and the query stay. It always names a path of this server: one slash first.
std::optional<std::string> CleanTarget(std::string_view target);

/// What of an object a filter looks at; "" where it has none.
struct Subject {
  std::string_view name;
  std::string_view id;
  std::string_view network;  ///< the name of the network it is in
  std::string_view container_id;
};

/// Whether the list contains the subject. Partial ids are beginnings.
bool Selects(const std::optional<Filter>& filter, const Subject& subject);

}  // namespace cnm::api
