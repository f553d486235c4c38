// bandwidth.cc: the bandwidth plugin: runs behind one that made a veth, and limits both directions
// of it on the host's side. The picture is in plan.h.
//
// https://www.cni.dev/plugins/current/meta/bandwidth/
#include "plugins/meta/bandwidth/bandwidth.h"

#include <optional>
#include <span>
#include <utility>

#include <fmt/format.h>

#include "cnm/id.h"
#include "cnm/owned_link.h"
#include "cnm/teardown.h"
#include "common/base/log.h"
#include "common/netns/netns.h"
#include "plugins/cni/chained.h"
#include "plugins/cni/open_controller.h"
#include "plugins/meta/bandwidth/config.h"
#include "plugins/meta/bandwidth/host_link.h"
#include "plugins/meta/bandwidth/shape.h"
#include "plugins/meta/bandwidth/site.h"
#include "plugins/meta/bandwidth/token_bucket.h"
#include "plugins/meta/bandwidth/verify.h"

namespace cnm::bandwidth {
namespace {

constexpr std::string_view kName = "bandwidth";
constexpr std::string_view kUnchained = "must be called as chained plugin";
constexpr uint32_t kEthernetHeader = 14;

void RestoreRecorded(const Attachment& attachment) {
  if (attachment.state.empty()) return;
  netlink::Socket host = netlink::Socket::Open();
  Remove(DecodeShaping(attachment.state), host);
}

/// What a former call of ours recorded.
std::optional<Shaping> FindRecorded(const EndpointKey& key, Controller& controller) {
  const std::optional<Endpoint> endpoint = controller.FindEndpoint(key);
  if (!endpoint) return {};
  for (const Attachment& attachment : endpoint->attachments) {
    if (attachment.plugin == kName && !attachment.state.empty()) {
      return DecodeShaping(attachment.state);
    }
  }
  return {};
}

/// Where to shape. A former call's choice stands if it wanted the same; else what it made goes.
Site ChooseSite(const Config& config, const netlink::Link& link, Controller& controller,
                const cni::Call& call, netlink::Socket& host) {
  const EndpointKey key = cni::KeyOf(call);
  std::optional<Shaping> former = FindRecorded(key, controller);
  if (former && former->config == config && former->site.link == link.name &&
      former->site.ifindex == link.ifindex) {
    former->site.mtu = link.mtu;
    return std::move(former->site);
  }
  if (former) {
    controller.RemoveAttachments(
        {.key = key, .plugin = std::string(kName), .restore = RestoreRecorded});
  }
  return SurveySite(link, key, host);
}

void WarnOfSmallBurst(const Limit& limit, std::string_view key, const netlink::Link& link) {
  const uint32_t packet = link.mtu + kEthernetHeader;
  if (!limit.set() || BytesIn(MakeTokenBucket(limit)) >= packet) return;
  Warn(fmt::format("{}: {} bits hold no packet of {} bytes: such packets will be dropped", key,
                   limit.burst, packet));
}

cni::Result Add(const cni::Call& call) {
  const Config config = DecodeConfig(*call.conf);
  cni::WarnUnknownKeys(call);
  cni::Result result = cni::RequirePrevResult(call, kUnchained);
  if (!config.any()) return result;
  cnm::AttachmentSpec spec = cni::MakeAttachmentSpec(call, kName);
  netlink::Socket host = netlink::Socket::Open();
  const netlink::Link link =
      FindHostLink(result, call.ifname, netns::NetNs::Open(call.netns), host);
  WarnOfSmallBurst(config.ingress, "ingressBurst", link);
  WarnOfSmallBurst(config.egress, "egressBurst", link);
  Controller controller = cni::OpenController(call, {});
  const Shaping shaping{config, ChooseSite(config, link, controller, call, host)};
  const std::string owner = OwnerOf(call.network, call.container_id, call.ifname);
  Attachment& attachment = spec.wanted.emplace_back();
  attachment.plugin = kName;
  attachment.state = Encode(shaping);
  if (config.egress.set()) attachment.links.push_back(shaping.site.ifb);
  spec.apply = [&](Rollback& undo) { Apply(shaping, owner, host, undo); };
  controller.AddAttachments(spec);
  if (config.egress.set()) {
    result.interfaces.push_back(
        {.name = shaping.site.ifb, .mac = AttachedLinkMac(owner).ToString()});
  }
  return result;
}

void Check(const cni::Call& call) {
  const Config config = DecodeConfig(*call.conf);
  const cni::Result& previous = cni::RequirePrevResult(call, kUnchained);
  if (!config.any()) return;
  netlink::Socket host = netlink::Socket::Open();
  const netlink::Link link =
      FindHostLink(previous, call.ifname, netns::NetNs::Open(call.netns), host);
  Controller controller = cni::OpenController(call, {});
  const EndpointKey key = cni::KeyOf(call);
  controller.CheckAttachments(key, kName);
  const std::optional<Shaping> recorded = FindRecorded(key, controller);
  Shaping wanted{config, {.ifb = ReferenceIfbName(key)}};
  if (recorded) wanted.site = recorded->site;
  wanted.site.link = link.name;
  wanted.site.ifindex = link.ifindex;
  Verify(wanted, host);
}

void Del(const cni::Call& call) {
  Teardown teardown;
  teardown.TryUnwrapped([&] {
    cni::RemoveAttachments(call,
                           {.key = {}, .plugin = std::string(kName), .restore = RestoreRecorded});
  });
  if (!call.network.empty()) {
    teardown.TryUnwrapped([&] {
      netlink::Socket host = netlink::Socket::Open();
      RemoveUnrecordedIfbs(cni::KeyOf(call), host);
    });
  }
  teardown.ThrowIfFailed();
}

void Gc(const cni::Call& call) {
  cni::CollectAttachments(call, kName, RestoreRecorded);
}

}  // namespace

constexpr cni::Plugin kPlugin{.name = kName,
                              .versions = std::span(cni::kVersions).subspan(2),
                              .add = Add,
                              .del = Del,
                              .check = Check,
                              .gc = Gc};

}  // namespace cnm::bandwidth
