// portmap.h: the portmap plugin.
#pragma once

#include "plugins/cni/plugin.h"

namespace cnm::portmap {

extern const cni::Plugin kPlugin;

}  // namespace cnm::portmap
