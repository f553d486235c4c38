// discovery.cc: where a plugin listens.
#include "cnm/drivers/remote/discovery.h"

#include <sys/stat.h>

#include <utility>

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

/// What Docker's URLs mean: TLS is what https says, on port 443 if none is named; the path counts
/// for nothing. Without an authority Docker takes any server.
http::ServerAddress ParseUrl(std::string_view url, const std::string& path, http::TlsFiles tls) {
  constexpr std::string_view kSecure = "https://";
  try {
    if (!url.starts_with(kSecure)) return http::ParseServerAddress(url);
    const std::string_view rest = url.substr(kSecure.size());
    const std::string_view host = rest.substr(0, rest.find('/'));
    const size_t address_end = host.rfind(']');  // of an IPv6 address, which has colons
    const bool port = host.find(':', address_end == std::string_view::npos ? 0 : address_end) !=
                      std::string_view::npos;
    http::ServerAddress address =
        http::ParseServerAddress(fmt::format("tcp://{}{}", host, port ? "" : ":443"));
    if (tls.ca.empty()) tls.verify = false;
    address.tls = std::move(tls);
    return address;
  } catch (Error& error) {
    throw error.AddContext(fmt::format("plugin file {}", path));
  }
}

http::ServerAddress ParseJson(const std::string& text, const std::string& path) {
  const json::Object o = json::Parse(text, fmt::format("plugin file {}", path));
  std::string address;
  o.Required("Addr", address);
  http::TlsFiles files;
  if (const auto tls = o.OptionalObject("TLSConfig")) {
    bool insecure = false;
    tls->Optional("InsecureSkipVerify", insecure);
    tls->Optional("CAFile", files.ca);
    tls->Optional("CertFile", files.certificate);
    tls->Optional("KeyFile", files.key);
    files.verify = !insecure;
    if (files.certificate.empty() != files.key.empty()) {
      tls->Fail(files.key.empty() ? "KeyFile" : "CertFile",
                "is missing: a certificate needs its key");
    }
  }
  return ParseUrl(address, path, std::move(files));
}

/// What one directory says of the plugin.
std::optional<http::ServerAddress> FindIn(const std::string& directory, std::string_view name) {
  const std::string base = fmt::format("{}/{}", directory, name);
  for (const char* suffix : {".sock", ".spec"}) {
    const std::string path = fmt::format("{}{}", base, suffix);
    if (IsSocket(path)) return http::ServerAddress{.unix_path = path};
  }
  const std::string spec = fmt::format("{}.spec", base);
  if (const auto text = ReadFile(spec)) return ParseUrl(Trimmed(*text), spec, {});
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
