// tuning.h: the tuning plugin.
#pragma once

#include "plugins/cni/plugin.h"

namespace cnm::tuning {

extern const cni::Plugin kPlugin;

}  // namespace cnm::tuning
