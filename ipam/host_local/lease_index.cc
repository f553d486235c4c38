// lease_index.cc: hints and owners' symlinks of a locked lease directory.
#include "ipam/host_local/lease_index.h"

#include <algorithm>
#include <utility>

#include "common/base/atomic_file.h"
#include "common/base/error.h"

namespace cnm::host_local {
namespace {

// Configurations of one name may differ in their ranges (runtimeConfig.ipRanges); more than these
// are forgotten.
constexpr size_t kMaxSets = 8;

std::string ReadBootId() {
  constexpr char kPath[] = "/proc/sys/kernel/random/boot_id";
  std::string id = ReadFile(kPath).value_or("");
  while (!id.empty() && id.back() == '\n') id.pop_back();
  if (id.empty()) throw Error(Code::kIo, std::string("read ") + kPath + ": empty");
  return id;
}

}  // namespace

SetShape ShapeOf(const RangeSet& set) {
  return {set.Spans(), set.Blocked()};
}

ipam::BitSequence MakeBits(const SetShape& shape, const Scan& scan) {
  ipam::BitSequence bits(OrdinalCount(shape.spans));
  for (const Span& span : shape.spans) {
    for (const Span& blocked : shape.blocked) {
      const auto first = OrdinalOf(shape.spans, std::max(span.first, blocked.first));
      const auto last = OrdinalOf(shape.spans, std::min(span.last, blocked.last));
      if (blocked.last < span.first || span.last < blocked.first || !first) continue;
      bits.SetRange(*first, last.value_or(bits.bits() - 1));
    }
  }
  for (const ScannedLease& lease : scan.leases) {
    if (const auto ordinal = OrdinalOf(shape.spans, lease.address)) bits.Set(*ordinal);
  }
  return bits;
}

LeaseIndex::LeaseIndex(LeaseFiles& files, const LeasePlace& place, Access access)
    : files_(files), place_(place), boot_id_(place.boot_id) {
  hints_ = DecodeHints(files.ReadHints(access == Access::kChange));
  same_time_ = hints_ && hints_->modified_ns == files.ModifiedAt();
}

const std::string& LeaseIndex::boot_id() {
  if (boot_id_.empty()) boot_id_ = ReadBootId();
  return boot_id_;
}

bool LeaseIndex::SameCursors() {
  if (checked_cursors_ || !hints_) return same_cursors_;
  checked_cursors_ = true;
  same_cursors_ = std::ranges::all_of(hints_->cursors, [&](const Cursor& noted) {
    return cursors_.emplace_back(files_.ReadCursor(noted.index)) == noted;
  });
  return same_cursors_;
}

Scan LeaseIndex::Peek() {
  Scan scan = ScanDirectory(files_, hints_ ? hints_->trusted_ns : INT64_MIN);
  std::erase_if(scan.leases,
                [&](ScannedLease& lease) { return IsReclaimable(files_, scan, lease, boot_id()); });
  return scan;
}

Scan LeaseIndex::Rescan(std::span<const SetShape> shapes) {
  Scan scan = ScanDirectory(files_, hints_ ? hints_->trusted_ns : INT64_MIN);
  Repair(files_, place_, boot_id(), scan);
  LeaseHints fresh;
  for (const SetShape& shape : shapes) fresh.sets.push_back({shape, MakeBits(shape, scan)});
  if (hints_) {
    for (const SetHint& known : hints_->sets) {
      if (fresh.sets.size() == kMaxSets) break;
      if (std::ranges::find(shapes, known.shape) != shapes.end()) continue;
      fresh.sets.push_back({known.shape, MakeBits(known.shape, scan)});
    }
  }
  fresh.link_indexes = scan.link_indexes;
  fresh.has_nameless = scan.has_nameless;
  for (const uint32_t index : scan.cursors) fresh.cursors.push_back(files_.ReadCursor(index));
  cursors_ = fresh.cursors;
  hints_ = std::move(fresh);
  checked_cursors_ = same_cursors_ = rescanned_ = true;
  complete_ = scan.complete;
  return scan;
}

SetHint* LeaseIndex::Find(const SetShape& shape) {
  if (!hints_) return nullptr;
  const auto found = std::ranges::find(hints_->sets, shape, &SetHint::shape);
  return found == hints_->sets.end() ? nullptr : &*found;
}

const Cursor& LeaseIndex::CursorOf(uint32_t set) {
  const auto found = std::ranges::find(cursors_, set, &Cursor::index);
  return found != cursors_.end() ? *found : cursors_.emplace_back(files_.ReadCursor(set));
}

void LeaseIndex::SetCursor(uint32_t set, const net::Address& address) {
  const Cursor cursor = files_.WriteCursor(set, address.ToString());
  const auto found = std::ranges::find(hints_->cursors, set, &Cursor::index);
  if (found != hints_->cursors.end()) {
    *found = cursor;
  } else {
    hints_->cursors.push_back(cursor);
  }
}

std::vector<OwnedLink> LeaseIndex::LinksOf(const Owner& owner) {
  if (!hints_) Rescan({});
  const std::string hash = place_.hash(owner);
  std::vector<OwnedLink> links;
  for (uint32_t index = 0; index < hints_->link_indexes; ++index) {
    OwnedLink link{LinkName(hash, index), {}, false};
    const auto text = files_.ReadLink(link.name);
    if (!text) continue;
    if (auto target = ParseTarget(*text)) {
      link.target = *std::move(target);
      const auto file = files_.Read(link.target.address.ToString());
      const auto holder = file ? ParseOwner(file->bytes) : std::nullopt;
      // A file that lost its content in a power failure is known by what the symlink says of it.
      link.held = holder ? FormatOwner(*holder) == FormatOwner(owner)
                         : file && file->inode == link.target.inode &&
                               file->mtime_ns == link.target.mtime_ns;
    }
    links.push_back(std::move(link));
  }
  return links;
}

void LeaseIndex::GrowLinks(uint32_t indexes) {
  if (hints_->link_indexes >= indexes) return;
  hints_->link_indexes = indexes;
  files_.WriteHints(
      std::string_view("\0", 1));  // void until Save: whoever comes after a crash must look
}

void LeaseIndex::Mark(const net::Address& address, bool taken) {
  for (SetHint& set : hints_->sets) {
    const auto ordinal = OrdinalOf(set.shape.spans, address);
    if (!ordinal) continue;
    if (taken) {
      set.bits.Set(*ordinal);
    } else if (!AnyContains(set.shape.blocked, address)) {
      set.bits.Unset(*ordinal);
    }
  }
}

void LeaseIndex::Save() {
  if (!hints_ || !complete_ || (!rescanned_ && !same_time_)) return;
  if (rescanned_) hints_->boot_id = boot_id();
  hints_->modified_ns = files_.StampModified();
  if (same_cursors_) hints_->trusted_ns = hints_->modified_ns;
  files_.WriteHints(EncodeHints(*hints_));
}

}  // namespace cnm::host_local
