// firewall.cc: cnmctl firewall and cnmctl reload: what is programmed in the packet filters, and
// programming it anew.
#include <algorithm>
#include <cstdio>
#include <vector>

#include <fmt/format.h>

#include "cnm/cli/commands.h"
#include "cnm/cli/open.h"
#include "cnm/cli/table.h"
#include "common/json/writer.h"

namespace cnm::cli {
namespace {

/// One line of the report.
struct Row {
  std::string network;
  std::string container_id;
  std::string ifname;
  std::string owner;
  std::string backend;
  std::string rule;
  std::string place;
  std::string state;  ///< "ok", "missing", "dead", "no record"; "shared" for what no owner has
};

/// The endpoint a rule is for. iptables rules carry network and container id instead of the owner.
const Endpoint* FindEndpoint(const firewall::Programmed& rule,
                             const std::vector<Endpoint>& endpoints) {
  const auto found = std::find_if(endpoints.begin(), endpoints.end(), [&](const Endpoint& e) {
    if (!rule.owner.empty()) return e.owner == rule.owner;
    return e.key.network == rule.network && e.key.container_id == rule.container_id;
  });
  return found == endpoints.end() ? nullptr : &*found;
}

Row MakeRow(const FirewallReport::Item& item, const std::vector<Endpoint>& endpoints,
            Controller& controller) {
  const firewall::Programmed& rule = item.rule;
  Row row{.network = rule.network,
          .container_id = rule.container_id,
          .ifname = "",
          .owner = rule.owner,
          .backend = item.backend,
          .rule = rule.what,
          .place = rule.place,
          .state = "no record"};
  if (rule.owner.empty() && rule.container_id.empty()) {
    row.state = "shared";
  } else if (const Endpoint* const endpoint = FindEndpoint(rule, endpoints)) {
    row.network = endpoint->key.network;
    row.container_id = endpoint->key.container_id;
    row.ifname = endpoint->key.ifname;
    row.owner = endpoint->owner;
    const bool dead = endpoint->state != EndpointState::kReady ||
                      controller.LivenessOf(*endpoint) == Liveness::kDead;
    row.state = dead ? "dead" : "ok";
  }
  return row;
}

Row MakeRow(const FirewallReport::Loss& loss) {
  return {.network = loss.key.network,
          .container_id = loss.key.container_id,
          .ifname = loss.key.ifname,
          .owner = "",
          .backend = loss.backend,
          .rule = fmt::format("{}: {}", loss.plugin, loss.what),
          .place = "",
          .state = "missing"};
}

std::vector<Row> ReadRows(const Options& options) {
  Controller controller = OpenController(options);
  const FirewallReport report = controller.ReadFirewall();
  const std::vector<Endpoint> endpoints = controller.Endpoints();
  std::vector<Row> rows;
  for (const auto& item : report.programmed) rows.push_back(MakeRow(item, endpoints, controller));
  for (const auto& loss : report.missing) rows.push_back(MakeRow(loss));
  std::erase_if(rows, [&](const Row& row) {
    const bool other = !options.network.empty() && row.network != options.network;
    return other || !row.container_id.starts_with(options.container);
  });
  return rows;
}

void Print(const std::string& text) {
  std::fputs(text.c_str(), stdout);
}

}  // namespace

int ShowFirewall(const Options& options) {
  const std::vector<Row> rows = ReadRows(options);
  Table table({"NETWORK", "CONTAINER", "IFNAME", "BACKEND", "RULE", "STATE"});
  json::Writer w(json::Style::kIndented);
  w.BeginArray();
  for (const Row& row : rows) {
    table.Add({row.network, row.container_id.substr(0, 12), row.ifname, row.backend, row.rule,
               row.state});
    w.BeginObject().Member("owner", row.owner).Member("network", row.network);
    w.Member("containerID", row.container_id).Member("ifname", row.ifname);
    w.Member("backend", row.backend).Member("rule", row.rule).Member("place", row.place);
    w.Member("state", row.state).EndObject();
  }
  w.EndArray();
  Print(options.json ? w.Take() + "\n" : table.ToString());
  const bool lost =
      std::any_of(rows.begin(), rows.end(), [](const Row& row) { return row.state == "missing"; });
  if (lost) std::fputs("cnmctl: rules are missing; cnmctl reload programs them anew\n", stderr);
  return lost ? 1 : 0;
}

int Reload(const Options& options) {
  const ReloadReport report = OpenController(options).Reload();
  if (options.json) {
    json::Writer w(json::Style::kIndented);
    w.BeginObject().Member("endpoints", static_cast<uint64_t>(report.endpoints));
    w.Key("backends").BeginArray();
    for (const std::string& backend : report.backends) w.String(backend);
    w.EndArray().Key("errors").BeginArray();
    for (const Error& e : report.errors) w.String(e.message());
    w.EndArray().EndObject();
    Print(w.Take() + "\n");
  } else {
    Print(fmt::format("programmed {} endpoints anew: {}\n", report.endpoints,
                      report.backends.empty()
                          ? "none has rules"
                          : fmt::format("{}", fmt::join(report.backends, ", "))));
    for (const Error& e : report.errors) {
      std::fputs(fmt::format("cnmctl: {}; {}\n", e.message(), e.details()).c_str(), stderr);
    }
  }
  return report.errors.empty() ? 0 : 1;
}

}  // namespace cnm::cli
