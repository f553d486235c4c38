// plan.cc: what the packet filters are asked for: pure values of configuration and prevResult.
#include "plugins/meta/firewall/plan.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "common/base/error.h"
#include "common/net/link_name.h"

namespace cnm::firewall_plugin {

firewall::Forwarding MakeForwarding(const Config& config, const cni::Result& result) {
  firewall::Forwarding forwarding{.admin_chain = config.admin_chain, .zone = config.zone};
  std::vector<net::Address>& addresses = forwarding.addresses;
  for (const cni::ResultAddress& ip : result.ips) {
    const bool repeated =
        std::find(addresses.begin(), addresses.end(), ip.address.address) != addresses.end();
    if (!repeated) addresses.push_back(ip.address.address);
  }
  return forwarding;
}

std::optional<firewall::Isolation> MakeIsolation(const Config& config, const cni::Result& result) {
  if (config.policy == IngressPolicy::kOpen) return std::nullopt;
  if (result.interfaces.empty()) {
    throw Error(Code::kConfig,
                fmt::format("interface needs to be set for ingress policy \"{}\", make sure to "
                            "chain \"firewall\" plugin with \"bridge\"",
                            config.policy_text),
                "$.prevResult.interfaces");
  }
  const std::string& bridge = result.interfaces.front().name;
  if (bridge.empty()) {
    throw Error(Code::kConfig, "got empty bridge name", "$.prevResult.interfaces[0].name");
  }
  // To iptables "br+" is every link whose name begins with "br".
  if (!net::IsLinkName(bridge) || bridge.ends_with('+')) {
    throw Error(Code::kConfig, fmt::format("{:?} is no name of a bridge", bridge),
                "$.prevResult.interfaces[0].name");
  }
  return firewall::Isolation{bridge, config.policy == IngressPolicy::kIsolated};
}

std::vector<Attachment> MakeAttachments(const Config& config, const cni::Result& result,
                                        const Backends& backends) {
  const firewall::Forwarding forwarding = MakeForwarding(config, result);
  const std::optional<firewall::Isolation> isolation = MakeIsolation(config, result);
  std::vector<Attachment> attachments;
  for (const std::string& backend : backends.forwarding) {
    Attachment attachment{
        .plugin = "firewall", .backend = backend, .follows_host = backends.follows_host};
    attachment.rules.forwarding = forwarding;
    attachments.push_back(std::move(attachment));
  }
  if (isolation) {
    auto place = std::find_if(attachments.begin(), attachments.end(),
                              [&](const Attachment& a) { return a.backend == backends.isolation; });
    if (place == attachments.end()) {
      attachments.push_back({.plugin = "firewall", .backend = backends.isolation});
      place = std::prev(attachments.end());
    }
    place->rules.isolation = isolation;
  }
  std::erase_if(attachments, [](const Attachment& a) { return a.rules.empty(); });
  return attachments;
}

}  // namespace cnm::firewall_plugin
