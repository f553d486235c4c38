// portmap.cc: the portmap plugin.
#include "plugins/meta/portmap/portmap.h"

namespace cnm::portmap {

constexpr cni::Plugin kPlugin{.name = "portmap"};

}  // namespace cnm::portmap
