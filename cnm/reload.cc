// reload.cc: programming the host anew from the records, after somebody flushed its rules.
#include <map>
#include <set>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "cnm/controller.h"
#include "common/base/error.h"
#include "common/firewall/select.h"
#include "common/netns/sysctl.h"

namespace cnm {
namespace {

/// What each plugin of the endpoint has forwarded wherever the host would drop it.
std::map<std::string, firewall::Forwarding> FollowingForwarding(const Endpoint& endpoint) {
  std::map<std::string, firewall::Forwarding> forwarding;
  for (const Attachment& attachment : endpoint.attachments) {
    if (attachment.follows_host) {
      forwarding.try_emplace(attachment.plugin, attachment.rules.forwarding);
    }
  }
  return forwarding;
}

/// Gives the endpoint's forwarding to backends that do not have it yet. @returns whether it changed
bool SpreadForwarding(Endpoint& endpoint, const std::vector<std::string>& backends) {
  bool changed = false;
  for (const auto& [plugin, forwarding] : FollowingForwarding(endpoint)) {
    for (const std::string& backend : backends) {
      Attachment& attachment = EnsureAttachment(endpoint, plugin, backend);
      if (!attachment.rules.forwarding.empty()) continue;
      attachment.follows_host = true;
      attachment.rules.forwarding = forwarding;
      changed = true;
    }
  }
  return changed;
}

}  // namespace

/// Another packet filter that drops may have come since the endpoints were made: Docker's, say.
void Controller::AcceptEverywhere(ReloadReport& report) {
  const std::vector<std::string> backends = kernel_.ForwardBackends();
  for (const Endpoint& seen : RecordedHere()) {
    Endpoint endpoint = seen;
    if (seen.state != EndpointState::kReady || !SpreadForwarding(endpoint, backends)) continue;
    try {
      const LockTable::Held lock = Lock(seen.key, seen.owner);
      std::optional<Endpoint> now = journal_.FindEndpoint(seen.owner);
      if (now && now->state == EndpointState::kReady && SpreadForwarding(*now, backends)) {
        journal_.Write(*now);
      }
    } catch (Error& e) {  // one that is busy must not keep the others closed
      report.errors.push_back(std::move(e));
    }
  }
}

void Controller::RestoreShared(const Endpoint& endpoint, ReloadReport& report) {
  try {
    for (const Attachment& attachment : endpoint.attachments) {
      for (const HostSysctl& sysctl : attachment.sysctls) {
        netns::EnsureSysctl(sysctl.name, sysctl.value);
      }
    }
    if (endpoint.foreign()) return;
    const std::optional<Network> network = journal_.FindNetwork(endpoint.key.network);
    if (network) DriverFor(endpoint.driver).Restore(*network, endpoint, kernel_, store_);
  } catch (Error& e) {
    report.errors.push_back(std::move(e.AddContext(Describe(endpoint.key))));
  }
}

ReloadReport Controller::Reload() {
  ReloadReport report;
  AcceptEverywhere(report);
  ForwardEverywhere(report);
  std::set<std::string> backends;
  for (const Network& network : journal_.Networks()) {
    for (const Attachment& attachment : network.attachments) backends.insert(attachment.backend);
  }
  for (const Endpoint& endpoint : RecordedHere()) {
    if (!IsProgrammed(endpoint)) continue;
    ++report.endpoints;
    for (const Attachment& attachment : endpoint.attachments) {
      if (!attachment.rules.empty()) backends.insert(attachment.backend);
    }
    RestoreShared(endpoint, report);
  }
  for (const std::string& backend : backends) {
    try {
      kernel_.firewall(backend).Rebuild();
      report.backends.push_back(backend);
    } catch (Error& e) {
      report.errors.push_back(std::move(e.AddContext(backend)));
    }
  }
  return report;
}

void Controller::VerifyRules(const EndpointKey& key, const std::vector<Attachment>& attachments,
                             FirewallReport& report) {
  for (const Attachment& attachment : attachments) {
    if (attachment.rules.empty()) continue;
    try {
      kernel_.firewall(attachment.backend).Verify(attachment.rules);
    } catch (const Error& e) {
      report.missing.push_back({key, attachment.plugin, attachment.backend, e.message()});
    }
  }
}

FirewallReport Controller::ReadFirewall() {
  FirewallReport report;
  for (const std::string& backend : firewall::PresentBackends()) {
    for (firewall::Programmed& rule : kernel_.firewall(backend).List()) {
      report.programmed.push_back({backend, std::move(rule)});
    }
  }
  for (Endpoint& endpoint : RecordedHere()) {
    if (!IsProgrammed(endpoint)) continue;  // what is left of it is garbage, not missing
    VerifyRules(endpoint.key, endpoint.attachments, report);
  }
  for (const Network& network : journal_.Networks()) {
    VerifyRules({network.name, "", ""}, network.attachments, report);
  }
  return report;
}

}  // namespace cnm
