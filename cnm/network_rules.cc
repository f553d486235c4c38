// network_rules.cc: what a network's endpoints share in the packet filters, and its record holds.
//
// Theory of operation: the record is written before the rules are made and freed of them last. Who
// forwards is the network, so that neither a join nor a packet costs more with more endpoints.
#include <algorithm>
#include <map>
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

using SubnetsByBackend = std::map<std::string, std::vector<net::Prefix>>;

/// Has the backends forward these subnets besides what they do already: two doors may be tied to
/// one network, each with pools of its own. @returns what each of them did not have
SubnetsByBackend Spread(Network& network, const std::vector<net::Prefix>& subnets,
                        const std::vector<std::string>& backends) {
  SubnetsByBackend added;
  for (const std::string& backend : backends) {
    std::vector<net::Prefix>& known = EnsureAttachment(network, backend).rules.forwarding.subnets;
    for (const net::Prefix& subnet : subnets) {
      if (std::find(known.begin(), known.end(), subnet) != known.end()) continue;
      known.push_back(subnet);
      added[backend].push_back(subnet);
    }
  }
  return added;
}

/// Of an attachment whose rules may not all stand: somebody is adding them, or could not. They are
/// on record, so that they go with the network.
constexpr char kUncertain[] = R"({"uncertain":true})";

std::set<std::string> UncertainBackends(const Network& network) {
  std::set<std::string> backends;
  for (const Attachment& attachment : network.attachments) {
    if (attachment.state == kUncertain) backends.insert(attachment.backend);
  }
  return backends;
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
  if (!again && UncertainBackends(seen).empty() && Spread(seen, subnets, backends).empty()) return;
  const LockTable::Held lock = LockNetwork(network.name);
  std::set<std::string> whole;
  SubnetsByBackend added;
  const auto known = ChangeNetwork(network.name, [&](Network& now) {
    whole = UncertainBackends(now);
    added = Spread(now, subnets, backends);
    for (const auto& [backend, missing] : added) EnsureAttachment(now, backend).state = kUncertain;
  });
  if (!known) return;
  for (const Attachment& attachment : known->attachments) {
    firewall::Rules rules = attachment.rules;
    if (!again && !whole.contains(attachment.backend)) {
      rules.forwarding.subnets = added[attachment.backend];  // a failure undoes no others
    }
    AddShared(network.name, attachment.backend, rules);
  }
}

/// Adds rules of the network, which are on record; the next who asks tries again if it fails.
void Controller::AddShared(std::string_view network, const std::string& backend,
                           const firewall::Rules& rules) {
  if (rules.empty()) return;
  const auto mark = [&](const std::string& state) {
    ChangeNetwork(network, [&](Network& now) { EnsureAttachment(now, backend).state = state; });
  };
  try {
    kernel_.firewall(backend).Add(rules);
  } catch (const Error&) {
    mark(kUncertain);
    throw;
  }
  mark("");
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

void Controller::ForgetSubnets(const std::vector<net::Prefix>& subnets) {
  if (!subnets.empty()) kernel_.firewall(kernel_.DefaultBackend()).ForgetSubnets(subnets);
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
