// attachments.cc: what plugins add to an endpoint. Taking it away is in attachment_removal.cc.
#include <algorithm>
#include <iterator>
#include <utility>

#include <fmt/format.h>

#include "cnm/controller.h"
#include "cnm/id.h"
#include "common/base/atomic_file.h"
#include "common/base/digest.h"
#include "common/base/error.h"
#include "common/base/log.h"
#include "common/firewall/conntrack.h"
#include "common/firewall/select.h"
#include "common/netns/sysctl.h"

namespace cnm {
namespace {

bool Contains(const std::vector<std::string>& list, const std::string& word) {
  return std::find(list.begin(), list.end(), word) != list.end();
}

/// Best effort: a kernel without connection tracking over netlink has the port published all the
/// same.
void ForgetFlows(const firewall::Publication& publication) {
  try {
    firewall::FlushFlows(publication.mappings);
  } catch (const Error& e) {
    Warn(fmt::format("stale flows stay: {}", e.message()));
  }
}

uint64_t BridgeLockKey(std::string_view bridge) {
  return LockKey(Sha512Hex(fmt::format("isolation of {}", bridge), 16));
}

}  // namespace

// ---- the packet filter --------------------------------------------------------------------------

/// The endpoints of this host, after a first look at the sandboxes of those without a host link.
std::vector<Endpoint> Controller::RecordedHere() {
  std::vector<Endpoint> endpoints = journal_.Endpoints();
  std::erase_if(endpoints, [&](const Endpoint& e) { return e.host != host_; });
  for (const Endpoint& endpoint : endpoints) {
    if (!endpoint.host_link) missing_.Look(endpoint.sandbox);
  }
  return endpoints;
}

std::vector<firewall::Rules> Controller::LiveRules(std::string_view backend) {
  std::vector<firewall::Rules> live;
  for (Endpoint& endpoint : RecordedHere()) {
    if (endpoint.attachments.empty() || !IsProgrammed(endpoint)) continue;
    for (Attachment& attachment : endpoint.attachments) {
      if (attachment.backend != backend || attachment.rules.empty()) continue;
      live.push_back(std::move(attachment.rules));
    }
  }
  for (Network& network : journal_.Networks()) {
    for (Attachment& attachment : network.attachments) {
      if (attachment.backend == backend) live.push_back(std::move(attachment.rules));
    }
  }
  return live;
}

/// Decides what was left to us, before it is recorded.
void Controller::ChooseBackends(std::vector<Attachment>& attachments) {
  for (Attachment& attachment : attachments) {
    if (!attachment.backend.empty() || attachment.rules.empty()) continue;
    attachment.backend = kernel_.DefaultBackend();
  }
}

void Controller::AddRules(Attachment& attachment) {
  const firewall::Rules& rules = attachment.rules;
  std::optional<LockTable::Held> lock;
  if (rules.isolation) {
    const std::string& bridge = rules.isolation->bridge;
    lock = locks_.Acquire(BridgeLockKey(bridge), "isolation of " + bridge, options_.holder);
  }
  AddUnlessHeld(attachment);
  ForgetFlows(rules.publication);
}

/// The wishes of other live endpoints for this bridge.
std::vector<firewall::Isolation> Controller::OtherWishes(const Endpoint& endpoint,
                                                         const Attachment& released) {
  std::vector<firewall::Isolation> wishes;
  for (const Endpoint& other : RecordedHere()) {
    if (other.owner == endpoint.owner) continue;
    for (const Attachment& attachment : other.attachments) {
      const auto& wish = attachment.rules.isolation;
      const bool same_bridge = wish && wish->bridge == released.rules.isolation->bridge;
      // Liveness last: it asks the kernel.
      if (same_bridge && attachment.backend == released.backend && IsProgrammed(other)) {
        wishes.push_back(*wish);
      }
    }
  }
  return wishes;
}

/// Isolation is the bridge's: it goes with the last endpoint that wants it. That is decided, and
/// the record freed of it, under the bridge's lock; otherwise two that leave at once would each see
/// the other.
void Controller::ReleaseIsolation(Endpoint& endpoint, Attachment& attachment) {
  firewall::Rules rules;
  rules.isolation = attachment.rules.isolation;
  const std::string& bridge = rules.isolation->bridge;
  const LockTable::Held lock =
      locks_.Acquire(BridgeLockKey(bridge), "isolation of " + bridge, options_.holder);
  const std::vector<firewall::Isolation> wishes = OtherWishes(endpoint, attachment);
  if (std::find(wishes.begin(), wishes.end(), *rules.isolation) == wishes.end()) {
    firewall::Firewall& firewall = kernel_.firewall(attachment.backend);
    firewall.Remove(rules);
    for (const firewall::Isolation& wish : wishes) {  // of another strictness
      rules.isolation = wish;
      firewall.Add(rules);
    }
  }
  attachment.rules.isolation.reset();
  TryJournal([&] { journal_.Write(endpoint); });
}

void Controller::EndIsolation(const firewall::Isolation& isolation) {
  const std::string& bridge = isolation.bridge;
  const LockTable::Held lock =
      locks_.Acquire(BridgeLockKey(bridge), "isolation of " + bridge, options_.holder);
  for (const Endpoint& endpoint : RecordedHere()) {
    for (const Attachment& attachment : endpoint.attachments) {
      const auto& wish = attachment.rules.isolation;
      if (wish && wish->bridge == bridge && IsProgrammed(endpoint)) return;
    }
  }
  firewall::Rules rules;
  rules.isolation = isolation;
  kernel_.firewall(kernel_.DefaultBackend()).Remove(rules);
}

void Controller::WithdrawRules(Endpoint& endpoint, Attachment& attachment) {
  const bool in_steps = endpoint.host_link && !endpoint.host_link->peer.empty();
  if (attachment.rules.isolation && in_steps) {
    attachment.rules.isolation.reset();  // its network's: EndIsolation says when
  } else if (attachment.rules.isolation) {
    ReleaseIsolation(endpoint, attachment);
  }
  if (attachment.rules.empty()) return;
  kernel_.firewall(attachment.backend).Remove(attachment.rules);
  ForgetFlows(attachment.rules.publication);
}

/// Adds the rules and host settings of the plugin's attachments, which are recorded.
void Controller::Program(Endpoint& endpoint, std::string_view plugin, Rollback& undo) {
  for (Attachment& attachment : endpoint.attachments) {
    if (attachment.plugin != plugin) continue;
    if (!attachment.rules.empty()) {
      undo.Push("rules", [&] { WithdrawRules(endpoint, attachment); });
      AddRules(attachment);
    }
    for (const HostSysctl& sysctl : attachment.sysctls) {
      netns::EnsureSysctl(sysctl.name, sysctl.value);
    }
  }
}

// ---- adding -------------------------------------------------------------------------------------

Endpoint Controller::FindOrMakeForeign(const AttachmentSpec& spec, std::string_view owner) {
  std::optional<Endpoint> recorded = journal_.FindEndpoint(owner);
  if (recorded) RefuseElsewhere(*recorded);
  const bool same_host = recorded && recorded->host == host_;
  if (same_host && recorded->state == EndpointState::kReady &&
      recorded->sandbox.identity == spec.sandbox.identity) {
    return *std::move(recorded);
  }
  if (same_host && !recorded->foreign()) {
    throw Error(
        Code::kTryAgain,
        fmt::format("{}: its record is that of an operation that did not end", Describe(spec.key)),
        fmt::format("repeat its DEL, or: cnmctl gc --network {} --apply", spec.key.network));
  }
  if (recorded) Remove(*std::move(recorded), Removal::kGarbage, {});
  Endpoint endpoint;
  endpoint.owner = owner;
  endpoint.key = spec.key;
  endpoint.door = options_.door;
  endpoint.runtime = options_.runtime;
  endpoint.state = EndpointState::kReady;
  endpoint.host = host_;
  endpoint.sandbox = spec.sandbox;
  endpoint.addressing = spec.addressing;
  return endpoint;
}

/// What is asked for, as it will be recorded.
std::vector<Attachment> Controller::NameWanted(const Endpoint& endpoint,
                                               const AttachmentSpec& spec) {
  std::vector<Attachment> wanted = spec.wanted;
  for (Attachment& attachment : wanted) {
    attachment.plugin = spec.plugin;
    NameRules(endpoint, attachment);
  }
  ChooseBackends(wanted);
  return wanted;
}

/// Takes away what a former call of the same plugin left, except what is wanted again.
void Controller::WithdrawFormer(Endpoint& endpoint, std::string_view plugin,
                                const std::vector<Attachment>& wanted) {
  const auto any = [&](auto predicate) {
    return std::any_of(wanted.begin(), wanted.end(), predicate);
  };
  for (Attachment& former : endpoint.attachments) {
    if (former.plugin != plugin) continue;
    const bool same_rules = any([&](const Attachment& a) {
      return a.backend == former.backend && a.rules == former.rules;
    });
    if (!same_rules) WithdrawRules(endpoint, former);
    for (const std::string& link : former.links) {
      const bool again = any([&](const Attachment& a) { return Contains(a.links, link); });
      if (!again) RemoveLinkOf(endpoint.owner, link);
    }
    for (const std::string& file : former.files) {
      const bool again = any([&](const Attachment& a) { return Contains(a.files, file); });
      if (!again) RemoveFile(file);
    }
  }
  Forget(endpoint, plugin);
}

void Controller::AddAttachments(const AttachmentSpec& spec) {
  const std::string owner = OwnerOf(spec.key.network, spec.key.container_id, spec.key.ifname);
  const LockTable::Held lock = Lock(spec.key, owner);
  Endpoint endpoint = FindOrMakeForeign(spec, owner);
  std::vector<Attachment> wanted = NameWanted(endpoint, spec);
  WithdrawFormer(endpoint, spec.plugin, wanted);
  std::move(wanted.begin(), wanted.end(), std::back_inserter(endpoint.attachments));

  Rollback undo(spec.observer);
  undo.Push("record", [&] {
    if (undo.failed()) return;
    Forget(endpoint, spec.plugin);
    WriteOrForget(endpoint);
  });
  journal_.Write(endpoint);
  Mark("journal");
  Program(endpoint, spec.plugin, undo);
  Mark("firewall");
  if (spec.apply) spec.apply(undo);
  Mark("apply");
  undo.Commit();
}

// ---- checking -----------------------------------------------------------------------------------

void Controller::VerifyAttachments(const Endpoint& endpoint, std::string_view plugin) {
  for (const Attachment& attachment : endpoint.attachments) {
    if (attachment.plugin != plugin) continue;
    if (!attachment.rules.empty()) kernel_.firewall(attachment.backend).Verify(attachment.rules);
    for (const std::string& name : attachment.links) {
      const netlink::Link link = kernel_.links().GetLink(name);
      if (link.alias == endpoint.owner) continue;
      throw Error(Code::kKernel, fmt::format("link {}: its alias is {:?}, want {:?}", name,
                                             link.alias, endpoint.owner));
    }
    for (const HostSysctl& sysctl : attachment.sysctls) {
      const std::string value = netns::ReadSysctl(sysctl.name).value_or("absent");
      if (value == sysctl.value) continue;
      throw Error(Code::kKernel,
                  fmt::format("sysctl {} is {}, want {}", sysctl.name, value, sysctl.value),
                  "cnmctl reload sets it again");
    }
  }
}

std::vector<Attachment> Controller::CheckAttachments(const EndpointKey& key,
                                                     std::string_view plugin) {
  std::optional<Endpoint> endpoint = FindEndpoint(key);
  if (!endpoint) return {};
  VerifyAttachments(*endpoint, plugin);
  std::erase_if(endpoint->attachments, [&](const Attachment& a) { return a.plugin != plugin; });
  return std::move(endpoint->attachments);
}

}  // namespace cnm
