// valid_attachments.cc: which attachments a GC must keep.
#include "plugins/cni/valid_attachments.h"

#include <algorithm>
#include <string_view>

namespace cnm::cni {

std::optional<std::vector<Attachment>> DecodeValidAttachments(const json::Object& conf) {
  constexpr std::string_view kKey = "cni.dev/valid-attachments";
  constexpr std::string_view kEarlyKey = "cni.dev/attachments";
  const std::string_view key = conf.Has(kKey) ? kKey : kEarlyKey;
  if (!conf.Has(key)) return std::nullopt;
  std::vector<Attachment> attachments;
  for (const json::Object& entry : conf.Objects(key)) {
    Attachment attachment;
    entry.Required("containerID", attachment.container_id);
    entry.Required("ifname", attachment.ifname);
    if (attachment.container_id.empty()) entry.Fail("containerID", "is empty");
    if (attachment.ifname.empty()) entry.Fail("ifname", "is empty");
    attachments.push_back(std::move(attachment));
  }
  std::sort(attachments.begin(), attachments.end());
  return attachments;
}

}  // namespace cnm::cni
