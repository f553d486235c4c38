// discovery.cc: where a plugin listens.
#include "cnm/drivers/remote/discovery.h"

#include <sys/stat.h>

#include <fmt/format.h>

#include "common/base/atomic_file.h"
#include "common/base/error.h"
#include "common/json/object.h"

namespace cnm::remote {
namespace {

bool IsSocket(const std::string& path) {
  struct stat status {};
  return ::stat(path.c_str(), &status) == 0 && S_ISSOCK(status.st_mode);
}

std::string_view Trimmed(std::string_view text) {
  constexpr std::string_view kBlanks = " \t\r\n";
  const size_t first = text.find_first_not_of(kBlanks);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(kBlanks) - first + 1);
}

http::ServerAddress ParseUrl(std::string_view url, const std::string& path) {
  try {
    return http::ParseServerAddress(url);
  } catch (Error& error) {
    throw error.AddContext(fmt::format("plugin file {}", path));
  }
}

http::ServerAddress ParseJson(const std::string& text, const std::string& path) {
  const json::Object o = json::Parse(text, fmt::format("plugin file {}", path));
  std::string address;
  o.Required("Addr", address);
  if (const auto tls = o.OptionalObject("TLSConfig")) {
    bool insecure = false;
    tls->Optional("InsecureSkipVerify", insecure);
    std::string certificate;
    tls->Optional("CertFile", certificate);
    if (insecure || !certificate.empty() || address.starts_with("https://")) {
      throw Error(Code::kConfig, fmt::format("plugin file {}: TLS is not supported", path),
                  "let the plugin listen on a unix socket");
    }
  }
  return ParseUrl(address, path);
}

/// What one directory says of the plugin.
std::optional<http::ServerAddress> FindIn(const std::string& directory, std::string_view name) {
  const std::string base = fmt::format("{}/{}", directory, name);
  for (const char* suffix : {".sock", ".spec"}) {
    const std::string path = fmt::format("{}{}", base, suffix);
    if (IsSocket(path)) return http::ServerAddress{.unix_path = path};
  }
  const std::string spec = fmt::format("{}.spec", base);
  if (const auto text = ReadFile(spec)) return ParseUrl(Trimmed(*text), spec);
  const std::string json = fmt::format("{}.json", base);
  if (const auto text = ReadFile(json)) return ParseJson(*text, json);
  return std::nullopt;
}

}  // namespace

std::optional<http::ServerAddress> FindPlugin(std::string_view name,
                                              const PluginDirectories& directories) {
  constexpr size_t kLongestName = 200;
  if (name.empty() || name.size() > kLongestName || name[0] == '.' ||
      name.find('/') != std::string_view::npos || name.find('\0') != std::string_view::npos) {
    return std::nullopt;
  }
  for (const std::string& directory : directories.directories) {
    if (auto found = FindIn(directory, name)) return found;
    if (auto found = FindIn(fmt::format("{}/{}", directory, name), name)) return found;
  }
  return std::nullopt;
}

}  // namespace cnm::remote
