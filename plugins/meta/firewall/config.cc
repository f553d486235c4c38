// config.cc: the firewall plugin's configuration.
#include "plugins/meta/firewall/config.h"

#include <algorithm>
#include <array>
#include <string_view>
#include <utility>

#include <fmt/format.h>

#include "common/base/error.h"
#include "common/firewall/firewall.h"

namespace cnm::firewall_plugin {
namespace {

constexpr std::array<std::string_view, 4> kBackends = {"", "nftables", "iptables", "firewalld"};
constexpr size_t kLongestZone = 64;  // firewalld itself takes 17, and says so

IngressPolicy ParsePolicy(const std::string& text) {
  if (text.empty() || text == "open") return IngressPolicy::kOpen;
  if (text == "same-bridge") return IngressPolicy::kSameBridge;
  if (text == "isolated") return IngressPolicy::kIsolated;
  throw Error(Code::kConfig, fmt::format("unknown ingress policy: \"{}\"", text),
              "$.ingressPolicy: want open, same-bridge or isolated");
}

/// Zones are listed by line and word between us and the program that asks firewalld.
bool IsZoneName(std::string_view name) {
  return name.size() <= kLongestZone &&
         std::all_of(name.begin(), name.end(), [](char c) { return c > ' ' && c != '\x7f'; });
}

/// Reads a key that as "" means its default, as in the reference.
void ReadName(const json::Object& conf, std::string_view key, std::string& out) {
  std::string name;
  if (conf.Optional(key, name) && !name.empty()) out = std::move(name);
}

}  // namespace

Config DecodeConfig(const json::Object& conf) {
  Config config;
  conf.Optional("backend", config.backend);
  ReadName(conf, "iptablesAdminChainName", config.admin_chain);
  ReadName(conf, "firewalldZone", config.zone);
  conf.Optional("ingressPolicy", config.policy_text);

  config.policy = ParsePolicy(config.policy_text);
  if (!firewall::IsChainName(config.admin_chain)) {
    conf.Fail("iptablesAdminChainName", fmt::format("{:?} is no chain name", config.admin_chain));
  }
  if (!IsZoneName(config.zone)) {
    conf.Fail("firewalldZone", fmt::format("{:?} is no zone name", config.zone));
  }
  if (std::find(kBackends.begin(), kBackends.end(), config.backend) == kBackends.end()) {
    config.unknown_backend = std::exchange(config.backend, "");
  }
  return config;
}

}  // namespace cnm::firewall_plugin
