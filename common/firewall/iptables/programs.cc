// programs.cc: finding and running iptables' programs and our helper.
#include "common/firewall/iptables/programs.h"

#include <optional>
#include <utility>

#include <fmt/format.h>

#include "common/base/error.h"
#include "common/base/search_path.h"
#include "common/base/subprocess.h"
#include "common/firewall/companion.h"
#include "common/firewall/iptables/answer.h"

namespace cnm::firewall::iptables {
namespace {

constexpr std::string_view kHelper = "cnm-xtables";

/// argv[0] is the whole path: the programs only look at what is behind its last slash.
Command MakeCommand(const std::string& path) {
  return {.path = path, .arguments = {path}, .environment = {"PATH=" + ProgramPath()}};
}

}  // namespace

std::string GetProgram(const std::vector<std::string>& names) {
  for (const std::string& name : names) {
    if (std::optional<std::string> path = FindProgram(name)) return *std::move(path);
  }
  throw Error(Code::kUnavailable, fmt::format("find {}: no such program", names.front()),
              "sought in " + ProgramPath());
}

void RunRestore(const std::vector<std::string>& names, const std::vector<std::string>& options,
                std::string_view input) {
  Command command = MakeCommand(GetProgram(names));
  command.arguments.insert(command.arguments.end(), options.begin(), options.end());
  command.input = input;
  const int status = Run(command).exit_status;
  if (status == 0) return;
  throw Error(Code::kKernel, fmt::format("run {}: exit status {}", command.path, status),
              "what it says about it is on standard error");
}

void RequireHelper() {
  FindCompanion(kHelper);
}

std::string RunHelper(std::string_view command, std::string_view input,
                      const std::function<void()>& changed) {
  Command helper = MakeCommand(FindCompanion(kHelper));
  helper.arguments.emplace_back(command);
  helper.input = input;
  CommandResult result = Run(helper);
  if (result.exit_status == 0) return std::move(result.output);
  if (result.exit_status == kPartlyStatus && changed) changed();
  if (result.exit_status == kAnsweredStatus || result.exit_status == kPartlyStatus) {
    ThrowAnswer(result.output);
  }
  throw Error(Code::kKernel,
              fmt::format("run {} {}: exit status {}", helper.path, command, result.exit_status));
}

}  // namespace cnm::firewall::iptables
