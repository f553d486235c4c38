// lease_hints.h: what the last call knew of a lease directory, as bytes of `.cnm-hints`.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "ipam/bitseq.h"
#include "ipam/host_local/lease_files.h"
#include "ipam/host_local/range.h"

namespace cnm::host_local {

/// A range set reduced to what its bit sequence depends on; two sets of equal shape share one.
struct SetShape {
  std::vector<Span> spans;
  std::vector<Span> blocked;
  bool operator==(const SetShape&) const = default;
};

struct SetHint {
  SetShape shape;
  ipam::BitSequence bits;  ///< set: held, or never handed out
};

struct LeaseHints {
  std::string boot_id;        ///< of the call that wrote them
  int64_t modified_ns = 0;    ///< the directory's mtime when that call was done
  int64_t trusted_ns = 0;     ///< files older than this are as the symlinks say
  uint32_t link_indexes = 0;  ///< owners' symlinks end in numbers below this
  bool has_nameless = false;  ///< there are leases with a container id alone
  std::vector<SetHint> sets;  ///< the latest used first
  std::vector<Cursor> cursors;
};

std::string EncodeHints(const LeaseHints& hints);
/// nullopt for anything EncodeHints did not write, whole.
std::optional<LeaseHints> DecodeHints(std::string_view bytes);

}  // namespace cnm::host_local
