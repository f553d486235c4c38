// tuning.h: the tuning plugin.
#pragma once

#include "plugins/cni/plugin.h"

namespace cnm::tuning {

/// Changes the link that a plugin before it made, and sysctls of its network namespace.
/// Specification: reference TU-1 to TU-7.
extern const cni::Plugin kPlugin;

}  // namespace cnm::tuning
