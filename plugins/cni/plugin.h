// plugin.h: what a plugin is to the skeleton.
#pragma once

#include <span>
#include <string_view>

#include "plugins/cni/call.h"
#include "plugins/cni/result.h"
#include "plugins/cni/version.h"

namespace cnm::cni {

/// The functions behind the verbs. A verb without function succeeds and does nothing. Functions
/// throw Error and print nothing on stdout.
struct Plugin {
  std::string_view name;                  ///< the program's name, "bridge"
  std::string_view reference = "v1.9.1";  ///< whose behaviour we cover: clients parse it (nerdctl)
  std::span<const std::string_view> versions = kVersions;
  Result (*add)(const Call&) = nullptr;
  void (*del)(const Call&) = nullptr;  ///< also undoes an ADD whose result could not be printed
  void (*check)(const Call&) = nullptr;
  void (*gc)(const Call&) = nullptr;
  void (*status)(const Call&) = nullptr;
};

/// The plugins of this program.
using Registry = std::span<const Plugin* const>;

/// nullptr if there is none of that name.
const Plugin* FindPlugin(Registry registry, std::string_view name);

/// Checks the version gate and calls the function of call.verb. A DEL of a version the plugin does
/// not speak is served with a warning.
/// @returns the result of ADD, else nullopt
std::optional<Result> Dispatch(const Plugin& plugin, const Call& call);

}  // namespace cnm::cni
