// bandwidth.cc: the bandwidth plugin.
#include "plugins/meta/bandwidth/bandwidth.h"

namespace cnm::bandwidth {

constexpr cni::Plugin kPlugin{.name = "bandwidth"};

}  // namespace cnm::bandwidth
