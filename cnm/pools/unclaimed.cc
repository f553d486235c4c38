// unclaimed.cc: addresses that were requested from a pool, and that nobody has.
#include <fmt/format.h>

#include "cnm/lease_source.h"
#include "cnm/pools/default_ipam.h"
#include "common/base/clock.h"
#include "common/base/error.h"
#include "common/base/log.h"
#include "ipam/pool.h"

namespace cnm::pools {

size_t DefaultIpam::ReleaseUnclaimed(const PoolClaim& claim) {
  const net::Prefix subnet = claim.pool.Subnet();
  std::string network;
  {
    const std::scoped_lock lock(mutex_);
    const PoolBook& book = books_.Read(claim.address_space);
    if (book.UsesOf(subnet) != claim.uses) return 0;
    network = book.LeaseNetwork(claim.address_space, subnet);
  }
  const int64_t latest = NowNs() - int64_t{claim.grace} * 1'000'000'000;
  size_t released = 0;
  host_local::LeaseDirectory leases = OpenLeases(options_.leases_directory, network);
  for (const host_local::Lease& lease : leases.List()) {
    const bool unclaimed = subnet.Contains(lease.address) && lease.since_ns <= latest &&
                           lease.owner == PoolOwner(lease.address) &&
                           !claim.addresses.contains(lease.address);
    if (!unclaimed || !leases.ReleaseAddress(lease.address, lease.owner)) continue;
    Warn(fmt::format("address {} of pool {} is nobody's: released", lease.address.ToString(),
                     subnet.ToString()));
    ++released;
  }
  return released;
}

}  // namespace cnm::pools
