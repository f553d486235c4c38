// bandwidth.h: the bandwidth plugin.
#pragma once

#include "plugins/cni/plugin.h"

namespace cnm::bandwidth {

extern const cni::Plugin kPlugin;

}  // namespace cnm::bandwidth
