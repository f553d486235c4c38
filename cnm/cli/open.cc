// open.cc: the core as cnmctl opens it, and releasing addresses through the recorded IPAM plugin.
#include "cnm/cli/open.h"

#include <unistd.h>

#include <cerrno>
#include <optional>
#include <utility>

#include <fmt/format.h>

#include "cnm/drivers/bridge/driver.h"
#include "cnm/lease_source.h"
#include "common/base/error.h"
#include "common/base/search_path.h"
#include "common/base/subprocess.h"
#include "common/json/object.h"

namespace cnm::cli {
namespace {

constinit const bridge::BridgeDriver kBridge;

std::string GetPlugin(const std::string& type, std::string_view path) {
  if (std::optional<FoundFile> file = FindInPath(type, path)) return std::move(file->path);
  throw Error(Code::kNotFound, fmt::format("IPAM plugin {}: not found", type),
              "the record's CNI_PATH no longer holds it; put it back and run this again");
}

/// The journal is what the CNI door's delegate wrote: the call to repeat as a DEL.
void ReleaseAddresses(const std::string& journal) {
  if (LeaseSource::Wrote(journal)) return LeaseSource::FromJournal(journal).Free();
  const json::Object o = json::Parse(journal, "address source");
  std::string type, config, args, path, netns, container_id, ifname;  // NOLINT: seven of a kind
  o.Required("type", type);
  o.Required("config", config);
  o.Optional("args", args);
  o.Required("path", path);
  o.Optional("netns", netns);
  o.Required("containerId", container_id);
  o.Required("ifname", ifname);
  const std::string program = GetPlugin(type, path);
  cnm::Command command;
  command.path = program;
  command.arguments = {type};
  command.environment = {"CNI_COMMAND=DEL",    "CNI_CONTAINERID=" + container_id,
                         "CNI_NETNS=" + netns, "CNI_IFNAME=" + ifname,
                         "CNI_ARGS=" + args,   "CNI_PATH=" + path};
  command.input = config;
  const CommandResult result = Run(command);
  if (result.exit_status != 0) {
    throw Error(Code::kIo, fmt::format("{} DEL failed", program), result.output);
  }
}

}  // namespace

void RequireRecords(const Options& options) {
  if (::access(options.run_dir.c_str(), R_OK | X_OK) == 0 || errno != EACCES) return;
  throw Error(Code::kEnvironment, fmt::format("{}: permission denied", options.run_dir),
              "cnm's records are root's alone: use sudo");
}

Controller OpenController(const Options& options) {
  RequireRecords(options);
  ControllerOptions controller;
  controller.paths.runtime = options.run_dir;
  controller.door = "cnmctl";
  controller.holder = fmt::format("cnmctl pid {}", ::getpid());
  controller.drivers = {&kBridge};
  controller.release_addresses = ReleaseAddresses;
  return Controller(std::move(controller));
}

}  // namespace cnm::cli
