// bandwidth.h: the bandwidth plugin.
#pragma once

#include "plugins/cni/plugin.h"

namespace cnm::bandwidth {

/// Limits what a container sends and receives. Specification: reference BW-1 to BW-7; with subnets,
/// next to other traffic control, and for several interfaces of a container.
extern const cni::Plugin kPlugin;

}  // namespace cnm::bandwidth
