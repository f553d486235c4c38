// replayed_ipam.h: an IPAM driver for Docker, whose replays and repetitions are no new requests.
//
// Theory of operation: when a Docker daemon starts it activates its plugins anew and requests every
// pool, gateway and live address of its networks again. To a driver that counts the uses of a pool
// each replay would be one more use, never to be released. So what Docker has is counted here,
// durably (pool_ledger.h); an activation makes all of it unclaimed, and a request for an unclaimed
// pool claims it and counts nothing. Where we were away when Docker started it asks for nothing
// again, and a claim may be a new network's after all: that shows when the network is created, and
// is counted then. A request that a killed daemon of ours did not answer has a name, under which
// the driver gives the same pool again. An address that an endpoint of Docker's holds is given
// again; if another container asks for it, creating that one's endpoint fails and names the holder.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "cnm/daemon/docker/pool_ledger.h"
#include "cnm/engine/ipam_driver.h"
#include "cnm/store/file_store.h"

namespace cnm::docker {

struct ReplayedIpamOptions {
  std::string durable_directory;  ///< the ledger is `docker/pools.json` in it
  /// Whether an endpoint of Docker's has this address.
  std::function<bool(const net::Address& address)> held;
};

/// Thread safe.
class ReplayedIpam : public engine::IpamDriver {
 public:
  ReplayedIpam(std::shared_ptr<engine::IpamDriver> driver, ReplayedIpamOptions options);

  /// A Docker daemon has started.
  void Activated();
  /// Docker creates this network. @returns false when it did so before
  bool AddNetwork(const engine::NetworkConfig& network);
  /// It is deleted, or could not be created.
  void RemoveNetwork(const std::string& id);

  /// An operator says that Docker has forgotten the network: it is removed, and its pools released.
  void GiveUp(const std::string& id);
  /// The pools that are no network's of our driver: how often each is used. They are of networks of
  /// other drivers, or of one that is being created.
  std::map<std::string, uint32_t> Unattached();

  /// Whether the network's pools are ours.
  bool Has(const std::string& network_id);
  /// The networks that have ended, for Docker has released their pools, and were not deleted.
  std::vector<std::string> Ended();
  /// Releases what Docker has not received or has forgotten to release for so long.
  void ReleaseForgotten(unsigned seconds);

  std::string name() const override { return driver_->name(); }
  bool requires_mac() const override { return driver_->requires_mac(); }
  std::string LocalSpace() override { return driver_->LocalSpace(); }
  std::string GlobalSpace() override { return driver_->GlobalSpace(); }

  engine::Pool RequestPool(const engine::PoolSpec& spec) override;
  /// @throws Error kNotFound when Docker has no use of it
  void ReleasePool(const std::string& pool_id) override;
  std::optional<net::Prefix> RequestAddress(
      const std::string& pool_id, const std::optional<net::Address>& address,
      const std::map<std::string, std::string>& options) override;
  void ReleaseAddress(const std::string& pool_id, const net::Address& address) override;

 private:
  struct Claimed {
    engine::PoolSpec asked;
    int64_t since = 0;  ///< s since 1970
  };

  PoolLedger& Ledger();
  void Write();
  void Recover();
  bool Claim(const std::string& pool_id);
  engine::Pool Grant(const engine::PoolSpec& spec);
  void CountClaimed(const engine::NetworkConfig& network);
  std::string NameRequest(const std::string& asked);
  void Release(const std::string& pool_id, const std::string& wanted = {});
  void Abandon(const std::string& request);

  std::shared_ptr<engine::IpamDriver> driver_;
  ReplayedIpamOptions options_;
  std::mutex mutex_;  ///< for all below
  FileStore store_;
  std::optional<PoolLedger> ledger_;  ///< once it was read
  std::set<std::string> unanswered_;  ///< the grants that an earlier process of ours left open
  std::map<std::string, uint32_t> unclaimed_;
  /// By pool id: the last request that claimed it, unless it was granted anew since.
  std::map<std::string, Claimed> claimed_;
};

}  // namespace cnm::docker
