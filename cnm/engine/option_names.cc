// option_names.cc: finding names of options that are none.
#include "cnm/engine/option_names.h"

#include <algorithm>
#include <span>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "common/base/error.h"
#include "common/json/nearest_key.h"

namespace cnm::engine {
namespace {

constexpr std::string_view kOwnPrefix = "cnm.";
constexpr std::string_view kDockerPrefix = "com.docker.network.";

constexpr OptionNames kBridgeOptions[] = {
    kNetworkNames, kBridgeNames,  kMtuNames,       kMasqueradeNames, kIccNames,
    kBareNames,    kBindingNames, kIpv6Names,      kInternalNames,   kAddressNames,
    kFixedNames,   kGatewayNames, kFixedIpv6Names, kGatewayIpv6Names};
/// libnetwork's clients send them; they say nothing that is not so here anyway.
constexpr std::string_view kWithoutEffect[] = {
    "AllowNonDefaultBridge", "AddressIP",
    "AddressIPv6",           "EnableIPForwarding",
    "EnableIPTables",        "EnableUserlandProxy",
    kGenericLabel,           "com.docker.network.bridge.default_bridge"};
constexpr std::string_view kNetworkLabels[] = {kEnableIpv6Label, kInternalLabel};
constexpr std::string_view kIpamOptions[] = {kNetworkOption, kSerialLabel};

/// Names that are known, and whose they are.
struct Known {
  std::string what;  ///< "option of driver bridge"
  std::vector<std::string> names;
  bool strangers = true;  ///< names that are nobody's label are none either
};

std::vector<std::string> BridgeNames() {
  std::vector<std::string> names;
  names.reserve(2 * std::size(kBridgeOptions));
  for (const OptionNames& option : kBridgeOptions) {
    if (!option.label.empty()) names.emplace_back(option.label);
  }
  for (const OptionNames& option : kBridgeOptions) {
    if (!option.key.empty()) names.emplace_back(option.key);
  }
  return names;
}

template <class Names>
std::vector<std::string> Texts(const Names& names) {
  return {std::begin(names), std::end(names)};
}

bool Contains(std::span<const std::string_view> names, std::string_view name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

/// JSON keys match as Go matches them, so do names.
bool IsKnown(const std::vector<std::string>& names, std::string_view name) {
  const auto lower = [](unsigned char c) { return c >= 'A' && c <= 'Z' ? c + ('a' - 'A') : c; };
  return std::any_of(names.begin(), names.end(), [&](const std::string& known) {
    return std::equal(known.begin(), known.end(), name.begin(), name.end(),
                      [&](unsigned char a, unsigned char b) { return lower(a) == lower(b); });
  });
}

bool IsOurs(std::string_view name) {
  return name.starts_with(kOwnPrefix) || name.starts_with(kDockerPrefix);
}

void Check(const json::Object& options, const Known& known) {
  for (const auto& [name, value] : options.Members()) {
    if (IsKnown(known.names, name) || Contains(kWithoutEffect, name)) continue;
    const std::string nearest = json::NearestKey(name, known.names);
    const bool stranger = known.strangers && name.find('.') == std::string::npos;
    if (!IsOurs(name) && nearest.empty() && !stranger) continue;
    throw Error(Code::kConfig,
                fmt::format("{}: unknown {}{}", value.path(), known.what,
                            nearest.empty() ? "" : fmt::format(", did you mean {}?", nearest)),
                known.names.empty() ? "it has none"
                                    : fmt::format("known: {}", fmt::join(known.names, ", ")));
  }
}

}  // namespace

void CheckDriverOptions(const json::Object& options, std::string_view type) {
  const std::string what = fmt::format("option of driver {}", type);
  if (type == "bridge") return Check(options, {.what = what, .names = BridgeNames()});
  if (type == "host" || type == "null") Check(options, {.what = what, .names = {}});
}

void CheckOwnOptions(const json::Object& options) {
  const std::vector<std::string> names = {kNetworkOption};
  for (const auto& [name, value] : options.Members()) {
    if (IsKnown(names, name) || !name.starts_with(kOwnPrefix)) continue;
    throw Error(Code::kConfig, fmt::format("option {}: unknown, did you mean {}?", name, names[0]));
  }
}

void CheckNetworkLabels(const json::Object& labels) {
  Check(labels, {.what = "label", .names = Texts(kNetworkLabels), .strangers = false});
}

void CheckIpamOptions(const json::Object& options, std::string_view ipam) {
  if (!ipam.empty() && ipam != "default" && ipam != "null") return;
  Check(options, {.what = fmt::format("option of IPAM driver {}", ipam.empty() ? "default" : ipam),
                  .names = Texts(kIpamOptions)});
}

}  // namespace cnm::engine
