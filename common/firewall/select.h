// select.h: which packet filter to use, and how to open it.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/firewall/firewall.h"
#include "common/netlink/channel.h"

namespace cnm::firewall {

/// The backend for rules that any of them can hold: "nftables" where the kernel has it, else
/// "iptables". One request, no exec.
std::string DefaultBackend();

/// Asks what this host filters with, over one socket that stays open until it goes: closing one may
/// wait for an RCU grace period in the kernel, as long as somebody's removed rules do (nf_tables).
class FilterProbe {
 public:
  /// The backends in which forwarding must be accepted so that no other table drops it: "nftables"
  /// where the kernel has it; "iptables" too where its FORWARD chain drops or Docker's chains
  /// exist; "firewalld" where it runs. An accept in one table does not undo a drop in another.
  std::vector<std::string> ForwardBackends();
  bool IsOpen() const { return channel_.has_value(); }

 private:
  netlink::Channel* Netfilter();  ///< nullptr where the kernel has no nf_tables
  std::optional<netlink::Channel> channel_;
};

/// As FilterProbe's, in a process that ends soon.
std::vector<std::string> ForwardBackends();

/// The backends that may hold anything on this host, by the same questions.
std::vector<std::string> PresentBackends();

/// @throws Error kUnavailable when rules could not be added to this backend now, and why
void RequireUsable(std::string_view backend);

/// Opens a backend by name. @throws Error kUnsupportedField for an unknown name
std::unique_ptr<Firewall> Open(std::string_view backend, Ledger ledger);

}  // namespace cnm::firewall
