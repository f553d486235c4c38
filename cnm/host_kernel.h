// host_kernel.h: the host's side of the kernel edge, opened when first needed.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/background.h"
#include "common/firewall/firewall.h"
#include "common/firewall/select.h"
#include "common/netlink/socket.h"

namespace cnm {

/// One netlink socket and the packet filters in use, all of the netns this process started in:
/// whatever must be undone after a plugin has entered the sandbox goes through the ones opened here
/// before.
class HostKernel {
 public:
  /// `background`: for the kernel's own waiting; nullptr where the process ends soon anyway.
  explicit HostKernel(firewall::Ledger ledger, std::shared_ptr<Background> background = nullptr)
      : ledger_(std::move(ledger)), background_(std::move(background)) {}
  HostKernel(const HostKernel&) = delete;
  HostKernel& operator=(const HostKernel&) = delete;
  ~HostKernel();

  netlink::Socket& links();
  /// Removes the link: when this returns it is in no namespace any more. The kernel answers such a
  /// request only after an RCU grace period or two (net/core/dev.c, netdev_run_todo), 10 to 30 ms
  /// later: that is the background's to wait for. @throws Error kKernel
  void RemoveLink(int ifindex);
  /// By name, each opened once. @throws Error kUnsupportedField for a backend we do not have
  firewall::Firewall& firewall(std::string_view backend);
  /// As firewall::DefaultBackend, asked through the socket that the rules then use.
  std::string DefaultBackend();
  /// As firewall::ForwardBackends.
  std::vector<std::string> ForwardBackends() { return probe_.ForwardBackends(); }

 private:
  firewall::Ledger ledger_;
  std::shared_ptr<Background> background_;
  std::optional<netlink::Socket> links_;
  std::vector<std::unique_ptr<firewall::Firewall>> firewalls_;
  firewall::FilterProbe probe_;
};

}  // namespace cnm
