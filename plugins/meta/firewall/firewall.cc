// firewall.cc: the firewall plugin.
#include "plugins/meta/firewall/firewall.h"

namespace cnm::firewall_plugin {

constexpr cni::Plugin kPlugin{.name = "firewall"};

}  // namespace cnm::firewall_plugin
