// unrecorded.cc: checking the rules of an endpoint that no record tells of.
#include "plugins/cni/unrecorded.h"

#include <string>
#include <vector>

#include <fmt/format.h>

#include "cnm/endpoint.h"
#include "cnm/id.h"
#include "common/base/error.h"
#include "common/firewall/select.h"
#include "plugins/cni/open_controller.h"

namespace cnm::cni {
namespace {

/// The rules under the names that the endpoint's plugin would have given them.
firewall::Rules Named(const Call& call, const firewall::Rules& rules) {
  Endpoint endpoint;
  endpoint.key = KeyOf(call);
  endpoint.owner = OwnerOf(call.network, call.container_id, call.ifname);
  cnm::Attachment attachment;
  attachment.rules = rules;
  NameRules(endpoint, attachment);
  return attachment.rules;
}

}  // namespace

void VerifyUnrecorded(const Call& call, std::string_view backend, const firewall::Rules& rules) {
  firewall::Rules named = Named(call, rules);
  std::vector<std::string> backends = {std::string(backend)};
  if (backend.empty()) backends = firewall::PresentBackends();
  std::string missing;
  for (const std::string& candidate : backends) {
    if (candidate == "iptables") named.owner.clear();  // the reference's
    try {
      firewall::Open(candidate, {})->Verify(named);
      return;
    } catch (const Error& e) {
      missing += fmt::format("{}{}: {}", missing.empty() ? "" : "; ", candidate, e.message());
    }
  }
  throw Error(Code::kKernel, "the rules of this endpoint are in no record and not in place",
              missing);
}

}  // namespace cnm::cni
