// programs.cc: finding and running iptables' programs and our helper.
#include "common/firewall/iptables/programs.h"

#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <utility>

#include <fmt/format.h>

#include "common/base/error.h"
#include "common/base/subprocess.h"
#include "common/firewall/companion.h"
#include "common/firewall/iptables/answer.h"

namespace cnm::firewall::iptables {
namespace {

constexpr std::string_view kUsualPath = "/usr/sbin:/usr/bin:/sbin:/bin";
constexpr std::string_view kHelper = "cnm-xtables";

std::string SearchPath() {
  const char* const path = ::getenv("PATH");  // NOLINT(concurrency-mt-unsafe): nobody sets it
  if (path == nullptr || *path == '\0') return std::string(kUsualPath);
  return fmt::format("{}:{}", path, kUsualPath);
}

bool IsProgram(const std::string& path) {
  return ::access(path.c_str(), X_OK) == 0;
}

/// argv[0] is the whole path: the programs only look at what is behind its last slash.
Command MakeCommand(const std::string& path) {
  return {.path = path, .arguments = {path}, .environment = {"PATH=" + SearchPath()}};
}

}  // namespace

std::optional<std::string> FindProgram(std::string_view name) {
  const std::string path = SearchPath();
  for (size_t start = 0; start <= path.size();) {
    const size_t colon = std::min(path.find(':', start), path.size());
    const std::string candidate = fmt::format("{}/{}", path.substr(start, colon - start), name);
    if (candidate.front() == '/' && colon > start && IsProgram(candidate)) return candidate;
    start = colon + 1;
  }
  return {};
}

std::string GetProgram(const std::vector<std::string>& names) {
  for (const std::string& name : names) {
    if (std::optional<std::string> path = FindProgram(name)) return *std::move(path);
  }
  throw Error(Code::kUnavailable, fmt::format("find {}: no such program", names.front()),
              "sought in " + SearchPath());
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
