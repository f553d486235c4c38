// tuning.cc: the tuning plugin.
#include "plugins/meta/tuning/tuning.h"

namespace cnm::tuning {

constexpr cni::Plugin kPlugin{.name = "tuning"};

}  // namespace cnm::tuning
