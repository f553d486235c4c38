// host_kernel.h: the host's side of the kernel edge, opened when first needed.
#pragma once

#include <memory>
#include <optional>
#include <string_view>

#include "common/firewall/firewall.h"
#include "common/netlink/socket.h"

namespace cnm {

/// One netlink socket and one packet filter, both of the netns this process started in: whatever
/// must be undone after a plugin has entered the sandbox goes through the ones opened here before.
class HostKernel {
 public:
  explicit HostKernel(firewall::Ledger ledger) : ledger_(std::move(ledger)) {}

  netlink::Socket& links();
  /// @throws Error kUnsupportedField for a backend we do not have
  firewall::Firewall& firewall(std::string_view backend);

 private:
  firewall::Ledger ledger_;
  std::optional<netlink::Socket> links_;
  std::unique_ptr<firewall::Firewall> firewall_;
};

}  // namespace cnm
