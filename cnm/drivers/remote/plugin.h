// plugin.h: one Docker plugin: JSON requests over HTTP, and what its failures mean.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "cnm/drivers/remote/discovery.h"
#include "common/http/client.h"
#include "common/json/object.h"

namespace cnm::remote {

/// How plugins are found and talked to.
struct PluginSettings {
  PluginDirectories directories = {};
  /// A plugin that is being restarted is waited for as Docker does.
  http::CallLimits limits = {.connect_retry = std::chrono::seconds(30)};
};

/// A plugin that answered. Calls may come from several threads.
class Plugin {
 public:
  /// Activates the plugin of that name: POST /Plugin.Activate.
  /// @returns nullopt when there is none
  /// @throws Error as FindPlugin and Call; kConfig "plugin X: Plugin does not implement the
  /// requested driver" when `interface` ("NetworkDriver") is not among what it implements
  static std::optional<Plugin> Find(const std::string& name, std::string_view interface,
                                    const PluginSettings& settings);

  /// POST /<method>, in one write, with Docker's Accept header. `body` is JSON, or "" for calls
  /// without arguments. An answer that is empty or null reads as {}.
  /// @throws Error kUnavailable when nothing answers; kDecode for what is no JSON object; kInternal
  /// "remote: X" for a non-empty `Err` or `Error` in an answer of status 200, "<method>: X" for
  /// another status; kNotFound "<method>: not implemented" for status 404
  json::Object Call(std::string_view method, const std::string& body) const;

  const std::string& name() const { return name_; }

 private:
  Plugin(std::string name, http::ServerAddress address, http::CallLimits limits)
      : name_(std::move(name)), address_(std::move(address)), limits_(limits) {}

  std::string name_;
  http::ServerAddress address_;
  http::CallLimits limits_;
};

}  // namespace cnm::remote
