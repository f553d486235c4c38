// network_rules.cc: what a network's endpoints share in the packet filters, and its record holds.
//
// Theory of operation: the record is written before the rules are made and freed of them last. Who
// forwards is the network, so that neither a join nor a packet costs more with more endpoints.
#include <algorithm>

#include <fmt/format.h>

#include "cnm/controller.h"
#include "cnm/id.h"
#include "common/base/error.h"
#include "common/firewall/select.h"

namespace cnm {
namespace {

/// Gives the network's forwarding to the backends. @returns those that did not have it
std::vector<std::string> Spread(Network& network, const std::vector<net::Prefix>& subnets,
                                const std::vector<std::string>& backends) {
  std::vector<std::string> changed;
  for (const std::string& backend : backends) {
    const auto found =
        std::find_if(network.attachments.begin(), network.attachments.end(),
                     [&](const Attachment& attachment) { return attachment.backend == backend; });
    if (found != network.attachments.end() && found->rules.forwarding.subnets == subnets) continue;
    changed.push_back(backend);
    if (found != network.attachments.end()) {
      found->rules.forwarding.subnets = subnets;
      continue;
    }
    Attachment& attachment = network.attachments.emplace_back(
        Attachment{.plugin = network.driver, .backend = backend, .follows_host = true});
    attachment.rules.forwarding.subnets = subnets;
    NameRules(network, attachment);
  }
  return changed;
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

void Controller::Forward(const Network& network, const std::vector<net::Prefix>& subnets,
                         bool again) {
  if (subnets.empty()) return;
  const std::vector<std::string> backends = firewall::ForwardBackends();
  Network known = network;
  if (Spread(known, subnets, backends).empty() && !again) return;
  const LockTable::Held lock = LockNetwork(network.name);
  std::vector<std::string> changed;
  for (;;) {  // until no ADD of CNI changes the record in between
    const std::optional<Network> recorded = journal_.FindNetwork(network.name);
    if (!recorded) return;
    known = *recorded;
    changed = Spread(known, subnets, backends);
    if (changed.empty() || journal_.Write(known, recorded)) break;
  }
  for (const Attachment& attachment : known.attachments) {
    const bool wanted =
        again || std::find(changed.begin(), changed.end(), attachment.backend) != changed.end();
    if (wanted) kernel_.firewall(attachment.backend).Add(attachment.rules);
  }
}

void Controller::EndForwarding(std::string_view name) {
  const LockTable::Held lock = LockNetwork(name);
  for (;;) {
    const std::optional<Network> recorded = journal_.FindNetwork(name);
    if (!recorded) return;
    for (const Attachment& attachment : recorded->attachments) {
      kernel_.firewall(attachment.backend).Remove(attachment.rules);
    }
    Network bare = *recorded;
    bare.attachments.clear();
    if (journal_.Write(bare, recorded)) return;
  }
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
