// port_holders.cc: who holds a host port that somebody else wants.
#include <algorithm>

#include <fmt/format.h>

#include "cnm/controller.h"
#include "cnm/id.h"
#include "common/base/error.h"

namespace cnm {
namespace {

using firewall::PortMapping;

bool SharesAPort(const PortMapping& a, const PortMapping& b) {
  return a.protocol == b.protocol && a.host_port < b.host_port + b.count &&
         b.host_port < a.host_port + a.count;
}

bool SharesAPort(const firewall::Publication& a, const firewall::Publication& b) {
  return std::any_of(a.mappings.begin(), a.mappings.end(), [&](const PortMapping& one) {
    return std::any_of(b.mappings.begin(), b.mappings.end(),
                       [&](const PortMapping& other) { return SharesAPort(one, other); });
  });
}

}  // namespace

/// A backend whose rules name no owner cannot tell that a holder is dead; the records can.
/// @returns whether there was one
bool Controller::WithdrawDeadHolders(const Attachment& wanted) {
  bool any = false;
  for (const Endpoint& endpoint : RecordedHere()) {
    if (endpoint.owner == wanted.rules.owner) continue;
    for (const Attachment& held : endpoint.attachments) {
      if (held.backend != wanted.backend) continue;
      if (!SharesAPort(held.rules.publication, wanted.rules.publication)) continue;
      if (IsProgrammed(endpoint)) continue;
      kernel_.firewall(held.backend).Remove(held.rules);
      any = true;
    }
  }
  return any;
}

/// A backend that knows owners by their ids only names the holder by its own: adds whose it is.
void Controller::NameHolder(Error& error) {
  for (const Endpoint& endpoint : journal_.Endpoints()) {
    if (error.message().find(endpoint.owner) == std::string::npos) continue;
    error.AddDetail(fmt::format("{} is {}", endpoint.owner, Describe(endpoint.key)));
  }
}

/// Adds the attachment's rules; in the way may only be the living. A refusal changed nothing, so it
/// leaves no rules to withdraw: a sibling interface may have some with the same text.
void Controller::AddUnlessHeld(Attachment& attachment) {
  for (bool again = false;; again = true) {
    try {
      kernel_.firewall(attachment.backend).Add(attachment.rules);
      return;
    } catch (Error& e) {
      if (e.code() != Code::kInUse) throw;
      if (!again && WithdrawDeadHolders(attachment)) continue;
      NameHolder(e);
      attachment.rules = {};
      throw;
    }
  }
}

}  // namespace cnm
