// plan.h: what the packet filters are asked for: pure values of configuration and prevResult.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "cnm/endpoint.h"
#include "common/firewall/firewall.h"
#include "plugins/cni/result.h"
#include "plugins/meta/firewall/config.h"

namespace cnm::firewall_plugin {

/// Which packet filters this host gives.
struct Backends {
  std::vector<std::string> forwarding;  ///< where addresses must be accepted
  bool follows_host = false;            ///< which the host decides, not the configuration
  std::string isolation;                ///< where bridges are kept apart
};

/// The addresses of all interfaces, each once, in order (reference FW-1).
firewall::Forwarding MakeForwarding(const Config& config, const cni::Result& result);

/// The bridge of the container, which is the first interface of the result, if the policy needs it.
/// @throws Error kConfig in the reference's words (FW-2) when there is none
std::optional<firewall::Isolation> MakeIsolation(const Config& config, const cni::Result& result);

/// What to add to the endpoint: one attachment a backend. Empty when there is nothing to do.
std::vector<Attachment> MakeAttachments(const Config& config, const cni::Result& result,
                                        const Backends& backends);

}  // namespace cnm::firewall_plugin
