// network_rules.cc: what a network's endpoints share in the packet filters, and its record holds.
//
// Theory of operation: the record is written before the rules are made and freed of them last. Who
// forwards is the network, so that neither a join nor a packet costs more with more endpoints.
#include <algorithm>
#include <set>

#include <fmt/format.h>

#include "cnm/controller.h"
#include "cnm/id.h"
#include "common/base/error.h"

namespace cnm {
namespace {

Attachment& EnsureAttachment(Network& network, const std::string& backend) {
  for (Attachment& attachment : network.attachments) {
    if (attachment.backend == backend) return attachment;
  }
  Attachment& made = network.attachments.emplace_back(
      Attachment{.plugin = network.driver, .backend = backend, .follows_host = true});
  NameRules(network, made);
  return made;
}

/// Has the backends forward these subnets besides what they do already: two doors may be tied to
/// one network, each with pools of its own. @returns the backends that did not have all of them
std::set<std::string> Spread(Network& network, const std::vector<net::Prefix>& subnets,
                             const std::vector<std::string>& backends) {
  std::set<std::string> changed;
  for (const std::string& backend : backends) {
    std::vector<net::Prefix>& known = EnsureAttachment(network, backend).rules.forwarding.subnets;
    for (const net::Prefix& subnet : subnets) {
      if (std::find(known.begin(), known.end(), subnet) != known.end()) continue;
      known.push_back(subnet);
      changed.insert(backend);
    }
  }
  return changed;
}

/// A network without addresses has the subnet of everybody.
void RequireSubnets(const std::vector<net::Prefix>& subnets) {
  for (const net::Prefix& subnet : subnets) {
    if (subnet.length != 0) continue;
    throw Error(Code::kConfig, fmt::format("forward {}: that is every address", subnet.ToString()));
  }
}

}  // namespace

void NameRules(const Network& network, Attachment& attachment) {
  attachment.rules.owner = OwnerOf(network.name, "", "");
  attachment.rules.network = network.name;
}

LockTable::Held Controller::LockNetwork(std::string_view name) {
  return locks_.Acquire(LockKey(OwnerOf(name, "", "")), fmt::format("network {}", name),
                        options_.holder);
}

/// Changes the network's record, again until nobody else did in between. @returns what it is now;
/// nullopt when there is none
std::optional<Network> Controller::ChangeNetwork(std::string_view name,
                                                 const std::function<void(Network&)>& change) {
  for (;;) {
    const std::optional<Network> recorded = journal_.FindNetwork(name);
    if (!recorded) return std::nullopt;
    Network changed = *recorded;
    change(changed);
    if (changed == *recorded || journal_.Write(changed, recorded)) return changed;
  }
}

void Controller::Forward(const Network& network, const std::vector<net::Prefix>& subnets,
                         bool again) {
  RequireSubnets(subnets);
  if (subnets.empty()) return;
  const std::vector<std::string> backends = kernel_.ForwardBackends();
  Network seen = network;
  if (Spread(seen, subnets, backends).empty() && !again) return;
  const LockTable::Held lock = LockNetwork(network.name);
  std::set<std::string> changed;
  const auto known =
      ChangeNetwork(network.name, [&](Network& now) { changed = Spread(now, subnets, backends); });
  if (!known) return;
  for (const Attachment& attachment : known->attachments) {
    if (!again && !changed.contains(attachment.backend)) continue;
    try {
      kernel_.firewall(attachment.backend).Add(attachment.rules);
    } catch (const Error&) {  // the next join has to try again
      ChangeNetwork(network.name, [&](Network& now) {
        std::erase_if(now.attachments,
                      [&](const Attachment& a) { return a.backend == attachment.backend; });
      });
      throw;
    }
  }
}

void Controller::WithdrawShared(const Network& network) {
  for (const Attachment& attachment : network.attachments) {
    kernel_.firewall(attachment.backend).Remove(attachment.rules);
  }
}

void Controller::EndForwarding(std::string_view name) {
  const LockTable::Held lock = LockNetwork(name);
  const std::optional<Network> recorded = journal_.FindNetwork(name);
  if (!recorded) return;
  WithdrawShared(*recorded);
  ChangeNetwork(name, [](Network& now) { now.attachments.clear(); });
}

/// Another packet filter that drops may have come since: Docker's, say.
void Controller::ForwardEverywhere(ReloadReport& report) {
  for (const Network& network : journal_.Networks()) {
    if (network.attachments.empty()) continue;
    try {
      Forward(network, network.attachments.front().rules.forwarding.subnets, false);
    } catch (Error& e) {
      report.errors.push_back(std::move(e));
    }
  }
}

}  // namespace cnm
