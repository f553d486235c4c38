// lease_reserve.cc: leases one address at a time, as pools give and take them back.
#include <optional>
#include <utility>

#include <fmt/format.h>

#include "common/base/error.h"
#include "ipam/host_local/lease_directory.h"
#include "ipam/host_local/lease_files.h"
#include "ipam/host_local/lease_index.h"
#include "ipam/host_local/lease_take.h"
#include "ipam/host_local/lease_text.h"

namespace cnm::host_local {
namespace {

/// Whom the address file is of; nullopt when there is none, or it does not say.
std::optional<Owner> HolderOf(const LeaseFiles& files, const net::Address& address) {
  const auto file = files.Read(address.ToString());
  return file ? ParseOwner(file->bytes) : std::nullopt;
}

Allocation Allocated(const RangeSet& set, const net::Address& address) {
  const Range* range = set.Find(address);
  return {{address, range->subnet.length}, range->gateway};
}

}  // namespace

Allocation LeaseDirectory::Reserve(const std::string& purpose, const Want& want) {
  const Owner owner{kReservedId, purpose};
  LeaseFiles files = LeaseFiles::Create(path_);
  if (want.requested && HolderOf(files, *want.requested) == EachOwner(owner, *want.requested)) {
    return Allocated(*want.set, *want.requested);
  }
  LeaseIndex index(files, place_, LeaseIndex::Access::kChange);
  LeaseTaker taker(files, index, owner, {&want, 1}, Holding::kEach);
  if (const auto taken = taker.Take()) return Allocated(*want.set, taken->front());
  throw Error(Code::kExhausted,
              fmt::format("no IP addresses available in range set: {}", want.set->ToString()));
}

std::optional<Lease> LeaseDirectory::Find(const net::Address& address) const {
  const auto files = LeaseFiles::Open(path_);
  const auto file = files ? files->Read(address.ToString()) : std::nullopt;
  if (!file) return std::nullopt;
  Lease lease;
  lease.address = address;
  lease.owner = ParseOwner(file->bytes).value_or(Owner{});
  lease.since_ns = file->mtime_ns;
  lease.inode = file->inode;
  return lease;
}

bool LeaseDirectory::ReleaseAddress(const net::Address& address, const Owner& owner) {
  auto files = LeaseFiles::Open(path_);
  if (!files || HolderOf(*files, address) != owner) return false;
  LeaseIndex index(*files, place_, LeaseIndex::Access::kChange);
  const std::vector<OwnedLink> links = index.LinksOf(owner);
  const bool removed = files->Remove(address.ToString());
  index.MarkFree(address);
  for (const OwnedLink& link : links) {
    if (link.target.address == address) files->Remove(link.name);
  }
  index.Save();
  return removed;
}

}  // namespace cnm::host_local
