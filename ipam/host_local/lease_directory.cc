// lease_directory.cc: the operations on a network's leases.
#include "ipam/host_local/lease_directory.h"

#include <algorithm>
#include <map>
#include <utility>

#include <fmt/format.h>

#include "common/base/error.h"
#include "ipam/host_local/lease_files.h"
#include "ipam/host_local/lease_index.h"
#include "ipam/host_local/lease_scan.h"
#include "ipam/host_local/lease_take.h"
#include "ipam/host_local/lease_text.h"

namespace cnm::host_local {
namespace {

using Access = LeaseIndex::Access;

/// All leases, read from the files.
std::vector<Lease> ReadAll(const LeaseFiles& files) {
  Scan scan = ScanDirectory(files, INT64_MIN);
  std::vector<Lease> leases;
  for (ScannedLease& lease : scan.leases) leases.push_back(ToLease(files, scan, lease));
  std::ranges::sort(leases, std::ranges::less(), &Lease::address);
  return leases;
}

/// "253 of 253 addresses are held, 41 by containers that are gone; most by: a (3), b (2); ..."
std::string ExplainExhausted(const RangeSet& set, const std::vector<Lease>& leases,
                             const std::function<Life(const Lease&)>& life) {
  size_t held = 0;
  size_t dead = 0;
  size_t unreadable = 0;
  std::map<std::string, size_t> holders;
  for (const Lease& lease : leases) {
    if (set.Find(lease.address) == nullptr) continue;
    ++held;
    if (lease.owner.container_id.empty()) {
      ++unreadable;
    } else {
      ++holders[lease.owner.container_id];
      if (life && life(lease) == Life::kDead) ++dead;
    }
  }
  std::string text = fmt::format("{} addresses are held", held);
  if (dead > 0) text += fmt::format(", {} by containers that are provably gone", dead);
  if (unreadable > 0)
    text += fmt::format(", {} by lease files that do not say for whom", unreadable);
  std::vector<std::pair<std::string, size_t>> top(holders.begin(), holders.end());
  std::ranges::stable_sort(top, std::ranges::greater(), [](const auto& h) { return h.second; });
  for (size_t i = 0; i < std::min<size_t>(top.size(), 3); ++i) {
    text += fmt::format("{}{} ({})", i == 0 ? "; most by " : ", ", top[i].first, top[i].second);
  }
  return text;
}

/// Gives up the leases behind true symlinks of exactly this owner, and removes the untrue ones.
void ReleaseLinked(const LeaseFiles& files, LeaseIndex& index, const Owner& owner,
                   std::vector<net::Address>& released) {
  for (const OwnedLink& link : index.LinksOf(owner)) {
    if (link.held && files.Remove(link.target.address.ToString())) {
      index.MarkFree(link.target.address);
      released.push_back(link.target.address);
    }
    files.Remove(link.name);
  }
}

/// The same among scanned leases: finds also those whose symlink could not be made, on a full disk.
void ReleaseScanned(const LeaseFiles& files, LeaseIndex& index, Scan& scan, const Owner& owner,
                    std::vector<net::Address>& released) {
  const std::string hash = index.Hash(owner);
  for (const ScannedLease& lease : scan.leases) {
    if (lease.owner_hash != hash || !files.Remove(lease.address.ToString())) continue;
    if (lease.link) files.Remove(scan.links[*lease.link].name);
    index.MarkFree(lease.address);
    released.push_back(lease.address);
  }
}

/// Whether the owner, or its container in a file without ifname, holds a lease. Changes nothing.
bool Holds(LeaseFiles& files, const LeasePlace& place, const Owner& owner) {
  const Owner nameless{owner.container_id, ""};
  LeaseIndex index(files, place, Access::kRead);
  if (index.SameTime()) {
    const auto holds = [&](const Owner& who) {
      return std::ranges::any_of(index.LinksOf(who), &OwnedLink::held);
    };
    if (holds(owner) || (index.has_nameless() && holds(nameless))) return true;
    if (index.SameCursors()) return false;
  }
  const std::string exact = FormatOwner(owner);
  return std::ranges::any_of(ReadAll(files), [&](const Lease& lease) {
    const std::string holder = FormatOwner(lease.owner);
    return holder == exact || holder == FormatOwner(nameless);
  });
}

/// A name for a symlink of this owner that none has.
std::string NewLinkName(LeaseIndex& index, const Owner& owner) {
  const std::vector<OwnedLink> links = index.LinksOf(owner);
  for (uint32_t number = 0;; ++number) {
    std::string name = LinkName(index.Hash(owner), number);
    if (std::ranges::find(links, name, &OwnedLink::name) != links.end()) continue;
    index.GrowLinks(number + 1);
    return name;
  }
}

}  // namespace

LeaseDirectory::LeaseDirectory(LeasePlace place) : place_(std::move(place)) {
  const std::string& name = place_.network;
  if (name.empty() || name == "." || name == ".." || name.find('/') != std::string::npos ||
      name.find('\0') != std::string::npos) {
    throw Error(Code::kConfig, fmt::format("invalid network name \"{}\"", name), "$.name");
  }
  path_ = fmt::format("{}/{}", place_.data_dir, name);
}

std::vector<Allocation> LeaseDirectory::Allocate(const Owner& owner, std::span<const Want> wants,
                                                 const std::function<Life(const Lease&)>& life) {
  std::vector<Lease> leases;
  size_t exhausted = 0;
  {
    LeaseFiles files = LeaseFiles::Create(path_);
    LeaseIndex index(files, place_, Access::kChange);
    LeaseTaker taker(files, index, owner, wants);
    if (const auto taken = taker.Take()) {
      std::vector<Allocation> allocations;
      for (size_t i = 0; i < taken->size(); ++i) {
        const Range* range = wants[i].set->Find((*taken)[i]);
        allocations.push_back({{(*taken)[i], range->subnet.length}, range->gateway});
      }
      return allocations;
    }
    exhausted = taker.exhausted();
    leases = ReadAll(files);
  }
  const RangeSet& set = *wants[exhausted].set;  // without the lock: life may take long
  Error error(Code::kExhausted,
              fmt::format("failed to allocate for range {}: no IP addresses available in range "
                          "set: {}",
                          exhausted, set.ToString()),
              ExplainExhausted(set, leases, life));
  throw error.AddDetail(
      fmt::format("`cnmctl gc --network {} --dry-run` shows what can be freed", place_.network));
}

std::vector<net::Address> LeaseDirectory::Release(const Owner& owner) {
  std::vector<net::Address> released;
  auto files = LeaseFiles::Open(path_);
  if (!files) return released;
  LeaseIndex index(*files, place_, Access::kChange);
  if (index.has_hints()) ReleaseLinked(*files, index, owner, released);
  if (released.empty()) {
    const Owner nameless{owner.container_id, ""};
    files->TryRemove(kTemporaryName);
    if (index.SameTime() && index.SameCursors()) {
      if (index.has_nameless()) ReleaseLinked(*files, index, nameless, released);
    } else {
      Scan scan = index.Rescan({});
      ReleaseScanned(*files, index, scan, owner, released);
      if (released.empty()) ReleaseScanned(*files, index, scan, nameless, released);
    }
  }
  index.Save();
  return released;
}

bool LeaseDirectory::Transfer(const net::Address& address, const Owner& from, const Owner& to) {
  const std::string content = FormatOwner(to);
  if (!ParseOwner(content)) {
    throw Error(Code::kConfig, "container id and interface name cannot be written as a lease");
  }
  auto files = LeaseFiles::Open(path_);
  if (!files) return false;
  const std::string name = address.ToString();
  const auto held = files->Read(name);
  if (!held || ParseOwner(held->bytes) != from) return false;
  LeaseIndex index(*files, place_, Access::kChange);
  const std::vector<OwnedLink> former = index.LinksOf(from);
  const std::string link = NewLinkName(index, to);  // reads the directory if it has to
  if (LinkBoot(to, "") == kAnyBoot) index.NoteNameless();
  // A kill leaves a symlink without its file, or behind it one that is no longer true: debris that
  // either owner's next call removes.
  const FileState file = files->WriteTemporary(content);
  const std::string boot(LinkBoot(to, index.boot_id()));
  files->MakeLink(link, FormatTarget({boot, file.inode, file.mtime_ns, address}));
  files->Replace(name);
  for (const OwnedLink& old : former) {
    if (old.target.address == address) files->Remove(old.name);
  }
  index.Save();
  return true;
}

void LeaseDirectory::CheckHeld(const Owner& owner) const {
  auto files = LeaseFiles::Open(path_);
  if (files && Holds(*files, place_, owner)) return;
  throw Error(
      Code::kNotFound,
      fmt::format("host-local: Failed to find address added by container {}", owner.container_id),
      fmt::format("no lease in {} is of this container and interface {}", path_, owner.ifname));
}

std::vector<uint32_t> LeaseDirectory::CountFree(std::span<const RangeSet> sets) const {
  auto files = LeaseFiles::Open(path_);
  std::optional<LeaseIndex> index;
  if (files) index.emplace(*files, place_, Access::kRead);
  const bool current = index && index->IsCurrent();
  std::optional<Scan> scan;
  std::vector<uint32_t> free;
  for (const RangeSet& set : sets) {
    const SetShape shape = ShapeOf(set);
    const SetHint* hint = current ? index->Find(shape) : nullptr;
    if (hint == nullptr && !scan) scan = index ? index->Peek() : Scan();
    free.push_back(hint != nullptr ? hint->bits.unselected() : MakeBits(shape, *scan).unselected());
  }
  return free;
}

std::vector<Lease> LeaseDirectory::List() const {
  const auto files = LeaseFiles::Open(path_);
  return files ? ReadAll(*files) : std::vector<Lease>();
}

std::vector<Lease> LeaseDirectory::Collect(const std::function<bool(const Lease&)>& is_garbage) {
  std::vector<Lease> garbage;
  for (Lease& lease : List()) {
    const std::string& id = lease.owner.container_id;
    if (!id.empty() && id != kReservedId && is_garbage(lease)) garbage.push_back(std::move(lease));
  }
  std::vector<Lease> released;
  auto files = LeaseFiles::Open(path_);
  if (!files || garbage.empty()) return released;
  LeaseIndex index(*files, place_, Access::kChange);
  for (Lease& lease : garbage) {
    const std::vector<OwnedLink> links = index.LinksOf(lease.owner);
    const std::string name = lease.address.ToString();
    const auto file = files->Read(name);
    const bool same = file && file->inode == lease.inode && file->mtime_ns == lease.since_ns &&
                      ParseOwner(file->bytes) == lease.owner;
    if (!same || !files->Remove(name)) continue;
    index.MarkFree(lease.address);
    for (const OwnedLink& link : links) {
      if (link.target.address == lease.address) files->Remove(link.name);
    }
    released.push_back(std::move(lease));
  }
  index.Save();
  return released;
}

}  // namespace cnm::host_local
