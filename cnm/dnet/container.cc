// container.cc: dnet container create, rm: sandboxes for scripts that have no container runtime.
#include <fmt/format.h>

#include "cnm/dnet/commands.h"
#include "common/base/error.h"

namespace cnm::dnet {
namespace {

constexpr Usage kCreate{.name = "create",
                        .arguments = "CONTAINER-ID",
                        .summary = "Makes a sandbox for a container and prints the sandbox's id.",
                        .arity = {1, false}};
constexpr Usage kRemove{.name = "rm",
                        .arguments = "CONTAINER-ID",
                        .summary = "Deletes the sandbox of a container.",
                        .arity = {1, false}};

void Create(const Call& call) {
  bool helped = false;
  const Words arguments = ParseCommand(call, "container", kCreate, {}, helped);
  if (helped) return;
  *call.out = fmt::format("{}\n", call.client.CreateSandbox({.container_id = arguments[0]}));
}

void Remove(const Call& call) {
  bool helped = false;
  const Words arguments = ParseCommand(call, "container", kRemove, {}, helped);
  if (helped) return;
  const std::string& container = arguments[0];
  for (const api::SandboxView& sandbox : call.client.Sandboxes()) {
    if (!sandbox.container_id.starts_with(container)) continue;
    call.client.DeleteSandbox(sandbox.id);
    return;
  }
  throw Error(Code::kNotFound, fmt::format("No sandbox for container {} found", container));
}

}  // namespace

void RunContainer(const Call& call) {
  const std::string command = call.words.empty() ? "" : call.words.front();
  if (command == "create") return Create(call);
  if (command == "rm") return Remove(call);
  *call.out =
      "Usage: dnet container COMMAND [arg...]\n\nCommands:\n"
      "  create    make a sandbox for a container\n"
      "  rm        delete the sandbox of a container\n\n"
      "Run 'dnet container COMMAND --help' for more about a command.\n";
}

}  // namespace cnm::dnet
