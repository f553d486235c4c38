// conntrack.cc: forgetting flows that a change of published ports made wrong.
#include "common/firewall/conntrack.h"

namespace cnm::firewall {

size_t FlushFlows(std::span<const PortMapping>) {
  return 0;
}

}  // namespace cnm::firewall
