// delegate.cc: finding and calling other plugins.
#include "plugins/cni/delegate.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "common/base/error.h"
#include "common/base/search_path.h"
#include "common/base/subprocess.h"
#include "common/json/object.h"
#include "plugins/cni/error.h"
#include "plugins/cni/own_program.h"

namespace cnm::cni {
namespace {

FoundFile Find(std::string_view type, std::string_view path) {
  if (type.empty()) throw Error(Code::kConfig, "no plugin name provided");
  if (type.find('/') != std::string_view::npos || type == "." || type == "..") {
    throw Error(Code::kConfig, fmt::format("invalid plugin name: {}", type));
  }
  if (path.empty()) throw Error(Code::kEnvironment, "no paths provided");
  if (std::optional<FoundFile> file = FindInPath(type, path)) return *std::move(file);
  std::string tried(path);
  std::replace(tried.begin(), tried.end(), ':', ' ');
  throw Error(Code::kNotFound, fmt::format("failed to find plugin {:?} in path [{}]", type, tried));
}

/// The variables of the call; they equal our own environment unless the call was made again from a
/// journal.
std::vector<std::string> Variables(const Call& call) {
  return {fmt::format("CNI_COMMAND={}", VerbName(call.verb)),
          fmt::format("CNI_CONTAINERID={}", call.container_id),
          fmt::format("CNI_NETNS={}", call.netns),
          fmt::format("CNI_IFNAME={}", call.ifname),
          fmt::format("CNI_ARGS={}", call.args),
          fmt::format("CNI_PATH={}", call.path)};
}

}  // namespace

std::string FindExecutable(std::string_view type, std::string_view path) {
  return Find(type, path).path;
}

std::optional<Result> Delegates::Run(std::string_view type, const Call& call) const {
  const FoundFile file = Find(type, call.path);
  const Plugin* own = FindPlugin(registry_, type);
  if (own != nullptr && IsOwnProgram(file.path, file.status)) return Dispatch(*own, call);
  return Execute(file.path, call);
}

std::optional<Result> Delegates::Execute(const std::string& file, const Call& call) const {
  const CommandResult done = cnm::Run({.path = file,
                                       .arguments = {file},
                                       .environment = environment_.With(Variables(call)),
                                       .input = call.config});
  if (done.exit_status != 0) throw DecodeError(done.output, done.exit_status);
  if (call.verb != Verb::kAdd) return std::nullopt;
  try {
    return DecodeResult(json::Parse(done.output, "result"), call.version);
  } catch (Error& e) {
    e.AddContext(file);
    throw;
  }
}

}  // namespace cnm::cni
