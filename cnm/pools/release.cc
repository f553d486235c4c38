// release.cc: pools given back: one use, one named request, and with the last what they held.
#include <filesystem>
#include <system_error>

#include <fmt/format.h>

#include "cnm/lease_source.h"
#include "cnm/pools/default_ipam.h"
#include "cnm/pools/lease_network.h"
#include "ipam/pool.h"

namespace cnm::pools {
namespace {

using host_local::LeaseDirectory;

bool IsReserved(const host_local::Lease& lease) {
  return lease.owner.container_id == host_local::kReservedId;
}

}  // namespace

void DefaultIpam::ReleasePool(const std::string& pool_id) {
  const ipam::PoolId id = ParsePoolId(pool_id);
  const std::scoped_lock lock(mutex_);
  books_.Change(id.space, [&](PoolBook& book) {
    RemoveUse(id, book);
    book.ForgetSurplus(id);
  });
}

void DefaultIpam::ReleaseRequest(const std::string& pool_id, const std::string& request) {
  const ipam::PoolId id = ParsePoolId(pool_id);
  const std::scoped_lock lock(mutex_);
  books_.Change(id.space, [&](PoolBook& book) {
    if (book.FindRequest(request) != pool_id) return;
    book.states.at(id.subnet).requests.erase(request);
    RemoveUse(id, book);
  });
}

bool DefaultIpam::HoldsRequest(const std::string& pool_id, const std::string& request) {
  const ipam::PoolId id = ParsePoolId(pool_id);
  const std::scoped_lock lock(mutex_);
  return books_.Read(id.space).FindRequest(request) == id.ToString();
}

void DefaultIpam::RemoveUse(const ipam::PoolId& id, PoolBook& book) {
  const std::string network = book.LeaseNetwork(id.space, id.subnet);
  if (!book.table.Remove(id)) return;
  // First the leases: those of a pool that nobody knows any more would never go.
  ClearLeases(network, book.states[id.subnet].network.empty(), id.subnet);
  book.states.erase(id.subnet);
}

/// `own`: the directory is this pool's alone, and goes too when nobody holds anything in it.
void DefaultIpam::ClearLeases(const std::string& network, bool own, const net::Prefix& subnet) {
  LeaseDirectory leases = OpenLeases(options_.leases_directory, network);
  bool held = false;
  for (const host_local::Lease& lease : leases.List()) {
    const bool ours = subnet.Contains(lease.address) && IsReserved(lease);
    if (!ours || !leases.ReleaseAddress(lease.address, lease.owner)) held = true;
  }
  std::error_code ignored;  // what is left holds nothing
  if (own && !held) {
    std::filesystem::remove_all(fmt::format("{}/{}", options_.leases_directory, network), ignored);
  }
}

}  // namespace cnm::pools
