// firewall.h: the firewall plugin.
#pragma once

#include "plugins/cni/plugin.h"

namespace cnm::firewall_plugin {

extern const cni::Plugin kPlugin;

}  // namespace cnm::firewall_plugin
