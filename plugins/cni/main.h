// main.h: the life of one plugin process.
//
// Order (reference DP-1): environment, standard input, configuration, version gate, own-netns
// check, the plugin's function, one document on stdout, one line in the log. The check comes before
// the work, so that a refused ADD has changed nothing.
#pragma once

#include <string>
#include <string_view>

#include "plugins/cni/environment.h"
#include "plugins/cni/plugin.h"

namespace cnm::cni {

/// What the process was given by its surroundings.
struct World {
  Environment environment;
  Registry registry;  ///< the plugins that can be called in process
  int in = 0;
  int out = 1;
  int err = 2;                             ///< for the about line; warnings always go to stderr
  std::string log_directory = "/run/cnm";  ///< holds the ring file "log"; created (0700) if missing
  std::string_view program_version;        ///< ours, for the about line
};

/// Serves one call of `plugin`. Writes at most one JSON document to `out`.
/// @returns the exit code: 0 or 1
int Main(const Plugin& plugin, const World& world);

}  // namespace cnm::cni
