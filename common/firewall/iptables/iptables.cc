// iptables.cc: the packet filter backend that speaks iptables.
#include "common/firewall/iptables/iptables.h"

#include <utility>

#include "common/base/error.h"

namespace cnm::firewall {

std::unique_ptr<Firewall> MakeIptables(Ledger) {
  throw Error(Code::kUnsupportedField, "firewall backend iptables: not built");
}

bool IptablesMayDrop() {
  return false;
}

}  // namespace cnm::firewall
