// portmap.cc: an adapter behind an interface plugin: it makes no link but leads connections from
// ports of the host to the container. What that takes is in common/firewall, once for each packet
// filter.
//
//      outside             host                                     container
//   +-----------+   +------------------------------------+     +------------------+
//   |         --|---|-> any address : 8080 --.           |     |                  |
//   +-----------+   |   127.0.0.1   : 8080 --+-- dnat ---|-----|-> eth0 : 80      |
//                   +------------------------------------+     +------------------+
//
// https://www.cni.dev/plugins/current/meta/portmap/
#include "plugins/meta/portmap/portmap.h"

#include <algorithm>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "common/base/error.h"
#include "common/base/log.h"
#include "common/firewall/select.h"
#include "common/netlink/socket.h"
#include "plugins/cni/chained.h"
#include "plugins/cni/open_controller.h"
#include "plugins/cni/unrecorded.h"
#include "plugins/meta/portmap/config.h"
#include "plugins/meta/portmap/publication.h"

namespace cnm::portmap {
namespace {

Config DecodeForAdd(const cni::Call& call) {
  try {
    return DecodeConfig(*call.conf);
  } catch (Error& e) {
    e.AddContext("failed to parse config");  // the reference's words
    throw;
  }
}

/// What may come back to a process that asked 127.0.0.1 comes by this link, if there is a route.
std::vector<HostSysctl> LocalhostSysctls(const net::Address& container) {
  netlink::Socket host = netlink::Socket::Open();
  const std::optional<netlink::Route> route = host.FindRoute(container);
  if (!route) return {};
  const std::optional<netlink::Link> link = host.FindLink(route->ifindex);
  if (!link) return {};
  return {{fmt::format("net/ipv4/conf/{}/route_localnet", link->name), "1"}};
}

void WarnUnserved(const Config& config, const Targets& targets) {
  for (const Mapping& mapping : Unserved(config, targets)) {
    Warn(fmt::format("portmap: {} is not published: the container has no address of that family",
                     ToString(mapping)));
  }
}

cni::Result Add(const cni::Call& call) {
  const Config config = DecodeForAdd(call);
  cni::WarnUnknownKeys(call);
  cni::Result result = cni::RequirePrevResult(call, "must be called as chained plugin");
  if (config.mappings.empty()) return result;
  const Targets targets = Targets::Of(cni::SandboxAddresses(call));
  WarnUnserved(config, targets);
  Attachment attachment;
  attachment.backend = config.backend;
  attachment.rules.publication = MakePublication(config, targets);
  if (attachment.rules.empty()) return result;
  if (IsReachableByLocalhost(attachment.rules.publication)) {
    attachment.sysctls = LocalhostSysctls(targets.v4->address);
  }
  AttachmentSpec spec = cni::MakeAttachmentSpec(call, kPlugin.name);
  spec.wanted.push_back(std::move(attachment));
  cni::OpenController(call, {}).AddAttachments(spec);
  return result;
}

/// Whether the reference, called the same way, would have made rules. A body that cannot be read
/// may have been another one then.
bool MayBeForeign(const cni::Call& call) {
  if (!call.conf) return true;
  try {
    return !DecodeConfig(*call.conf).mappings.empty();
  } catch (const Error& e) {
    Warn(fmt::format("portmap: DEL goes on: {}", e.message()));
    return true;
  }
}

void Del(const cni::Call& call) {
  RemovalSpec spec;
  spec.plugin = kPlugin.name;
  if (MayBeForeign(call)) spec.foreign = firewall::Foreign{.publication = true};
  cni::RemoveAttachments(call, spec);
}

void Check(const cni::Call& call) {
  const Config config = DecodeConfig(*call.conf);
  cni::RequirePrevResult(call, "Required prevResult missing");
  if (config.mappings.empty()) return;
  const Targets targets = Targets::Of(cni::SandboxAddresses(call));
  const firewall::Publication wanted = MakePublication(config, targets);
  if (wanted.mappings.empty()) return;
  Controller controller = cni::OpenController(call, {});
  const std::vector<Attachment> made = controller.CheckAttachments(cni::KeyOf(call), kPlugin.name);
  if (made.empty()) {
    firewall::Rules rules;
    rules.publication = wanted;
    return cni::VerifyUnrecorded(call, config.backend, rules);
  }
  const bool same = std::any_of(made.begin(), made.end(), [&](const Attachment& attachment) {
    return attachment.rules.publication == wanted;
  });
  if (same) return;
  throw Error(Code::kConfig, "published ports are not the configured ones",
              "$.runtimeConfig.portMappings, prevResult or options changed since ADD");
}

void Gc(const cni::Call& call) {
  cni::CollectAttachments(call, kPlugin.name);
}

void Status(const cni::Call& call) {
  const Config config = DecodeConfig(*call.conf);
  cni::WarnUnknownKeys(call);
  firewall::RequireUsable(config.backend.empty() ? firewall::DefaultBackend() : config.backend);
  cni::OpenController(call, {});
}

}  // namespace

constexpr cni::Plugin kPlugin{
    .name = "portmap", .add = Add, .del = Del, .check = Check, .gc = Gc, .status = Status};

}  // namespace cnm::portmap
