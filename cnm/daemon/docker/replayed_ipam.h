// replayed_ipam.h: an IPAM driver for Docker, whose replays are no new requests.
//
// Theory of operation: when a Docker daemon starts it activates its plugins anew and requests every
// pool, gateway and live address of its networks again. To a driver that counts the uses of a pool
// each replay would be one more use, never to be released. So what Docker has is counted here,
// durably; an activation makes all of it unclaimed, and a request for an unclaimed pool claims it
// and counts nothing. An address that an endpoint of Docker's holds is given again; if another
// container asks for it, creating that one's endpoint fails and names the holder.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "cnm/engine/ipam_driver.h"
#include "cnm/store/file_store.h"

namespace cnm::docker {

/// Whether an endpoint of Docker's has this address.
using HeldByDocker = std::function<bool(const net::Address& address)>;

class ReplayedIpam : public engine::IpamDriver {
 public:
  /// The counts are `<durable_directory>/docker/pools.json`.
  ReplayedIpam(std::shared_ptr<engine::IpamDriver> driver, const std::string& durable_directory,
               HeldByDocker held);

  /// A Docker daemon has started.
  void Activated();

  std::string name() const override { return driver_->name(); }
  bool requires_mac() const override { return driver_->requires_mac(); }
  std::string LocalSpace() override { return driver_->LocalSpace(); }
  std::string GlobalSpace() override { return driver_->GlobalSpace(); }

  engine::Pool RequestPool(const engine::PoolSpec& spec) override;
  void ReleasePool(const std::string& pool_id) override;
  std::optional<net::Prefix> RequestAddress(
      const std::string& pool_id, const std::optional<net::Address>& address,
      const std::map<std::string, std::string>& options) override;
  void ReleaseAddress(const std::string& pool_id, const net::Address& address) override;

 private:
  using Counts = std::map<std::string, uint32_t>;  ///< by pool id

  Counts Read();
  void Write(const Counts& counts);
  bool Claim(const std::string& pool_id);

  std::shared_ptr<engine::IpamDriver> driver_;
  HeldByDocker held_;
  std::mutex mutex_;  ///< for all below
  FileStore store_;
  Counts unclaimed_;
};

}  // namespace cnm::docker
