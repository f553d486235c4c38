// host_kernel.cc: the host's side of the kernel edge, opened when first needed.
#include "cnm/host_kernel.h"

#include <fmt/format.h>

#include "common/base/error.h"
#include "common/firewall/nftables.h"

namespace cnm {

netlink::Socket& HostKernel::links() {
  if (!links_) links_ = netlink::Socket::Open();
  return *links_;
}

firewall::Firewall& HostKernel::firewall(std::string_view backend) {
  if (backend != "nftables") {
    throw Error(Code::kUnsupportedField,
                fmt::format("firewall backend {}: not supported", backend));
  }
  if (!firewall_) firewall_ = firewall::MakeNftables(ledger_);
  return *firewall_;
}

}  // namespace cnm
