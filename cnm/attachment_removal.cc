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
  if (!link || !IsOwnedLink(*link, owner, AttachedLinkMac(owner))) return;
  kernel_.RemoveLink(link->ifindex);
}

void Controller::Forget(Endpoint& endpoint, std::string_view plugin) {
  std::erase_if(endpoint.attachments, [&](const Attachment& a) { return IsOf(a, plugin); });
}

/// A foreign record goes with its last attachment.
void Controller::WriteOrForget(const Endpoint& endpoint) {
  if (endpoint.foreign() && endpoint.attachments.empty()) {
    journal_.RemoveEndpoint(endpoint.owner);
  } else {
    journal_.Write(endpoint);
  }
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
  if (LeftAlone(endpoint)) return;
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
  teardown.ThrowIfFailed();
  Forget(endpoint, spec.plugin);
  TryJournal([&] { WriteOrForget(endpoint); });
}

/// What the reference names by container and network, or by address alone, may be a recorded
/// endpoint's by now: a sibling interface's, or the next holder's of the address.
/// Reads every record, so only where such a packet filter is in use.
firewall::Foreign Controller::ExceptRecorded(firewall::Foreign foreign, std::string_view owner,
                                             const std::vector<std::string>& backends) {
  const bool exact = std::all_of(backends.begin(), backends.end(),
                                 [](const std::string& b) { return b == "nftables"; });
  if (exact) return foreign;
  for (const Endpoint& other : RecordedHere()) {
    if (other.owner == owner) continue;
    if (other.key.network == foreign.network && other.key.container_id == foreign.container_id) {
      foreign.masquerade = false;
      foreign.publication = false;
    }
    for (const Attachment& attachment : other.attachments) {
      const std::vector<net::Address>& held = attachment.rules.forwarding.addresses;
      std::erase_if(foreign.forwarding, [&](const net::Address& address) {
        return std::find(held.begin(), held.end(), address) != held.end();
      });
    }
  }
  return foreign;
}

void Controller::RemoveAttachments(const RemovalSpec& spec) {
  const std::string owner = OwnerOf(spec.key.network, spec.key.container_id, spec.key.ifname);
  const std::optional<LockTable::Held> lock = LockForRemoval(spec.key, owner);
  std::optional<Endpoint> endpoint = FindForRemoval(owner);
  if (endpoint && HasAttachmentOf(*endpoint, spec.plugin))
    return RemovePlugin(*std::move(endpoint), spec);
  if (!spec.foreign) return;
  Teardown teardown;
  const std::vector<std::string> backends = firewall::PresentBackends();
  const firewall::Foreign foreign = ExceptRecorded(*spec.foreign, owner, backends);
  for (const std::string& backend : backends) {
    teardown.Try("rules", [&] { kernel_.firewall(backend).RemoveForeign(foreign); });
  }
  Mark("firewall");
  teardown.ThrowIfFailed();
}

}  // namespace cnm
