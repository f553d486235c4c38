// null_ipam.h: the IPAM of networks without addresses.
#pragma once

#include <map>
#include <optional>
#include <string>

#include "cnm/engine/ipam_driver.h"

namespace cnm::pools {

/// One pool, 0.0.0.0/0, and no addresses (libnetwork ipams/null). The pool is any number of
/// networks'.
class NullIpam : public engine::IpamDriver {
 public:
  std::string name() const override { return "null"; }
  std::string LocalSpace() override { return "null"; }
  std::string GlobalSpace() override { return "null"; }
  /// @throws Error kConfig for another address space, any wish for a pool, and IPv6
  engine::Pool RequestPool(const engine::PoolSpec& spec) override;
  void ReleasePool(const std::string& pool_id) override;
  std::optional<net::Prefix> RequestAddress(
      const std::string& pool_id, const std::optional<net::Address>& address,
      const std::map<std::string, std::string>& options) override;
  void ReleaseAddress(const std::string& pool_id, const net::Address& address) override;
};

}  // namespace cnm::pools
