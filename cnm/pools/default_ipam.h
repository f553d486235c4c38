// default_ipam.h: the IPAM driver "default": pools of this host, addresses shared with CNI.
//
// Theory of operation: the pools of each address space are one durable document (pool_book.h),
// changed by compare-and-swap; so nothing has to be requested again after a restart of this daemon
// or of Docker (requires_replay is false). Addresses are leases in the pool's directory of
// host-local, which CNI's containers of that network use as well, so that one allocator serves
// every runtime. A pool that is requested with `cnm.network=NAME` is that network's: its directory
// is NAME's, and only requests with the same NAME share it. Any other pool has a directory of its
// own (lease_network.h) that goes with it.
//
// An identical request is one more use of the pool, as in libnetwork until 2018: so a request that
// is repeated after a crash succeeds, and that two networks may not have one subnet is for their
// driver to say, which names both. GlobalDefault is served from this host alone.
#pragma once

#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "cnm/engine/ipam_driver.h"
#include "cnm/pools/pool_book.h"
#include "cnm/pools/subnets_in_use.h"
#include "cnm/store/file_store.h"
#include "ipam/host_local/config.h"
#include "ipam/host_local/lease_directory.h"

namespace cnm::pools {

struct DefaultIpamOptions {
  std::string durable_directory = "/var/lib/cnm";              ///< pools/<space>.json in it
  std::string leases_directory = host_local::kDefaultDataDir;  ///< host-local's dataDir
  /// What predefined pools keep away from.
  std::function<std::vector<net::Prefix>()> subnets_in_use = [] { return SubnetsInUse(); };
};

/// Who uses a pool, as far as its users' own records tell.
struct PoolClaim {
  std::string address_space;
  net::Prefix pool;                  ///< the subnet, without a sub-pool
  uint32_t uses = 0;                 ///< networks on record that have requested it
  std::set<net::Address> addresses;  ///< of their endpoints, and auxiliary ones
  unsigned grace = 0;  ///< s: an address may be requested so long before it is on record
};

/// Errors, beside IpamDriver's: kConfig "invalid address space X", "sub-pool A is not in pool B",
/// "pool X is too small" (less than four addresses), "pool X overlaps 127.0.0.0/8, whose addresses
/// no container can have", "requested address A is out of range of X";
/// kOverlap "pool A overlaps with B in this address space"; kNotFound "could not find an available,
/// non-overlapping IPv4 address pool among the defaults to assign to the network", "pool X: no such
/// pool"; kExhausted "no available addresses on pool X"; kInUse "requested address A is in use on
/// pool X: held by ...".
class DefaultIpam : public engine::IpamDriver {
 public:
  explicit DefaultIpam(DefaultIpamOptions options = {});

  std::string name() const override { return "default"; }
  std::string LocalSpace() override;
  std::string GlobalSpace() override;

  engine::Pool RequestPool(const engine::PoolSpec& spec) override;
  /// With its last use a pool gives up its gateway and whatever else it holds in its own name; what
  /// containers hold stays theirs.
  void ReleasePool(const std::string& pool_id) override;
  /// As above. @throws nothing for a pool that is not there
  void ReleaseRequest(const std::string& pool_id, const std::string& request) override;
  bool HoldsRequest(const std::string& pool_id, const std::string& request) override;

  /// The gateway of a pool is requested with kRequestTypeLabel; without an address it is the one
  /// already requested, else the subnet's first, else any. Other addresses are given upward from
  /// the last one, wrapping, whatever kSerialLabel says: so does host-local.
  std::optional<net::Prefix> RequestAddress(
      const std::string& pool_id, const std::optional<net::Address>& address,
      const std::map<std::string, std::string>& options) override;
  /// What an endpoint or a container holds stays theirs; a gateway stays while the pool is used
  /// more than once.
  void ReleaseAddress(const std::string& pool_id, const net::Address& address) override;

  /// Releases what the pool holds for nobody: addresses that were requested and that none of its
  /// users has on record, because a process was killed in between. Nothing, if the pool has other
  /// users than the claim knows of. @returns how many
  size_t ReleaseUnclaimed(const PoolClaim& claim);

 private:
  struct View;  ///< a pool as it is recorded

  engine::Pool FindPool(const std::string& space, const std::string& request);
  ipam::PoolId Choose(const engine::PoolSpec& spec, const std::string& space,
                      const std::string& network, PoolBook& book);
  net::Prefix ChoosePredefined(const std::string& space, bool ipv6, const PoolBook& book);
  View Look(const std::string& pool_id);
  net::Prefix Reserve(const View& view, const std::string& purpose,
                      const std::optional<net::Address>& address);
  net::Prefix RequestGateway(const View& view, const std::optional<net::Address>& address);
  void RemoveUse(const ipam::PoolId& id, PoolBook& book);
  void ClearLeases(const std::string& network, bool own, const net::Prefix& subnet);

  DefaultIpamOptions options_;
  std::mutex mutex_;  ///< for all below; leases have a lock of their own
  FileStore store_;
  PoolBooks books_{store_};
  /// Where each space's next search starts, so that pools just released rest.
  std::map<std::string, uint32_t> next_predefined_;
};

}  // namespace cnm::pools
