// host_kernel.h: the host's side of the kernel edge, opened when first needed.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/firewall/firewall.h"
#include "common/netlink/socket.h"

namespace cnm {

/// One netlink socket and the packet filters in use, all of the netns this process started in:
/// whatever must be undone after a plugin has entered the sandbox goes through the ones opened here
/// before.
class HostKernel {
 public:
  explicit HostKernel(firewall::Ledger ledger) : ledger_(std::move(ledger)) {}

  netlink::Socket& links();
  /// By name, each opened once. @throws Error kUnsupportedField for a backend we do not have
  firewall::Firewall& firewall(std::string_view backend);
  /// As firewall::DefaultBackend, asked through the socket that the rules then use.
  std::string DefaultBackend();

 private:
  firewall::Ledger ledger_;
  std::optional<netlink::Socket> links_;
  std::vector<std::unique_ptr<firewall::Firewall>> firewalls_;
};

}  // namespace cnm
