// endpoint.cc: looking into an endpoint's record.
#include "cnm/endpoint.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

namespace cnm {

std::string Describe(const EndpointKey& key) {
  if (key.ifname.empty()) {
    return fmt::format("endpoint {} on network {}", key.container_id, key.network);
  }
  return fmt::format("endpoint {} of container {} on network {}", key.ifname, key.container_id,
                     key.network);
}

Attachment& EnsureAttachment(Endpoint& endpoint, std::string_view plugin,
                             std::string_view backend) {
  const auto same = [&](const Attachment& a) { return a.plugin == plugin && a.backend == backend; };
  const auto found = std::find_if(endpoint.attachments.begin(), endpoint.attachments.end(), same);
  if (found != endpoint.attachments.end()) return *found;
  Attachment attachment{.plugin = std::string(plugin), .backend = std::string(backend)};
  NameRules(endpoint, attachment);
  return endpoint.attachments.emplace_back(std::move(attachment));
}

bool IsOf(const Attachment& attachment, std::string_view plugin) {
  return plugin.empty() || attachment.plugin == plugin;
}

bool HasAttachmentOf(const Endpoint& endpoint, std::string_view plugin) {
  return plugin.empty() || std::any_of(endpoint.attachments.begin(), endpoint.attachments.end(),
                                       [&](const Attachment& a) { return IsOf(a, plugin); });
}

bool HasLinksOrRules(const Endpoint& endpoint) {
  return !endpoint.attachments.empty() || (endpoint.host_link && !endpoint.host_link->peer.empty());
}

void NameRules(const Endpoint& endpoint, Attachment& attachment) {
  attachment.rules.owner = endpoint.owner;
  attachment.rules.network = endpoint.key.network;
  attachment.rules.container_id = endpoint.key.container_id;
}

}  // namespace cnm
