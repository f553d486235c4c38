// network.cc: dnet network create, rm, ls, info.
#include <algorithm>
#include <charconv>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "cnm/dnet/commands.h"
#include "cnm/dnet/tab_table.h"
#include "common/base/error.h"

namespace cnm::dnet {
namespace {

constexpr Usage kCreate{.name = "create",
                        .arguments = "NETWORK-NAME",
                        .summary = "Creates a network and prints its id.",
                        .arity = {1, true}};
constexpr Usage kRemove{.name = "rm",
                        .arguments = "NETWORK",
                        .summary = "Deletes a network, named or by (the beginning of) its id.",
                        .arity = {1, true}};
constexpr Usage kList{
    .name = "ls", .arguments = "", .summary = "Lists the networks.", .arity = {0, true}};
constexpr Usage kInfo{.name = "info",
                      .arguments = "NETWORK",
                      .summary = "Shows a network and its services.",
                      .arity = {1, true}};

void Create(const Call& call) {
  api::NetworkRequest request;
  std::vector<std::string> options;
  Flags flags;
  flags.Text("-d --driver", request.driver, "driver that is to manage the network");
  flags.Text("-id --id", request.id, "id of the network");
  flags.List("-opt --opt", options, "options of the driver, KEY=VALUE,...");
  flags.Bool("-internal --internal", request.internal, "no way to the outside");
  flags.Bool("-ipv6 --ipv6", request.ipv6, "IPv6 as well");
  flags.List("-subnet --subnet", request.subnets, "subnet in CIDR notation");
  flags.Text("-ip-range --ip-range", request.ip_range, "give addresses from this part of it");
  bool helped = false;
  const Words arguments = ParseCommand(call, "network", kCreate, std::move(flags), helped);
  if (helped) return;
  request.name = arguments[0];
  request.driver_options = ParseOptions(options);
  *call.out = fmt::format("{}\n", call.client.CreateNetwork(request));
}

void Remove(const Call& call) {
  bool helped = false;
  const Words arguments = ParseCommand(call, "network", kRemove, {}, helped);
  if (!helped) call.client.DeleteNetwork(call.client.FindNetworkId(arguments[0]));
}

/// @throws Error kEnvironment "invalid value "x" for flag -n: want a number"
int ParseCount(const std::string& text) {
  int count = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), count);
  if (error == std::errc() && end == text.data() + text.size()) return count;
  throw Error(Code::kEnvironment,
              fmt::format("invalid value \"{}\" for flag -n: want a number", text));
}

/// The latest first. libnetwork's list says nothing about time, so each network is asked.
std::vector<api::NetworkView> LastOf(std::vector<api::NetworkView> networks, size_t count,
                                     const api::Client& client) {
  for (api::NetworkView& network : networks) {
    network.created = client.GetNetworkDetails(network.id).created;
  }
  std::stable_sort(networks.begin(), networks.end(),
                   [](const auto& a, const auto& b) { return a.created > b.created; });
  networks.resize(std::min(count, networks.size()));
  return networks;
}

void List(const Call& call) {
  bool quiet = false;
  bool whole = false;
  bool helped = false;
  Flags flags;
  flags.Bool("-q --quiet", quiet, "ids only");
  flags.Bool("-no-trunc --no-trunc #-notrunc #--notrunc", whole, "do not shorten ids");
  bool latest = false;
  std::string last = "-1";
  flags.Bool("-l --latest", latest, "only the one made last");
  flags.Text("-n", last, "only the N made last, the latest first");
  ParseCommand(call, "network", kList, std::move(flags), helped);
  if (helped) return;
  const int count = latest ? 1 : ParseCount(last);
  const std::vector<api::NetworkView> networks = call.client.Networks();
  TabTable table;
  if (!quiet) table.AddLine("NETWORK ID\tNAME\tTYPE");
  for (const api::NetworkView& network :
       count < 0 ? networks : LastOf(networks, static_cast<size_t>(count), call.client)) {
    const std::string id = ShownId(network.id, whole);
    table.AddLine(quiet ? id : fmt::format("{}\t{}\t{}\t", id, network.name, network.type));
  }
  *call.out = table.ToString();
}

void Info(const Call& call) {
  bool helped = false;
  const Words arguments = ParseCommand(call, "network", kInfo, {}, helped);
  if (helped) return;
  const api::NetworkView network = call.client.GetNetwork(call.client.FindNetworkId(arguments[0]));
  std::string text =
      fmt::format("Network Id: {}\nName: {}\nType: {}\n", network.id, network.name, network.type);
  for (const api::ServiceView& service : network.endpoints) {
    text += fmt::format("  Service Id: {}\n\tName: {}\n", service.id, service.name);
  }
  *call.out = std::move(text);
}

}  // namespace

void RunNetwork(const Call& call) {
  constexpr std::string_view kHelp =
      "Usage: dnet network COMMAND [OPTIONS] [arg...]\n\nCommands:\n"
      "  create    create a network\n"
      "  rm        delete a network\n"
      "  ls        list the networks\n"
      "  info      show a network and its services\n\n"
      "Run 'dnet network COMMAND --help' for more about a command.\n";
  const std::string command = call.words.empty() ? "" : call.words.front();
  if (command == "create") return Create(call);
  if (command == "rm") return Remove(call);
  if (command == "ls") return List(call);
  if (command == "info") return Info(call);
  if (command == "--help" || command == "-h") {
    *call.out = kHelp;
    return;
  }
  throw Error(Code::kEnvironment,
              command.empty() ? fmt::format("docker: \"network\" requires a minimum of 1 argument."
                                            "\nSee '{} network --help'.\n\n{}",
                                            call.program, kHelp)
                              : fmt::format("{}\ninvalid command : {}", kHelp, command));
}

}  // namespace cnm::dnet
