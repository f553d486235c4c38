// plugin.cc: one Docker plugin.
#include "cnm/drivers/remote/plugin.h"

#include <algorithm>
#include <vector>

#include <fmt/format.h>

#include "common/base/error.h"

namespace cnm::remote {
namespace {

constexpr char kAccept[] = "application/vnd.docker.plugins.v1.2+json";
constexpr unsigned kOk = 200;
constexpr unsigned kNotFound = 404;

std::string_view Trimmed(std::string_view text) {
  const size_t last = text.find_last_not_of(" \t\r\n");
  return last == std::string_view::npos ? std::string_view() : text.substr(0, last + 1);
}

/// The text under `Err`, or of IPAM plugins `Error`; "" without either.
std::string ErrorOf(const json::Object& answer) {
  std::string text;
  if (!answer.Optional("Err", text) || text.empty()) answer.Optional("Error", text);
  return text;
}

/// Why a call failed that was not answered with 200: what the plugin says in JSON, or as it is.
std::string ReasonOf(const http::Response& response) {
  try {
    std::string text = ErrorOf(json::Parse(response.body, "answer"));
    if (!text.empty()) return text;
  } catch (const Error&) {  // plain text
  }
  const std::string_view text = Trimmed(response.body);
  return text.empty() ? fmt::format("status {}", response.status) : std::string(text);
}

}  // namespace

std::optional<Plugin> Plugin::Find(const std::string& name, std::string_view interface,
                                   const PluginSettings& settings) {
  auto address = FindPlugin(name, settings.directories);
  if (!address) return std::nullopt;
  Plugin plugin(name, *std::move(address), settings.limits);
  std::vector<std::string> implements;
  plugin.Call("Plugin.Activate", "").Optional("Implements", implements);
  if (std::ranges::find(implements, interface) == implements.end()) {
    throw Error(Code::kConfig,
                fmt::format("plugin {}: Plugin does not implement the requested driver", name),
                fmt::format("want {}", interface));
  }
  return plugin;
}

json::Object Plugin::Call(std::string_view method, const std::string& body) const {
  http::Request request{.method = "POST",
                        .target = fmt::format("/{}", method),
                        .headers = {{"Accept", kAccept}},
                        .body = body};
  const http::Response response = http::Call(address_, request, limits_);
  if (response.status == kNotFound) {
    throw Error(Code::kNotFound, fmt::format("{}: not implemented", method),
                fmt::format("by plugin {}", name_));
  }
  if (response.status != kOk) {
    throw Error(Code::kInternal, fmt::format("{}: {}", method, ReasonOf(response)),
                fmt::format("says plugin {}", name_));
  }
  const std::string_view text = Trimmed(response.body);
  const std::string what = fmt::format("answer of plugin {} to {}", name_, method);
  json::Object answer = json::Parse(text.empty() || text == "null" ? "{}" : text, what);
  const std::string error = ErrorOf(answer);
  if (!error.empty()) throw Error(Code::kInternal, fmt::format("remote: {}", error));
  return answer;
}

}  // namespace cnm::remote
