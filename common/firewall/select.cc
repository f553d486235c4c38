// select.cc: which packet filter to use, and how to open it. The only file that knows all of them.
#include "common/firewall/select.h"

#include <linux/netlink.h>
#include <sys/socket.h>

#include <utility>

#include <fmt/format.h>

#include "common/base/error.h"
#include "common/base/fd.h"
#include "common/firewall/firewalld/firewalld.h"
#include "common/firewall/iptables/iptables.h"
#include "common/firewall/nftables/nftables.h"

namespace cnm::firewall {

std::string DefaultBackend() {
  return HasNftables() ? "nftables" : "iptables";
}

netlink::Channel* FilterProbe::Netfilter() {
  if (!channel_) {
    Fd fd(::socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_NETFILTER));
    if (!fd) return nullptr;
    channel_.emplace(std::move(fd));
  }
  return HasNftables(*channel_) ? &*channel_ : nullptr;
}

std::vector<std::string> FilterProbe::ForwardBackends() {
  netlink::Channel* const netfilter = Netfilter();
  std::vector<std::string> backends = {netfilter != nullptr ? "nftables" : "iptables"};
  if (netfilter != nullptr && IptablesMayDrop(*netfilter)) backends.emplace_back("iptables");
  if (FirewalldMayDrop(netfilter)) backends.emplace_back("firewalld");
  return backends;
}

std::vector<std::string> ForwardBackends() {
  return FilterProbe().ForwardBackends();
}

std::vector<std::string> PresentBackends() {
  std::vector<std::string> backends;
  if (HasNftables()) backends.emplace_back("nftables");
  if (HasIptablesTables()) backends.emplace_back("iptables");
  if (HasFirewalld()) backends.emplace_back("firewalld");
  return backends;
}

void RequireUsable(std::string_view backend) {
  if (backend == "nftables" && !HasNftables()) {
    throw Error(Code::kUnavailable, "backend nftables: the kernel has no nf_tables");
  }
  if (backend == "iptables") RequireIptables();
  if (backend == "firewalld") RequireFirewalld();
}

std::unique_ptr<Firewall> Open(std::string_view backend, Ledger ledger) {
  if (backend == "nftables") return MakeNftables(std::move(ledger));
  if (backend == "iptables") return MakeIptables(std::move(ledger));
  if (backend == "firewalld") return MakeFirewalld(std::move(ledger));
  throw Error(Code::kUnsupportedField, fmt::format("unrecognized backend \"{}\"", backend));
}

}  // namespace cnm::firewall
