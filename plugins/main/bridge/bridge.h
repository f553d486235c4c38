// bridge.h: the bridge plugin.
#pragma once

#include "plugins/cni/plugin.h"

namespace cnm::bridge {

/// Puts containers on a Linux bridge. Specification: reference BR-1 to BR-18.
extern const cni::Plugin kPlugin;

}  // namespace cnm::bridge
