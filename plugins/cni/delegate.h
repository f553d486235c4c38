// delegate.h: finding and calling other plugins.
//
// Theory of operation: a delegate is found in CNI_PATH as the specification says. When the file
// found is this very program (a hard link, or a copy with the same build id) its function is called
// here with a copy of the call, which saves a process start; otherwise it is executed with the same
// standard input and environment. Both ways give the same results and errors.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "plugins/cni/call.h"
#include "plugins/cni/environment.h"
#include "plugins/cni/plugin.h"
#include "plugins/cni/result.h"

namespace cnm::cni {

/// The first regular file DIR/type among the directories of `path` (separated by ':').
/// @throws Error kConfig "no plugin name provided", "invalid plugin name: x"; kEnvironment "no
/// paths provided"; kNotFound `failed to find plugin "x" in path [a b]`
std::string FindExecutable(std::string_view type, std::string_view path);

/// How this process calls other plugins.
class Delegates {
 public:
  Delegates(Registry registry, Environment environment)
      : registry_(registry), environment_(environment) {}

  /// Runs the plugin `type` of call.path with `call` (its verb says what).
  /// @returns its result for ADD, else nullopt
  /// @throws Error of FindExecutable; the plugin's own error unchanged; kIo and kTryAgain when it
  /// cannot be run or does not end
  std::optional<Result> Run(std::string_view type, const Call& call) const;

 private:
  std::optional<Result> Execute(const std::string& file, const Call& call) const;

  Registry registry_;
  Environment environment_;
};

}  // namespace cnm::cni
