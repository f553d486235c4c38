// valid_attachments.h: which attachments a GC must keep.
#pragma once

#include <compare>
#include <optional>
#include <string>
#include <vector>

#include "common/json/object.h"

namespace cnm::cni {

/// One container's interface on the network of the call.
struct Attachment {
  std::string container_id;
  std::string ifname;
  // NOLINTNEXTLINE(modernize-use-nullptr): clang-tidy 14 mistakes the 0 of a rewritten <
  auto operator<=>(const Attachment&) const = default;
};

/// `cni.dev/valid-attachments`, or the misnamed `cni.dev/attachments` that early libcni sent alone.
/// nullopt when absent, which says nothing; an empty list says that nothing is valid. Sorted.
/// @throws Error kDecode, kConfig for an entry without containerID or ifname: a list in doubt must
/// not delete anything
std::optional<std::vector<Attachment>> DecodeValidAttachments(const json::Object& conf);

}  // namespace cnm::cni
