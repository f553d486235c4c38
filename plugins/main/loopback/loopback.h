// loopback.h: the loopback plugin.
#pragma once

#include "plugins/cni/plugin.h"

namespace cnm::loopback {

/// Brings up lo in the container's netns. Specification: reference LO-1, LO-2.
extern const cni::Plugin kPlugin;

}  // namespace cnm::loopback
