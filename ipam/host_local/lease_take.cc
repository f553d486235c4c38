// lease_take.cc: one owner's allocation in a locked lease directory.
//
// The steps, and what a kill after each leaves: temporary file (debris, removed by the next call
// that looks), symlink (an intent without a file: the owner's next call removes it), address file
// (a lease like any other, which the owner's Release finds by the symlink), cursor, hints (until
// they are written the directory looks changed, so the next call reads it).
#include "ipam/host_local/lease_take.h"

#include <algorithm>

#include <fmt/format.h>

#include "common/base/error.h"
#include "ipam/host_local/lease_text.h"

namespace cnm::host_local {

Owner EachOwner(const Owner& owner, const net::Address& address) {
  return {owner.container_id, fmt::format("{}:{}", owner.ifname, address.ToString())};
}

LeaseTaker::LeaseTaker(LeaseFiles& files, LeaseIndex& index, const Owner& owner,
                       std::span<const Want> wants, Holding holding)
    : files_(files),
      index_(index),
      owner_(owner),
      wants_(wants),
      holding_(holding),
      hash_(index.Hash(owner)) {
  for (const Want& want : wants) shapes_.push_back(ShapeOf(*want.set));
  content_ = FormatOwner(owner);
  if (!ParseOwner(content_)) {
    throw Error(Code::kConfig, "container id and interface name cannot be written as a lease");
  }
}

std::optional<std::vector<net::Address>> LeaseTaker::Take() {
  const bool known = std::ranges::all_of(
      shapes_, [&](const SetShape& shape) { return index_.Find(shape) != nullptr; });
  if (!known || !index_.IsCurrent()) index_.Rescan(shapes_);
  undo_.Push("lease hints", [this] { index_.Save(); });  // first pushed, so undone last
  if (holding_ == Holding::kTogether) RefuseDuplicates();
  if (LinkBoot(owner_, "") == kAnyBoot) index_.NoteNameless();
  std::vector<net::Address> taken;
  for (current_ = 0; current_ < wants_.size(); ++current_) {
    try {
      const auto address = TakeOne(wants_[current_]);
      if (!address) return std::nullopt;
      taken.push_back(*address);
    } catch (Error& error) {
      throw error.AddContext(fmt::format("failed to allocate for range {}", current_));
    }
  }
  // Only now: a failed call does not move the round robin.
  for (size_t i = 0; i < taken.size(); ++i) {
    if (!wants_[i].requested || holding_ == Holding::kTogether) {
      index_.SetCursor(CursorIndex(i), taken[i]);
    }
  }
  undo_.Commit();
  index_.Save();
  return taken;
}

void LeaseTaker::RefuseDuplicates() {
  RefuseDuplicates(owner_);
  if (index_.has_nameless() && !owner_.ifname.empty()) {
    RefuseDuplicates({owner_.container_id, ""});
  }
}

void LeaseTaker::RefuseDuplicates(const Owner& owner) {
  for (const OwnedLink& link : index_.LinksOf(owner)) {
    if (!link.held) {  // what a killed call of this owner left
      files_.Remove(link.name);
      files_.Remove(kTemporaryName);
      continue;
    }
    link_names_.push_back(link.name);
    const net::Address& address = link.target.address;
    for (size_t i = 0; i < wants_.size(); ++i) {
      if (wants_[i].set->Find(address) == nullptr) continue;
      throw Error(Code::kExists,
                  fmt::format("failed to allocate for range {}: {} has been allocated to {}, "
                              "duplicate allocation is not allowed",
                              i, address.ToString(), owner_.container_id),
                  "DEL first: the container has this address since an earlier ADD");
    }
  }
}

std::optional<net::Address> LeaseTaker::TakeOne(const Want& want) {
  if (want.requested) return TakeRequested(want);
  return TakeAny();
}

net::Address LeaseTaker::TakeRequested(const Want& want) {
  const net::Address& address = *want.requested;
  if (owner_.container_id != kReservedId) {
    const auto is_gateway = [&](const Range& range) { return range.gateway == address; };
    if (std::ranges::any_of(want.set->ranges, is_gateway)) {
      throw Error(Code::kConfig,
                  fmt::format("requested ip {} is subnet's gateway", address.ToString()));
    }
    if (AnyContains(shapes_[current_].blocked, address)) {
      throw Error(Code::kConfig, fmt::format("requested ip {} is excluded", address.ToString()),
                  "the configuration's exclude list holds it");
    }
  }
  if (TryAddress(address)) return address;
  if (index_.rescanned()) FailTaken(want);
  index_.Rescan(shapes_);  // its holder may be of an earlier boot
  if (!TryAddress(address)) FailTaken(want);
  return address;
}

std::optional<net::Address> LeaseTaker::TakeAny() {
  const SetShape& shape = shapes_[current_];
  const Cursor& cursor = index_.CursorOf(CursorIndex(current_));
  const auto last = ParseAddressName(cursor.text);
  const auto last_ordinal = last ? OrdinalOf(shape.spans, *last) : std::nullopt;
  const uint32_t count = OrdinalCount(shape.spans);
  const uint32_t from = last_ordinal && *last_ordinal + 1 < count ? *last_ordinal + 1 : 0;
  for (;;) {
    const auto ordinal = index_.Find(shape)->bits.SetAny(from);
    if (!ordinal) {
      if (index_.rescanned()) return std::nullopt;
      index_.Rescan(shapes_);
      continue;
    }
    const net::Address address = AddressAt(shape.spans, *ordinal);
    if (AnyContains(shape.blocked, address)) continue;  // only wrong hints get here
    if (TryAddress(address)) return address;
    if (!index_.rescanned()) index_.Rescan(shapes_);
  }
}

/// @returns false when somebody has it
bool LeaseTaker::TryAddress(const net::Address& address) {
  if (holding_ == Holding::kEach) NameAfter(address);
  const std::string link = FreeLinkName();
  Rollback step;
  step.Push("temporary lease file", [this] { files_.Remove(kTemporaryName); });
  const FileState file = files_.WriteTemporary(content_);
  step.Push("lease symlink", [&] { files_.Remove(link); });
  const std::string boot(LinkBoot(owner_, index_.boot_id()));
  files_.MakeLink(link, FormatTarget({boot, file.inode, file.mtime_ns, address}));
  if (!files_.Publish(address.ToString())) return false;
  step.Commit();
  link_names_.push_back(link);
  index_.MarkTaken(address);
  Undo(address, link);
  return true;
}

/// Makes the owner of just this address the one to write, and removes what a killed call of it
/// left.
void LeaseTaker::NameAfter(const net::Address& address) {
  const Owner each = EachOwner(owner_, address);
  hash_ = index_.Hash(each);
  content_ = FormatOwner(each);
  link_names_.clear();
  for (const OwnedLink& link : index_.LinksOf(each)) {
    if (link.held) {
      link_names_.push_back(link.name);
    } else {
      files_.Remove(link.name);
    }
  }
}

uint32_t LeaseTaker::CursorIndex(size_t want) const {
  return wants_[want].cursor.value_or(static_cast<uint32_t>(want));
}

void LeaseTaker::Undo(const net::Address& address, const std::string& link) {
  undo_.Push(fmt::format("lease {}", address.ToString()), [this, address, link] {
    files_.Remove(address.ToString());
    files_.Remove(link);
    index_.MarkFree(address);
  });
}

void LeaseTaker::FailTaken(const Want& want) const {
  const std::string address = want.requested->ToString();
  const auto file = files_.Read(address);
  const auto holder = file ? ParseOwner(file->bytes) : std::nullopt;
  throw Error(Code::kInUse,
              fmt::format("requested IP address {} is not available in range set {}", address,
                          want.set->ToString()),
              holder ? fmt::format("held by container {} {}", holder->container_id, holder->ifname)
                     : "held by nobody known: its lease file does not say for whom");
}

/// A name of the owner's that no symlink has.
std::string LeaseTaker::FreeLinkName() {
  for (auto number = static_cast<uint32_t>(current_);; ++number) {
    std::string name = LinkName(hash_, number);
    if (std::ranges::find(link_names_, name) != link_names_.end()) continue;
    index_.GrowLinks(number + 1);
    return name;
  }
}

}  // namespace cnm::host_local
