// allocator.h: what a whole host-local ADD does.
#pragma once

#include <functional>
#include <vector>

#include "ipam/host_local/config.h"
#include "ipam/host_local/lease_directory.h"
#include "ipam/host_local/resolv_conf.h"

namespace cnm::host_local {

struct AddResult {
  std::vector<Allocation> addresses;  ///< one for each range set, in their order
  std::vector<Route> routes;          ///< the configuration's
  ResolvConf dns;
};

/// Reads resolvConf, gives each range set the first requested address that lies in it, and
/// allocates.
/// @throws Error as ReadResolvConf and LeaseDirectory::Allocate; kConfig "failed to allocate all
/// requested IPs: a b"
AddResult Add(const Config& config, const Owner& owner, LeaseDirectory& directory,
              const std::function<Life(const Lease&)>& life = nullptr);

}  // namespace cnm::host_local
