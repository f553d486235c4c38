// sysctl_name.cc: the name of a sysctl of the network namespace, however it was spelled.
#include "plugins/meta/tuning/sysctl_name.h"

#include <algorithm>
#include <cstdint>
#include <vector>

#include <fmt/format.h>

#include "common/base/error.h"

namespace cnm::tuning {
namespace {

constexpr std::string_view kPlaceholder = "IFNAME";

std::vector<std::string_view> Components(std::string_view path) {
  std::vector<std::string_view> components;
  for (;;) {
    const size_t slash = path.find('/');
    components.push_back(path.substr(0, slash));
    if (slash == path.npos) return components;
    path.remove_prefix(slash + 1);
  }
}

/// What may stand between two separators: "." and ".." would lead elsewhere, and no sysctl has
/// white space or control characters in its name.
bool IsComponent(std::string_view component) {
  return !component.empty() && component != "." && component != ".." &&
         std::none_of(component.begin(), component.end(), [](char c) {
           const auto byte = static_cast<uint8_t>(c);
           return byte <= ' ' || byte == 0x7f;
         });
}

[[noreturn]] void Refuse(std::string_view key) {
  throw Error(Code::kConfig, fmt::format("invalid net sysctl key: {:?}", key),
              "want a sysctl below net, like net.ipv4.conf.IFNAME.rp_filter");
}

}  // namespace

std::string SwapSeparators(std::string_view path) {
  std::string swapped(path);
  for (char& c : swapped) {
    if (c == '.' || c == '/') c = c == '.' ? '/' : '.';
  }
  return swapped;
}

SysctlName SysctlName::Parse(std::string_view key, std::string_view ifname) {
  if (ifname.find('/') != ifname.npos) {
    throw Error(Code::kEnvironment,
                fmt::format("Interface name ({}) contains an invalid character /", ifname));
  }
  const size_t separator = key.find_first_of("./");
  if (separator == key.npos) Refuse(key);
  const std::string slashed = key[separator] == '.' ? SwapSeparators(key) : std::string(key);
  std::vector<std::string_view> components = Components(slashed);
  std::replace(components.begin(), components.end(), kPlaceholder, ifname);
  const bool good = components.size() > 1 && components[0] == "net" &&
                    std::all_of(components.begin(), components.end(), IsComponent);
  if (!good) Refuse(key);
  return SysctlName(fmt::format("{}", fmt::join(components, "/")));
}

std::string SysctlName::Generalized(std::string_view ifname) const {
  std::vector<std::string_view> components = Components(path_);
  const bool of_interface = components.size() > 4 &&
                            (components[2] == "conf" || components[2] == "neigh") &&
                            components[3] == ifname && ifname != "all" && ifname != "default";
  if (of_interface) components[3] = kPlaceholder;
  return fmt::format("{}", fmt::join(components, "/"));
}

}  // namespace cnm::tuning
