// query.cc: the REST API's routes and list filters.
#include "cnm/api/query.h"

#include <algorithm>
#include <array>
#include <span>
#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "common/base/error.h"

namespace cnm::api {
namespace {

/// In a pattern the segments N, E and S are the ids of a network, an endpoint and a sandbox.
struct Pattern {
  std::string_view method;
  std::string_view path;
  Action action;
};

constexpr std::array kPatterns = {
    Pattern{"GET", "networks", Action::kListNetworks},
    Pattern{"GET", "networks/N", Action::kGetNetwork},
    Pattern{"GET", "networks/N/details", Action::kNetworkDetails},
    Pattern{"GET", "networks/N/endpoints", Action::kListEndpoints},
    Pattern{"GET", "networks/N/endpoints/E", Action::kGetEndpoint},
    Pattern{"GET", "networks/N/endpoints/E/details", Action::kEndpointDetails},
    Pattern{"GET", "services", Action::kListServices},
    Pattern{"GET", "services/E", Action::kGetService},
    Pattern{"GET", "services/E/details", Action::kServiceDetails},
    Pattern{"GET", "services/E/backend", Action::kGetBackend},
    Pattern{"GET", "sandboxes", Action::kListSandboxes},
    Pattern{"GET", "sandboxes/S", Action::kGetSandbox},
    Pattern{"GET", "sandboxes/S/details", Action::kSandboxDetails},
    Pattern{"GET", "inventory", Action::kInventory},
    Pattern{"POST", "networks", Action::kCreateNetwork},
    Pattern{"POST", "networks/N/endpoints", Action::kCreateEndpoint},
    Pattern{"POST", "networks/N/endpoints/E/sandboxes", Action::kJoin},
    Pattern{"POST", "services", Action::kPublish},
    Pattern{"POST", "services/E/backend", Action::kAttach},
    Pattern{"POST", "sandboxes", Action::kCreateSandbox},
    Pattern{"DELETE", "networks/N", Action::kDeleteNetwork},
    Pattern{"DELETE", "networks/N/endpoints/E", Action::kDeleteEndpoint},
    Pattern{"DELETE", "networks/N/endpoints/E/sandboxes/S", Action::kLeave},
    Pattern{"DELETE", "services/E", Action::kUnpublish},
    Pattern{"DELETE", "services/E/backend/S", Action::kDetach},
    Pattern{"DELETE", "sandboxes/S", Action::kDeleteSandbox},
};

struct FilterName {
  std::string_view text;
  FilterKey key;
};

constexpr std::array kNetworkFilters = {FilterName{"name", FilterKey::kName},
                                        FilterName{"partial-id", FilterKey::kPartialId}};
constexpr std::array kServiceFilters = {FilterName{"network", FilterKey::kNetwork},
                                        FilterName{"name", FilterKey::kName},
                                        FilterName{"partial-id", FilterKey::kPartialId}};
constexpr std::array kSandboxFilters = {
    FilterName{"partial-container-id", FilterKey::kPartialContainerId},
    FilterName{"container-id", FilterKey::kContainerId},
    FilterName{"partial-id", FilterKey::kPartialId}};

std::span<const FilterName> FiltersOf(Action action) {
  switch (action) {
    case Action::kListNetworks:
    case Action::kListEndpoints:
      return kNetworkFilters;
    case Action::kListServices:
      return kServiceFilters;
    case Action::kListSandboxes:
      return kSandboxFilters;
    default:
      return {};
  }
}

std::vector<std::string_view> Split(std::string_view text, char separator) {
  std::vector<std::string_view> parts;
  for (;;) {
    const size_t end = text.find(separator);
    parts.push_back(text.substr(0, end));
    if (end == std::string_view::npos) return parts;
    text.remove_prefix(end + 1);
  }
}

int HexDigit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

/// Of percent-encoded text (RFC 3986 §2.1); in a query '+' is a blank. A '%' without two hex digits
/// stands for itself.
std::string Decode(std::string_view text, bool query) {
  std::string plain;
  for (size_t i = 0; i < text.size(); ++i) {
    const int high = text[i] == '%' && i + 2 < text.size() ? HexDigit(text[i + 1]) : -1;
    const int low = high >= 0 ? HexDigit(text[i + 2]) : -1;
    if (low >= 0) {
      plain += static_cast<char>(high * 16 + low);
      i += 2;
    } else {
      plain += query && text[i] == '+' ? ' ' : text[i];
    }
  }
  return plain;
}

bool IsId(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '-';
  });
}

std::optional<Route> Match(const Pattern& pattern, std::span<const std::string> path) {
  const std::vector<std::string_view> wanted = Split(pattern.path, '/');
  if (wanted.size() != path.size()) return std::nullopt;
  Route route{.action = pattern.action};
  for (size_t i = 0; i < wanted.size(); ++i) {
    std::string* id = wanted[i] == "N"   ? &route.network
                      : wanted[i] == "E" ? &route.endpoint
                      : wanted[i] == "S" ? &route.sandbox
                                         : nullptr;
    if (id == nullptr ? wanted[i] != path[i] : !IsId(path[i])) return std::nullopt;
    if (id != nullptr) *id = path[i];
  }
  return route;
}

std::optional<Route> FindPath(std::string_view method, std::span<const std::string> path) {
  for (const Pattern& pattern : kPatterns) {
    if (pattern.method != method) continue;
    if (std::optional<Route> route = Match(pattern, path)) return route;
  }
  return std::nullopt;
}

/// The value of the first `key=value` of the query.
std::optional<std::string> FindValue(std::string_view query, std::string_view key) {
  for (const std::string_view pair : Split(query, '&')) {
    const size_t equals = pair.find('=');
    if (equals == std::string_view::npos || Decode(pair.substr(0, equals), true) != key) continue;
    return Decode(pair.substr(equals + 1), true);
  }
  return std::nullopt;
}

std::optional<Filter> FindFilter(std::span<const FilterName> names, std::string_view query) {
  std::optional<Filter> filter;
  for (const FilterName& name : names) {
    std::optional<std::string> value = FindValue(query, name.text);
    if (!value) continue;
    if (filter) throw Error(Code::kConfig, "Unsupported query");
    filter = Filter{name.key, *std::move(value)};
  }
  return filter;
}

}  // namespace

Resource SubjectOf(Action action) {
  switch (action) {
    case Action::kListNetworks:
    case Action::kGetNetwork:
    case Action::kNetworkDetails:
    case Action::kCreateNetwork:
    case Action::kDeleteNetwork:
      return Resource::kNetwork;
    case Action::kListEndpoints:
    case Action::kGetEndpoint:
    case Action::kEndpointDetails:
    case Action::kCreateEndpoint:
    case Action::kDeleteEndpoint:
    case Action::kJoin:
    case Action::kLeave:
      return Resource::kEndpoint;
    case Action::kListSandboxes:
    case Action::kGetSandbox:
    case Action::kSandboxDetails:
    case Action::kCreateSandbox:
    case Action::kDeleteSandbox:
      return Resource::kSandbox;
    case Action::kInventory:
      return Resource::kHost;
    default:
      return Resource::kService;
  }
}

std::optional<Route> FindRoute(std::string_view method, std::string_view target) {
  const size_t end = std::min(target.find('?'), target.size());
  const std::vector<std::string_view> segments = Split(target.substr(0, end), '/');
  if (segments.size() < 2 || !segments[0].empty()) return std::nullopt;
  std::vector<std::string> path;
  path.reserve(segments.size());
  for (const std::string_view segment : segments) path.push_back(Decode(segment, false));
  std::optional<Route> route = FindPath(method, std::span(path).subspan(1));
  if (!route && !path[1].empty()) route = FindPath(method, std::span(path).subspan(2));
  if (!route) return std::nullopt;
  const std::string_view query = end == target.size() ? "" : target.substr(end + 1);
  route->filter = FindFilter(FiltersOf(route->action), query);
  return route;
}

std::optional<std::string> CleanTarget(std::string_view target) {
  const size_t end = std::min(target.find('?'), target.size());
  const std::string_view path = target.substr(0, end);
  std::vector<std::string_view> kept;
  const std::vector<std::string_view> segments = Split(path, '/');
  for (const std::string_view segment : segments) {
    if (segment == ".." && !kept.empty()) kept.pop_back();
    if (!segment.empty() && segment != "." && segment != "..") kept.push_back(segment);
  }
  const bool open = !kept.empty() && segments.back().empty();
  const std::string clean = fmt::format("/{}{}", fmt::join(kept, "/"), open ? "/" : "");
  if (clean == path) return std::nullopt;
  return clean + std::string(target.substr(end));
}

bool Selects(const std::optional<Filter>& filter, const Subject& subject) {
  if (!filter) return true;
  const std::string& value = filter->value;
  switch (filter->key) {
    case FilterKey::kName:
      return subject.name == value;
    case FilterKey::kPartialId:
      return subject.id.starts_with(value);
    case FilterKey::kNetwork:
      return subject.network == value;
    case FilterKey::kContainerId:
      return subject.container_id == value;
    case FilterKey::kPartialContainerId:
      return subject.container_id.starts_with(value);
  }
  return false;
}

}  // namespace cnm::api
