// services.cc: cnmctl service ls, publish, unpublish, attach, detach, inspect, and sandbox ls,
// create, rm.
#include <cstdio>

#include <fmt/format.h>

#include "cnm/api/client.h"
#include "cnm/cli/ask.h"
#include "cnm/cli/commands.h"
#include "cnm/cli/table.h"
#include "common/json/writer.h"

namespace cnm::cli {
namespace {

void Print(const std::string& text) {
  std::fputs(text.c_str(), stdout);
}

std::string Short(const std::string& id) {
  return id.substr(0, 12);
}

}  // namespace

int ListServices(const Options& options) {
  const api::Client client = OpenClient(options);
  Table table({"SERVICE", "NETWORK", "CONTAINER", "SANDBOX", "ID"});
  json::Writer w(json::Style::kIndented);
  w.BeginArray();
  for (const api::ServiceView& service : client.Services(options.network)) {
    const api::SandboxView backend = client.Backend(service.id);
    table.Add({service.name, service.network, Short(backend.container_id), Short(backend.id),
               Short(service.id)});
    w.BeginObject().Member("name", service.name).Member("network", service.network);
    w.Member("id", service.id).Member("containerID", backend.container_id);
    w.Member("sandboxID", backend.id).Member("sandbox", backend.key).EndObject();
  }
  w.EndArray();
  Print(options.json ? fmt::format("{}\n", w.Take()) : table.ToString());
  return 0;
}

int PublishService(const Options& options) {
  const std::string& name = options.arguments[0];
  const size_t dot = name.rfind('.');
  api::EndpointRequest request{.name = name.substr(0, dot),
                               .aliases = options.aliases,
                               .address = options.address,
                               .mac = options.mac};
  request.ports.reserve(options.publish.size());
  for (const std::string& text : options.publish) request.ports.push_back(ParsePublish(text));
  const std::string network = dot == std::string::npos ? "" : name.substr(dot + 1);
  std::puts(OpenClient(options).Publish(request, network).c_str());
  return 0;
}

int UnpublishService(const Options& options) {
  const api::Client client = OpenClient(options);
  client.Unpublish(FindService(client, options.arguments[0]), options.force);
  return 0;
}

int AttachService(const Options& options) {
  const api::Client client = OpenClient(options);
  const std::string sandbox = FindSandboxId(client, options.arguments[0]);
  const api::ServiceView service = FindService(client, options.arguments[1]);
  std::puts(client.Attach(service.id, sandbox, options.aliases).c_str());
  return 0;
}

int DetachService(const Options& options) {
  const api::Client client = OpenClient(options);
  const std::string sandbox = FindSandboxId(client, options.arguments[0]);
  client.Detach(FindService(client, options.arguments[1]).id, sandbox);
  return 0;
}

int InspectService(const Options& options) {
  const api::Client client = OpenClient(options);
  const api::ServiceView service = FindService(client, options.arguments[0]);
  PrintObject(client.Send("GET", fmt::format("/services/{}/details", service.id)), options.json);
  return 0;
}

int ListSandboxes(const Options& options) {
  const api::Client client = OpenClient(options);
  Table table({"CONTAINER", "SANDBOX", "NAMESPACE"});
  json::Writer w(json::Style::kIndented);
  w.BeginArray();
  for (const api::SandboxView& sandbox : client.Sandboxes()) {
    if (!sandbox.container_id.starts_with(options.container)) continue;
    table.Add({Short(sandbox.container_id), Short(sandbox.id), sandbox.key});
    w.BeginObject().Member("containerID", sandbox.container_id).Member("id", sandbox.id);
    w.Member("sandbox", sandbox.key).EndObject();
  }
  w.EndArray();
  Print(options.json ? fmt::format("{}\n", w.Take()) : table.ToString());
  return 0;
}

int CreateSandbox(const Options& options) {
  const api::SandboxRequest request{.container_id = options.arguments[0],
                                    .host_name = options.host_name};
  std::puts(OpenClient(options).CreateSandbox(request).c_str());
  return 0;
}

int RemoveSandbox(const Options& options) {
  const api::Client client = OpenClient(options);
  client.DeleteSandbox(FindSandboxId(client, options.arguments[0]));
  return 0;
}

}  // namespace cnm::cli
