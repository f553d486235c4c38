// lease_scan.cc: reading a whole lease directory, and putting it in order.
#include "ipam/host_local/lease_scan.h"

#include <algorithm>
#include <ctime>
#include <set>
#include <string_view>

namespace cnm::host_local {
namespace {

/// When this kernel was started, ns since 1970 by today's reading of the clock.
int64_t BootTime() {
  const auto read = [](clockid_t clock) {
    timespec time{};
    ::clock_gettime(clock, &time);
    return int64_t{time.tv_sec} * 1'000'000'000 + time.tv_nsec;
  };
  return read(CLOCK_REALTIME) - read(CLOCK_BOOTTIME);
}

void ClassifyName(const LeaseFiles& files, const std::string& name, Scan& scan) {
  if (const auto address = ParseAddressName(name)) {
    ScannedLease& lease = scan.leases.emplace_back();
    lease.address = *address;
  } else if (const auto cursor = ParseCursorName(name)) {
    scan.cursors.push_back(*cursor);
  } else if (const auto parts = ParseLinkName(name)) {
    const auto target = ParseTarget(files.ReadLink(name).value_or(""));
    if (target) {
      scan.links.push_back({name, std::string(parts->owner_hash), parts->index, *target, false});
    } else {
      scan.debris.push_back(name);
    }
  } else if (name == kTemporaryName) {
    scan.debris.push_back(name);
  }
}

void ReadFileOf(const LeaseFiles& files, ScannedLease& lease) {
  if (lease.read) return;
  // Gone meanwhile (somebody's rm, which knows no lock) reads as empty.
  lease.file = files.Read(lease.address.ToString()).value_or(lease.file);
  lease.read = true;
}

/// Finds the symlink that tells of this very file.
void FindLink(Scan& scan, ScannedLease& lease) {
  const auto address_of = [](const ScannedLink& link) { return link.target.address; };
  auto link = std::ranges::lower_bound(scan.links, lease.address, std::ranges::less(), address_of);
  for (; link != scan.links.end() && link->target.address == lease.address; ++link) {
    if (link->target.inode == lease.file.inode && link->target.mtime_ns == lease.file.mtime_ns) {
      lease.link = static_cast<size_t>(link - scan.links.begin());
      lease.owner_hash = link->owner_hash;
      link->used = true;
      return;
    }
  }
}

void RemoveReclaimable(const LeaseFiles& files, const std::string& boot_id, Scan& scan) {
  std::erase_if(scan.leases, [&](ScannedLease& lease) {
    if (!IsReclaimable(files, scan, lease, boot_id)) return false;
    if (!files.TryRemove(lease.address.ToString())) return false;
    if (lease.link) scan.links[*lease.link].used = false;
    return true;
  });
}

/// Compares what was read with what the symlink says; a symlink of somebody else is dropped.
void CheckLink(const LeasePlace& place, Scan& scan, ScannedLease& lease) {
  const std::optional<Owner> owner = lease.read ? ParseOwner(lease.file.bytes) : std::nullopt;
  const bool any_boot = lease.link && scan.links[*lease.link].target.boot == kAnyBoot;
  if (any_boot || (owner && owner->ifname.empty())) scan.has_nameless = true;
  if (!owner || !lease.link) return;
  const std::string hash = place.hash(*owner);
  if (hash == lease.owner_hash) return;
  scan.links[*lease.link].used = false;
  lease.link.reset();
}

/// Gives a lease without symlink one, under the first free number.
void Adopt(const LeaseFiles& files, const LeasePlace& place, const std::string& boot_id, Scan& scan,
           ScannedLease& lease, std::set<std::string>& names) {
  const std::optional<Owner> owner = ParseOwner(lease.file.bytes);
  if (!owner) return;
  lease.owner_hash = place.hash(*owner);
  const LinkTarget target{std::string(LinkBoot(*owner, boot_id)), lease.file.inode,
                          lease.file.mtime_ns, lease.address};
  uint32_t index = 0;
  while (names.contains(LinkName(lease.owner_hash, index))) ++index;
  const std::string name = LinkName(lease.owner_hash, index);
  if (!files.TryMakeLink(name, FormatTarget(target))) {
    scan.complete = false;
    return;
  }
  names.insert(name);
  lease.link = scan.links.size();
  scan.links.push_back({name, lease.owner_hash, index, target, true});
}

}  // namespace

Scan ScanDirectory(const LeaseFiles& files, int64_t trusted_ns) {
  Scan scan;
  for (const std::string& name : files.Names()) ClassifyName(files, name, scan);
  std::ranges::sort(scan.links, std::ranges::less(),
                    [](const ScannedLink& link) { return link.target.address; });
  std::erase_if(scan.leases, [&](ScannedLease& lease) {
    auto state = files.Stat(lease.address.ToString());
    if (!state) return true;
    lease.file = std::move(*state);
    FindLink(scan, lease);
    if (!lease.link || lease.file.mtime_ns >= trusted_ns) ReadFileOf(files, lease);
    return false;
  });
  return scan;
}

bool IsReclaimable(const LeaseFiles& files, Scan& scan, ScannedLease& lease,
                   const std::string& boot_id) {
  if (!lease.file.regular) return false;
  if (lease.link) {
    const std::string& link_boot = scan.links[*lease.link].target.boot;
    if (link_boot != ShortBoot(boot_id) && link_boot != kAnyBoot) {
      ReadFileOf(files, lease);
      const std::optional<Owner> owner = ParseOwner(lease.file.bytes);
      return !owner || owner->container_id != kReservedId;
    }
  }
  return lease.read && lease.file.bytes.empty() && lease.file.mtime_ns < BootTime();
}

void Repair(const LeaseFiles& files, const LeasePlace& place, const std::string& boot_id,
            Scan& scan) {
  for (const std::string& name : scan.debris) files.TryRemove(name);
  RemoveReclaimable(files, boot_id, scan);
  for (ScannedLease& lease : scan.leases) CheckLink(place, scan, lease);
  std::set<std::string> names;
  for (const ScannedLink& link : scan.links) {
    if (link.used) {
      names.insert(link.name);
    } else {
      files.TryRemove(link.name);
    }
  }
  for (ScannedLease& lease : scan.leases) {
    if (!lease.link) Adopt(files, place, boot_id, scan, lease, names);
  }
  for (const ScannedLink& link : scan.links) {
    scan.link_indexes = std::max(scan.link_indexes, link.used ? link.index + 1 : 0);
  }
}

Lease ToLease(const LeaseFiles& files, const Scan& scan, ScannedLease& lease) {
  ReadFileOf(files, lease);
  Lease shown;
  shown.address = lease.address;
  shown.owner = ParseOwner(lease.file.bytes).value_or(Owner{});
  if (lease.link) shown.boot_id = scan.links[*lease.link].target.boot;
  shown.since_ns = lease.file.mtime_ns;
  shown.inode = lease.file.inode;
  return shown;
}

}  // namespace cnm::host_local
