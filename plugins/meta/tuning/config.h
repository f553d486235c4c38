// config.h: the tuning plugin's configuration.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "common/json/object.h"
#include "common/netlink/link.h"
#include "plugins/meta/tuning/sysctl_name.h"

namespace cnm::tuning {

/// A sysctl and what it is to be.
struct Sysctl {
  std::string key;    ///< as written
  std::string where;  ///< "$.sysctl["net.core.somaxconn"]"
  SysctlName name;
  std::string value;  ///< not empty
};

struct Config {
  std::string data_dir = "/run/cni/tuning";  ///< of backups; absolute
  std::vector<Sysctl> sysctls;               ///< in the order they are set, each name once
  /// mac, mtu, promiscuous, all_multicast, tx_queue_length: those that were given. `promisc: false`
  /// and `mtu: 0` say "as it is", as in the reference.
  netlink::LinkChange link;

  bool ChangesLink() const { return link != netlink::LinkChange{}; }
  /// Nothing is asked for: podman's default network has such a tuning.
  bool empty() const { return sysctls.empty() && !ChangesLink(); }
};

/// Precedence, the last wins: the plugin's own keys, CNI_ARGS MAC, runtimeConfig.mac, args.cni.
/// @throws Error kDecode, kConfig with the JSON path; "duplicated sysctl keys are not allowed" also
/// for two spellings of one sysctl; what SysctlName::Parse throws
Config DecodeConfig(const json::Object& conf, std::string_view cni_args, std::string_view ifname);

/// Only `dataDir`, for a DEL, which must not depend on the rest.
std::string DecodeDataDir(const json::Object& conf);

}  // namespace cnm::tuning
