// host_local.h: the host-local IPAM plugin.
#pragma once

#include "plugins/cni/plugin.h"

namespace cnm::host_local {

/// Addresses from ranges, leased in files on this host. Specification: reference HL-1 to HL-9.
extern const cni::Plugin kPlugin;

}  // namespace cnm::host_local
