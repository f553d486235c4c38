// call.h: one call of a plugin: everything the runtime gave it, validated.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "common/base/step_times.h"
#include "common/json/object.h"
#include "common/netns/netns.h"
#include "plugins/cni/environment.h"
#include "plugins/cni/result.h"
#include "plugins/cni/verb.h"

namespace cnm::cni {

class Delegates;

/// What a plugin function gets. A copy is cheap to use for a delegate: it shares the parsed
/// configuration.
struct Call {
  Verb verb = Verb::kUnknown;
  std::string container_id;  ///< CNI_CONTAINERID; "" for GC and STATUS
  /// CNI_NETNS as given; "" for GC, STATUS, perhaps for DEL, and for a DEL whose path has become
  /// our own netns
  std::string netns;
  std::string ifname;                       ///< CNI_IFNAME; "" for GC and STATUS
  std::string args;                         ///< CNI_ARGS, raw: see Args
  std::string path;                         ///< CNI_PATH
  bool netns_override = false;              ///< CNI_NETNS_OVERRIDE: our own netns is allowed
  const netns::NetNs* own_netns = nullptr;  ///< what we were started in; not for GC and STATUS
  std::string runtime;  ///< the executable that called us; "" if it cannot be read

  std::string config;  ///< stdin, byte for byte
  /// stdin parsed; absent only for a DEL whose body does not parse
  std::optional<json::Object> conf;
  std::string version;  ///< the configuration's cniVersion, "0.1.0" if it has none
  std::string network;  ///< the network's name; "" only for a DEL that does not give a usable one
  /// prevResult, for ADD, CHECK and DEL (there absent if it is broken)
  std::optional<Result> prev_result;

  StepTimes& steps;            ///< plugins mark their steps; the log shows them
  const Delegates& delegates;  ///< how other plugins are found and called
};

/// Fills in what CNI_* say for call.verb. Variables a verb does not need are taken but not judged.
/// @throws Error kEnvironment: the first invalid value, else all missing variables at once, in the
/// reference's words
void DecodeEnvironment(const Environment& environment, Call& call);

/// Parses call.config into conf, version, network and prev_result. A DEL only warns: cleaning up
/// must not depend on the body.
/// @throws Error kDecode "error unmarshall network config: ..."; kConfig "missing network name",
/// "invalid characters found in network name"; "could not parse prevResult: ..."
void DecodeConfig(Call& call);

/// Prints conf's warnings (duplicate keys, keys nobody asked for) on stderr. Silent for what every
/// plugin gets from libcni. For ADD and STATUS, after the plugin has decoded its own keys.
void WarnUnknownKeys(const Call& call);

/// The executable of the parent process; "" if it cannot be read.
std::string RuntimeExecutable();

}  // namespace cnm::cni
