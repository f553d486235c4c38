// lease_index.h: what is known of a locked lease directory without reading it whole: hints and
// owners' symlinks.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "ipam/host_local/lease_directory.h"
#include "ipam/host_local/lease_files.h"
#include "ipam/host_local/lease_hints.h"
#include "ipam/host_local/lease_scan.h"
#include "ipam/host_local/lease_text.h"

namespace cnm::host_local {

SetShape ShapeOf(const RangeSet& set);
/// The set's bits: blocked and scanned addresses are set.
ipam::BitSequence MakeBits(const SetShape& shape, const Scan& scan);

/// A lease found by its owner's symlink.
struct OwnedLink {
  std::string name;
  LinkTarget target;
  bool held = false;  ///< the address file is there and the owner's
};

class LeaseIndex {
 public:
  /// Whether the call is going to change the directory; readers leave even the hints alone.
  enum class Access { kRead, kChange };

  LeaseIndex(LeaseFiles& files, const LeasePlace& place, Access access);

  const std::string& boot_id();
  /// Whether nothing but our own calls has changed the directory since the hints were written, as
  /// far as its mtime tells; a kernel with coarse clocks needs the cursors' word too.
  bool SameTime() const { return same_time_; }
  bool SameCursors();
  bool has_hints() const { return hints_.has_value(); }
  /// Whether the hints can be used: SameTime, SameCursors and this boot.
  bool IsCurrent() { return SameTime() && SameCursors() && hints_->boot_id == boot_id(); }

  /// Reads the directory and leaves it alone; what a Rescan would reclaim is not among the leases.
  Scan Peek();
  /// Reads the directory, puts it in order and makes new hints, with these shapes in front of those
  /// known.
  Scan Rescan(std::span<const SetShape> shapes);
  bool rescanned() const { return rescanned_; }

  /// The set's hint; nullptr if it is unknown. Invalid after Rescan.
  SetHint* Find(const SetShape& shape);
  /// What the set's cursor says now.
  const Cursor& CursorOf(uint32_t set);
  void SetCursor(uint32_t set, const net::Address& address);

  std::string Hash(const Owner& owner) const { return place_.hash(owner); }
  /// The symlinks of exactly this owner, and whether each is still true. Needs hints: rescans when
  /// there are none.
  std::vector<OwnedLink> LinksOf(const Owner& owner);
  bool has_nameless() const { return hints_ && hints_->has_nameless; }
  /// Makes LinksOf see symlinks numbered below `indexes`, before the first such is written.
  void GrowLinks(uint32_t indexes);
  /// Makes has_nameless true from now on.
  void NoteNameless() { hints_->has_nameless = true; }

  void MarkTaken(const net::Address& address) { Mark(address, true); }
  void MarkFree(const net::Address& address) { Mark(address, false); }

  /// Writes the hints, unless the directory had changed and was not read again: then they stay
  /// behind, and the next call reads it.
  void Save();

 private:
  void Mark(const net::Address& address, bool taken);

  LeaseFiles& files_;
  const LeasePlace& place_;
  std::string boot_id_;
  std::optional<LeaseHints> hints_;
  std::vector<Cursor> cursors_;  ///< as read by this call
  bool same_time_ = false;
  bool checked_cursors_ = false;
  bool same_cursors_ = false;
  bool rescanned_ = false;
  bool complete_ = true;
};

}  // namespace cnm::host_local
