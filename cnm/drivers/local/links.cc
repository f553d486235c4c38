// links.cc: endpoints of a closed network that a join asks to be linked (kin.h).
//
// Theory of operation: a link is an attachment of the endpoint whose join asked for it, so that it
// goes with its leave, whoever finishes that, and comes back with a reload. It names the addresses
// of both. When the other endpoint is deleted its address is free for anybody, so the link goes
// before it. Both may ask for the same link; the packet filter has it once, and the one that stays
// puts it back.
#include <algorithm>
#include <map>

#include <fmt/format.h>

#include "cnm/drivers/local/kin.h"
#include "cnm/drivers/local/local_driver.h"
#include "common/base/error.h"
#include "common/base/log.h"

namespace cnm::local {
namespace {

AttachmentSpec SpecOf(const Endpoint& endpoint, const std::string& peer_id) {
  return {.key = endpoint.key, .plugin = KinPlugin(peer_id), .sandbox = endpoint.sandbox};
}

/// The attachments of this plugin.
std::vector<Attachment> AttachmentsOf(const Endpoint& endpoint, const std::string& plugin) {
  std::vector<Attachment> attachments = endpoint.attachments;
  std::erase_if(attachments, [&](const Attachment& a) { return a.plugin != plugin; });
  return attachments;
}

bool Contains(const std::vector<EndpointKey>& keys, const EndpointKey& key) {
  return std::find(keys.begin(), keys.end(), key) != keys.end();
}

}  // namespace

/// An endpoint of this door on the network; nullopt for one of another network, with which a join
/// of the same sandbox links. @throws Error kConfig when there is none anywhere
std::optional<Endpoint> LocalDriver::FindKin(const LocalNetwork& network, const std::string& id,
                                             Controller& controller) const {
  auto endpoint = controller.FindEndpoint({network.name, id, ""});
  if (endpoint && endpoint->door == options_.door) return endpoint;
  if (id.empty() || controller.FindEndpoints(id, "").empty()) {
    throw Error(Code::kConfig, fmt::format("invalid endpoint id: {}", id));
  }
  return std::nullopt;
}

/// Makes the links that its join asked for.
void LocalDriver::AddKin(const LocalNetwork& network, const Endpoint& endpoint, const Kin& kin,
                         Controller& controller) const {
  std::map<std::string, firewall::Rules> rules;
  const std::string bridge = BridgeOf(CoreNetwork(network, controller).options);
  const auto plan = [&](const std::string& id, bool parent) {
    const auto other = FindKin(network, id, controller);
    if (!other || id == endpoint.key.container_id) return;
    for (const firewall::Passage& passage :
         parent ? MakePassages(*other, endpoint, bridge) : MakePassages(endpoint, *other, bridge)) {
      rules[id].passages.push_back(passage);
    }
  };
  for (const std::string& id : kin.parents) plan(id, true);
  for (const std::string& id : kin.children) plan(id, false);
  for (const auto& [id, wanted] : rules) {
    AttachmentSpec spec = SpecOf(endpoint, id);
    spec.wanted.emplace_back().rules = wanted;
    controller.AddAttachments(spec);
  }
  if (const auto recorded = controller.FindEndpoint(endpoint.key)) kin_.Note(*recorded);
}

/// After a leave, which took away the endpoint's links: those that others asked for come back.
void LocalDriver::RestoreKin(const Endpoint& left, Controller& controller) const {
  kin_.ForgetAsker(left.key);
  const std::vector<EndpointKey> askers = kin_.AskersFor(left.key.container_id);
  for (const std::string& id : KinOf(left)) {
    const auto other = controller.FindEndpoint({left.key.network, id, ""});
    if (!other || !Contains(askers, other->key)) continue;
    AttachmentSpec spec = SpecOf(*other, left.key.container_id);
    spec.wanted = AttachmentsOf(*other, spec.plugin);
    if (spec.wanted.empty()) continue;
    try {
      controller.AddAttachments(spec);
    } catch (const Error& e) {  // it may be leaving too
      Warn(fmt::format("link of {} with {}: {}", Describe(other->key), id, e.message()));
    }
  }
}

/// Ends the links that others have with an endpoint that is deleted.
void LocalDriver::RemoveKin(const EndpointKey& key, Controller& controller) const {
  for (const EndpointKey& asker : kin_.AskersFor(key.container_id)) {
    controller.RemoveAttachments({.key = asker, .plugin = KinPlugin(key.container_id)});
  }
  kin_.Forget(key.container_id);
  kin_.ForgetAsker(key);
}

void LocalDriver::RemoveEndpoint(const Endpoint& endpoint, Controller& controller) const {
  RemoveKin(endpoint.key, controller);  // first: nobody else may have the address and the link
  controller.DeleteEndpoint(endpoint.key);
  ForgetPorts(endpoint);
}

/// Ends the links with endpoints that are no more: another process removed them.
void LocalDriver::EndOrphanedKin(Controller& controller) const {
  for (const EndpointKey& peer : kin_.Peers()) {
    if (controller.FindEndpoint(peer)) continue;
    try {
      RemoveKin(peer, controller);
    } catch (const Error& e) {
      Warn(fmt::format("end the links with endpoint {}: {}", peer.container_id, e.message()));
    }
  }
}

}  // namespace cnm::local
