// service.cc: dnet service publish, unpublish, ls, info, attach, detach.
#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "cnm/dnet/commands.h"
#include "cnm/dnet/tab_table.h"
#include "common/base/error.h"
#include "common/json/object.h"

namespace cnm::dnet {
namespace {

constexpr Usage kPublish{.name = "publish",
                         .arguments = "SERVICE[.NETWORK]",
                         .summary = "Publishes a service on a network and prints its id.",
                         .arity = {1, true}};
constexpr Usage kUnpublish{.name = "unpublish",
                           .arguments = "SERVICE[.NETWORK]",
                           .summary = "Removes a service.",
                           .arity = {1, true}};
constexpr Usage kList{.name = "ls",
                      .arguments = "",
                      .summary = "Lists the services, and what they are attached to.",
                      .arity = {0, true}};
constexpr Usage kInfo{.name = "info",
                      .arguments = "SERVICE[.NETWORK]",
                      .summary = "Shows a service.",
                      .arity = {1, false}};
constexpr Usage kAttach{.name = "attach",
                        .arguments = "CONTAINER SERVICE[.NETWORK]",
                        .summary = "Makes a container the backend of a service.",
                        .arity = {2, false}};
constexpr Usage kDetach{.name = "detach",
                        .arguments = "CONTAINER SERVICE[.NETWORK]",
                        .summary = "Takes a container from a service.",
                        .arity = {2, false}};

api::ServiceView Find(const Call& call, const std::string& text) {
  const auto [service, network] = SplitServiceName(text);
  return call.client.FindService(service, network);
}

/// A container by the name that Docker has for it, where the server is Docker; else its id.
std::string FindSandboxId(const Call& call, const std::string& container) {
  std::string id = container;
  try {
    const std::string body =
        call.client.Send("GET", fmt::format("/containers/{}/json", api::QueryValue(container)));
    json::Parse(body, "answer").Optional("Id", id);
  } catch (const Error&) {
    id = container;  // cnmd knows no containers: any failure means that this is the id
  }
  return call.client.FindSandboxId(id);
}

void Publish(const Call& call) {
  api::EndpointRequest request;
  bool helped = false;
  Flags flags;
  flags.List("-alias --alias", request.aliases, "another name of it, for the whole network");
  const Words arguments = ParseCommand(call, "service", kPublish, std::move(flags), helped);
  if (helped) return;
  const auto [service, network] = SplitServiceName(arguments[0]);
  request.name = service;
  *call.out = fmt::format("{}\n", call.client.Publish(request, network));
}

void Unpublish(const Call& call) {
  bool force = false;
  bool helped = false;
  Flags flags;
  flags.Bool("-f --force", force, "also if a container is attached");
  const Words arguments = ParseCommand(call, "service", kUnpublish, std::move(flags), helped);
  if (!helped) call.client.Unpublish(Find(call, arguments[0]), force);
}

void List(const Call& call) {
  bool quiet = false;
  bool whole = false;
  bool helped = false;
  std::string network;
  Flags flags;
  flags.Bool("-q --quiet", quiet, "ids only");
  flags.Bool("-no-trunc --no-trunc #-notrunc #--notrunc", whole, "do not shorten ids");
  flags.Text("-net --network", network, "only those of this network");
  ParseCommand(call, "service", kList, std::move(flags), helped);
  if (helped) return;
  TabTable table;
  if (!quiet) table.AddLine("SERVICE ID\tNAME\tNETWORK\tCONTAINER\tSANDBOX");
  for (const api::ServiceView& service : call.client.Services(network)) {
    const std::string id = ShownId(service.id, whole);
    if (quiet) {
      table.AddLine(id);
      continue;
    }
    const api::SandboxView backend = call.client.Backend(service.id);
    table.AddLine(fmt::format("{}\t{}\t{}\t{}\t{}", id, service.name, service.network,
                              ShownId(backend.container_id, whole), ShownId(backend.id, whole)));
  }
  *call.out = table.ToString();
}

void Info(const Call& call) {
  bool helped = false;
  const Words arguments = ParseCommand(call, "service", kInfo, {}, helped);
  if (helped) return;
  const api::ServiceView service = call.client.GetService(Find(call, arguments[0]).id);
  *call.out = fmt::format("Service Id: {}\n\tName: {}\n\tNetwork: {}\n", service.id, service.name,
                          service.network);
}

void Attach(const Call& call) {
  std::vector<std::string> aliases;
  bool helped = false;
  Flags flags;
  flags.List("-alias --alias", aliases, "the container's own name for a service, TARGET:ALIAS");
  const Words arguments = ParseCommand(call, "service", kAttach, std::move(flags), helped);
  if (helped) return;
  const std::string sandbox = FindSandboxId(call, arguments[0]);
  call.client.Attach(Find(call, arguments[1]).id, sandbox, aliases);
}

void Detach(const Call& call) {
  bool helped = false;
  const Words arguments = ParseCommand(call, "service", kDetach, {}, helped);
  if (helped) return;
  const std::string sandbox = FindSandboxId(call, arguments[0]);
  call.client.Detach(Find(call, arguments[1]).id, sandbox);
}

struct Command {
  std::string_view name;
  void (*run)(const Call&);
};
constexpr std::array kCommands = {Command{"publish", Publish}, Command{"unpublish", Unpublish},
                                  Command{"ls", List},         Command{"info", Info},
                                  Command{"attach", Attach},   Command{"detach", Detach}};

}  // namespace

void RunService(const Call& call) {
  constexpr std::string_view kHelp =
      "Usage: dnet service COMMAND [OPTIONS] [arg...]\n\nCommands:\n"
      "  publish      publish a service on a network\n"
      "  unpublish    remove a service\n"
      "  attach       make a container the backend of a service\n"
      "  detach       take a container from a service\n"
      "  ls           list the services\n"
      "  info         show a service\n\n"
      "Run 'dnet service COMMAND --help' for more about a command.\n";
  const std::string name = call.words.empty() ? "" : call.words.front();
  const auto* command = std::find_if(kCommands.begin(), kCommands.end(),
                                     [&](const Command& c) { return c.name == name; });
  if (command != kCommands.end()) return command->run(call);
  if (name == "--help" || name == "-h") {
    *call.out = kHelp;
    return;
  }
  throw Error(Code::kEnvironment,
              name.empty() ? fmt::format("docker: \"service\" requires a minimum of 1 argument."
                                         "\nSee '{} service --help'.\n\n{}",
                                         call.program, kHelp)
                           : fmt::format("{}\ninvalid command : {}", kHelp, name));
}

}  // namespace cnm::dnet
