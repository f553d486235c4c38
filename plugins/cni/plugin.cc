// plugin.cc: what a plugin is to the skeleton.
#include "plugins/cni/plugin.h"

#include <fmt/format.h>

#include "common/base/error.h"
#include "common/base/log.h"

namespace cnm::cni {
namespace {

void CheckGate(const Plugin& plugin, const Call& call) {
  if (call.verb != Verb::kDel) return CheckVersion(call.verb, call.version, plugin.versions);
  try {
    CheckVersion(call.verb, call.version, plugin.versions);
  } catch (const Error& e) {
    Warn(fmt::format("DEL goes on: {}; {}", e.message(), e.details()));
  }
}

void CallIfAny(void (*function)(const Call&), const Call& call) {
  if (function != nullptr) function(call);
}

}  // namespace

const Plugin* FindPlugin(Registry registry, std::string_view name) {
  for (const Plugin* plugin : registry) {
    if (plugin->name == name) return plugin;
  }
  return nullptr;
}

std::optional<Result> Dispatch(const Plugin& plugin, const Call& call) {
  if (call.verb != Verb::kUnknown) CheckGate(plugin, call);
  switch (call.verb) {
    case Verb::kAdd:
      return plugin.add(call);
    case Verb::kDel:
      CallIfAny(plugin.del, call);
      break;
    case Verb::kCheck:
      CallIfAny(plugin.check, call);
      break;
    case Verb::kGc:
      CallIfAny(plugin.gc, call);
      break;
    case Verb::kStatus:
      CallIfAny(plugin.status, call);
      break;
    case Verb::kVersion:
    case Verb::kUnknown:
      throw Error(Code::kInternal, fmt::format("dispatch {}: no such function", plugin.name));
  }
  return std::nullopt;
}

}  // namespace cnm::cni
