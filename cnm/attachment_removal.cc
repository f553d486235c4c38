// attachment_removal.cc: taking away what plugins added to an endpoint.
#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "cnm/controller.h"
#include "cnm/id.h"
#include "cnm/owned_link.h"
#include "common/base/atomic_file.h"
#include "common/base/log.h"
#include "common/firewall/select.h"

namespace cnm {

void Controller::RemoveLinkOf(const std::string& owner, const std::string& name) {
  const std::optional<netlink::Link> link = kernel_.links().FindLink(name);
  if (!link || !IsOwnedLink(*link, owner)) return;
  kernel_.links().Execute(netlink::RemoveLink(link->ifindex));
}

void Controller::Forget(Endpoint& endpoint, std::string_view plugin) {
  std::erase_if(endpoint.attachments, [&](const Attachment& a) { return IsOf(a, plugin); });
}

/// Takes away rules, links and files of the plugin's attachments ("" = of all).
void Controller::Withdraw(Endpoint& endpoint, std::string_view plugin, Teardown& teardown) {
  for (Attachment& attachment : endpoint.attachments) {
    if (!IsOf(attachment, plugin)) continue;
    teardown.Try("rules", [&] { WithdrawRules(endpoint, attachment); });
    for (const std::string& link : attachment.links) {
      teardown.Try(attachment.plugin, [&] { RemoveLinkOf(endpoint.owner, link); });
    }
    for (const std::string& file : attachment.files) {
      teardown.Try(attachment.plugin, [&] { RemoveFile(file); });
    }
  }
}

void Controller::RemovePlugin(Endpoint endpoint, const RemovalSpec& spec) {
  if (endpoint.host.boot_id == host_.boot_id && endpoint.host.netns != host_.netns) {
    Warn(fmt::format("{} belongs to another host network namespace: left alone",
                     Describe(endpoint.key)));
    return;
  }
  Teardown teardown;
  if (endpoint.host == host_) {
    for (const Attachment& attachment : endpoint.attachments) {
      if (attachment.plugin != spec.plugin || !spec.restore) continue;
      teardown.TryUnwrapped([&] { spec.restore(attachment); });
      own_netns_.Enter();
    }
    Withdraw(endpoint, spec.plugin, teardown);
    Mark("firewall");
  }
  if (!teardown.ok()) teardown.ThrowIfFailed();
  Forget(endpoint, spec.plugin);
  TryJournal([&] {
    if (endpoint.foreign() && endpoint.attachments.empty()) {
      journal_.RemoveEndpoint(endpoint.owner);
    } else {
      journal_.Write(endpoint);
    }
  });
}

void Controller::RemoveAttachments(const RemovalSpec& spec) {
  const std::string owner = OwnerOf(spec.key.network, spec.key.container_id, spec.key.ifname);
  const std::optional<LockTable::Held> lock = LockForRemoval(spec.key, owner);
  std::optional<Endpoint> endpoint = FindForRemoval(owner);
  if (endpoint && HasAttachmentOf(*endpoint, spec.plugin))
    return RemovePlugin(*std::move(endpoint), spec);
  if (!spec.foreign) return;
  Teardown teardown;
  for (const std::string& backend : firewall::PresentBackends()) {
    teardown.Try("rules", [&] { kernel_.firewall(backend).RemoveForeign(*spec.foreign); });
  }
  Mark("firewall");
  teardown.ThrowIfFailed();
}

}  // namespace cnm
