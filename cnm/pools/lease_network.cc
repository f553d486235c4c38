// lease_network.cc: where the addresses of a pool are leased.
#include "cnm/pools/lease_network.h"

#include <algorithm>

#include <fmt/format.h>

#include "cnm/pools/pool_book.h"
#include "cnm/store/file_store.h"
#include "ipam/pool.h"

namespace cnm::pools {
host_local::Owner GatewayOwner(const net::Address& address) {
  return {host_local::kReservedId, fmt::format("{}:{}", kGatewayPurpose, address.ToString())};
}

std::string LeaseNetworkOf(std::string_view space, const net::Prefix& pool) {
  std::string subnet = pool.Subnet().ToString();
  std::ranges::replace(subnet, '/', '-');
  return fmt::format("{}-{}", space == ipam::kGlobalSpace ? "global" : "pool", subnet);
}

std::string FindLeaseNetwork(const std::string& durable_directory, const std::string& space,
                             const net::Prefix& pool) {
  FileStore store(durable_directory, Durability::kDurable);
  return PoolBooks(store).Read(space).LeaseNetwork(space, pool.Subnet());
}

}  // namespace cnm::pools
