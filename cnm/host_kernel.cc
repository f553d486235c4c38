// host_kernel.cc: the host's side of the kernel edge, opened when first needed.
#include "cnm/host_kernel.h"

#include "common/firewall/select.h"

namespace cnm {

netlink::Socket& HostKernel::links() {
  if (!links_) links_ = netlink::Socket::Open();
  return *links_;
}

firewall::Firewall& HostKernel::firewall(std::string_view backend) {
  for (const auto& open : firewalls_) {
    if (open->name() == backend) return *open;
  }
  return *firewalls_.emplace_back(firewall::Open(backend, ledger_));
}

std::string HostKernel::DefaultBackend() {
  return firewall("nftables").IsPresent() ? "nftables" : "iptables";
}

}  // namespace cnm
