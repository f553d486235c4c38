// gc.cc: cnmctl gc: removing what the provably dead left, without a runtime's help.
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <vector>

#include <fmt/format.h>

#include "cnm/cli/commands.h"
#include "cnm/cli/open.h"
#include "cnm/cli/table.h"
#include "common/base/error.h"
#include "common/json/writer.h"

namespace cnm::cli {
namespace {

std::string AddressesOf(const Endpoint& endpoint) {
  std::string text;
  for (const AddressGrant& grant : endpoint.addressing.addresses) {
    if (!text.empty()) text += ",";
    text += grant.prefix.address.ToString();
  }
  return text;
}

void AddRows(Table& table, std::string_view action, const std::vector<GarbageReport::Item>& items) {
  for (const GarbageReport::Item& item : items) {
    const Endpoint& e = item.endpoint;
    table.Add({std::string(action), item.why, e.key.container_id.substr(0, 12), e.key.ifname,
               AddressesOf(e), e.runtime});
  }
}

void WriteItems(json::Writer& w, std::string_view key,
                const std::vector<GarbageReport::Item>& items) {
  w.Key(key).BeginArray();
  for (const GarbageReport::Item& item : items) {
    const Endpoint& e = item.endpoint;
    w.BeginObject().Member("containerID", e.key.container_id).Member("ifname", e.key.ifname);
    w.Member("why", item.why).Member("addresses", AddressesOf(e)).Member("runtime", e.runtime);
    w.EndObject();
  }
  w.EndArray();
}

/// A misspelt name would look like a network without garbage.
void RequireNetwork(const Options& options, Controller& controller) {
  if (controller.FindNetwork(options.network)) return;
  const std::vector<Endpoint> endpoints = controller.Endpoints();
  const bool used = std::any_of(endpoints.begin(), endpoints.end(), [&](const Endpoint& endpoint) {
    return endpoint.key.network == options.network;
  });
  const bool leased =
      options.network.find('/') == std::string::npos &&
      ::access(fmt::format("{}/{}", options.data_dir, options.network).c_str(), F_OK) == 0;
  if (used || leased) return;
  throw Error(Code::kNotFound, fmt::format("gc: network {}: there is none", options.network),
              "see cnmctl network ls");
}

}  // namespace

int CollectGarbage(const Options& options) {
  if (options.network.empty()) {
    throw Error(Code::kEnvironment, "gc: --network is missing", "see cnmctl network ls");
  }
  if (options.dry_run == options.apply) {
    throw Error(Code::kEnvironment, "gc: say either --dry-run or --apply",
                "--dry-run shows what --apply would remove");
  }
  GarbageRequest request;
  request.network = options.network;
  request.dry_run = options.dry_run;
  Controller controller = OpenController(options);
  RequireNetwork(options, controller);
  const GarbageReport report = controller.CollectGarbage(request);
  if (options.json) {
    json::Writer w(json::Style::kIndented);
    w.BeginObject().Member("network", options.network).Member("dryRun", options.dry_run);
    WriteItems(w, "removed", report.removed);
    WriteItems(w, "kept", report.kept);
    w.Key("errors").BeginArray();
    for (const Error& e : report.errors) w.String(e.message());
    w.EndArray().EndObject();
    std::puts(w.Take().c_str());
  } else {
    Table table({"ACTION", "WHY", "CONTAINER", "IFNAME", "ADDRESSES", "RUNTIME"});
    AddRows(table, options.dry_run ? "would remove" : "removed", report.removed);
    AddRows(table, "keep", report.kept);
    std::fputs(table.ToString().c_str(), stdout);
    for (const Error& e : report.errors) {
      std::fputs(fmt::format("cnmctl: {}\n", e.message()).c_str(), stderr);
    }
  }
  return report.errors.empty() ? 0 : 1;
}

}  // namespace cnm::cli
