// host.h: which host, boot and host network namespace we are in.
#pragma once

#include <string>

#include "common/netns/netns.h"

namespace cnm {

/// Kernel objects exist in one network namespace of one boot; a record names both and is acted upon
/// only there.
struct HostIdentity {
  std::string boot_id;    ///< /proc/sys/kernel/random/boot_id
  netns::Identity netns;  ///< of the host side

  bool operator==(const HostIdentity&) const = default;
};

/// Of this boot and the host side `own`. @throws Error kIo
HostIdentity CurrentHost(const netns::NetNs& own);

/// Where state lives.
struct StatePaths {
  std::string runtime = "/run/cnm";  ///< until reboot: records, locks, the flight recorder
};

}  // namespace cnm
