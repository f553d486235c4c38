// client.cc: the REST API from a client's side.
#include "cnm/api/client.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "cnm/api/client_body.h"
#include "cnm/api/status.h"
#include "common/base/error.h"
#include "common/json/writer.h"

namespace cnm::api {
namespace {

bool IsUnreserved(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
         c == '_' || c == '.' || c == '~';
}

/// An id in a path. @throws Error kConfig for what can be no id, and would make another path
const std::string& PathId(const std::string& id) {
  const bool good = !id.empty() && std::all_of(id.begin(), id.end(), [](char c) {
    return IsUnreserved(c) && c != '.' && c != '~';
  });
  if (!good) throw Error(Code::kConfig, fmt::format("invalid id: {}", id));
  return id;
}

std::string Trimmed(std::string text) {
  while (!text.empty() && text.back() == '\n') text.pop_back();
  return text;
}

}  // namespace

std::string QueryValue(std::string_view text) {
  std::string encoded;
  encoded.reserve(text.size());
  for (const char c : text) {
    if (IsUnreserved(c)) {
      encoded += c;
    } else {
      encoded += fmt::format("%{:02X}", static_cast<unsigned char>(c));
    }
  }
  return encoded;
}

std::string Client::Send(std::string_view method, const std::string& path,
                         const std::string& body) const {
  http::Request request{.method = std::string(method), .target = path, .body = body};
  if (!body.empty()) {
    request.headers.push_back({"Content-Type", "application/json"});
  } else if (method == "POST" || method == "PUT") {
    request.headers.push_back({"Content-Type", "text/plain"});
  }
  http::Response response;
  try {
    response = http::Call(options_.server, request);
  } catch (const Error& error) {
    throw Error(error.code(), fmt::format("{}{}", options_.unreachable, error.message()),
                error.details());
  }
  if (response.status >= 200 && response.status < 400) return std::move(response.body);
  const std::string said = response.body.empty() ? fmt::format("HTTP status {}", response.status)
                                                 : Trimmed(std::move(response.body));
  const auto details = http::FindHeader(response.headers, kDetailsField);
  throw Error(CodeOf(response.status), fmt::format("{}{}", options_.refusal, said),
              std::string(details.value_or("")));
}

std::vector<NetworkView> Client::NetworksBy(std::string_view query) const {
  return DecodeNetworks(Send("GET", fmt::format("/networks{}", query)));
}

std::vector<ServiceView> Client::ServicesBy(std::string_view query) const {
  return DecodeServices(Send("GET", fmt::format("/services{}", query)));
}

std::vector<NetworkView> Client::Networks() const {
  return NetworksBy("");
}

std::string Client::CreateNetwork(const NetworkRequest& request) const {
  return DecodeText(Send("POST", "/networks", EncodeNetworkRequest(request)));
}

void Client::DeleteNetwork(const std::string& id, bool force) const {
  Send("DELETE", fmt::format("/networks/{}", PathId(id)), force ? R"({"force":true})" : "");
}

NetworkView Client::GetNetwork(const std::string& id) const {
  return DecodeNetwork(Send("GET", fmt::format("/networks/{}", PathId(id))));
}

NetworkView Client::GetNetworkDetails(const std::string& id) const {
  return DecodeNetwork(Send("GET", fmt::format("/networks/{}/details", PathId(id))));
}

std::vector<ServiceView> Client::Services(const std::string& network) const {
  return ServicesBy(network.empty() ? "" : fmt::format("?network={}", QueryValue(network)));
}

ServiceView Client::GetService(const std::string& id) const {
  return DecodeService(Send("GET", fmt::format("/services/{}", PathId(id))));
}

SandboxView Client::Backend(const std::string& service_id) const {
  return DecodeSandbox(Send("GET", fmt::format("/services/{}/backend", PathId(service_id))));
}

std::string Client::Publish(const EndpointRequest& request, const std::string& network) const {
  return DecodeText(Send("POST", "/services", EncodeServiceRequest(request, network)));
}

void Client::Unpublish(const ServiceView& service, bool force) const {
  json::Writer w;
  w.BeginObject().Member("name", service.name).Member("force", force).EndObject();
  Send("DELETE", fmt::format("/services/{}", PathId(service.id)), force ? w.Take() : "");
}

std::string Client::Attach(const std::string& service_id, const std::string& sandbox_id,
                           const std::vector<std::string>& aliases) const {
  return DecodeText(Send("POST", fmt::format("/services/{}/backend", PathId(service_id)),
                         EncodeJoinRequest(sandbox_id, aliases)));
}

void Client::Detach(const std::string& service_id, const std::string& sandbox_id) const {
  Send("DELETE", fmt::format("/services/{}/backend/{}", PathId(service_id), PathId(sandbox_id)));
}

std::vector<SandboxView> Client::Sandboxes() const {
  return DecodeSandboxes(Send("GET", "/sandboxes"));
}

std::string Client::CreateSandbox(const SandboxRequest& request) const {
  return DecodeText(Send("POST", "/sandboxes", EncodeSandboxRequest(request)));
}

void Client::DeleteSandbox(const std::string& id) const {
  Send("DELETE", fmt::format("/sandboxes/{}", PathId(id)));
}

std::string Client::FindNetworkId(const std::string& name_or_id) const {
  const std::string value = QueryValue(name_or_id);
  std::vector<NetworkView> found = NetworksBy(fmt::format("?name={}", value));
  if (!found.empty()) return found.front().id;
  found = NetworksBy(fmt::format("?partial-id={}", value));
  if (found.empty()) {
    throw Error(Code::kNotFound, fmt::format("resource not found {}", name_or_id));
  }
  if (found.size() == 1) return found.front().id;
  throw Error(Code::kConfig, fmt::format("multiple Networks matching the partial identifier ({}). "
                                         "Please use full identifier",
                                         name_or_id));
}

ServiceView Client::FindService(const std::string& name_or_id, const std::string& network) const {
  const std::vector<NetworkView> networks =
      NetworksBy(fmt::format("?name={}", QueryValue(network)));
  if (networks.empty()) {
    throw Error(Code::kNotFound, fmt::format("Network {} does not exist", network));
  }
  const std::string& name = networks.front().name;
  for (const char* key : {"name", "partial-id"}) {
    const auto found = ServicesBy(fmt::format("?{}={}", key, QueryValue(name_or_id)));
    const auto here = std::find_if(found.begin(), found.end(),
                                   [&](const ServiceView& s) { return s.network == name; });
    if (here != found.end()) return *here;
  }
  throw Error(Code::kNotFound, fmt::format("Service {} not found on network {}", name_or_id, name));
}

std::string Client::FindSandboxId(const std::string& container_id) const {
  const auto found = DecodeSandboxes(
      Send("GET", fmt::format("/sandboxes?partial-container-id={}", QueryValue(container_id))));
  if (found.empty()) {
    throw Error(Code::kNotFound,
                fmt::format("cannot find sandbox for container: {}", container_id));
  }
  return found.front().id;
}

}  // namespace cnm::api
