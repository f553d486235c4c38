// config.h: the firewall plugin's configuration.
#pragma once

#include <optional>
#include <string>

#include "common/json/object.h"

namespace cnm::firewall_plugin {

/// Who may send to the container.
enum class IngressPolicy {
  kOpen,
  kSameBridge,  ///< containers on other bridges with a policy may not
  kIsolated,    ///< nor may those on its own bridge
};

struct Config {
  std::string backend;  ///< "nftables", "iptables", "firewalld"; "" = all that would drop
  std::string admin_chain = "CNI-ADMIN";
  std::string zone = "trusted";
  IngressPolicy policy = IngressPolicy::kOpen;
  std::string policy_text;      ///< as it was given, for messages
  std::string unknown_backend;  ///< what was asked for instead, taken as ""; to be warned about
};

/// @throws Error kDecode; kConfig for an unknown policy, a name that is none of a chain or a zone
Config DecodeConfig(const json::Object& conf);

}  // namespace cnm::firewall_plugin
