// kin.cc: endpoints of a closed network that may reach one another.
#include "cnm/drivers/local/kin.h"

#include <algorithm>
#include <optional>
#include <utility>

#include <fmt/format.h>

#include "cnm/drivers/local/endpoint_details.h"
#include "cnm/engine/labels.h"
#include "common/json/object.h"

namespace cnm::local {
namespace {

constexpr std::string_view kPrefix = "kin ";

std::optional<firewall::Protocol> FindProtocol(uint8_t number) {
  using firewall::Protocol;
  for (const Protocol known : {Protocol::kTcp, Protocol::kUdp, Protocol::kSctp}) {
    if (number == static_cast<uint8_t>(known)) return known;
  }
  return std::nullopt;
}

/// The addresses of both, where they are of one family.
std::vector<std::pair<net::Address, net::Address>> PairsOf(const Endpoint& parent,
                                                           const Endpoint& child) {
  std::vector<std::pair<net::Address, net::Address>> pairs;
  for (const AddressGrant& from : parent.addressing.addresses) {
    for (const AddressGrant& to : child.addressing.addresses) {
      const net::Address& address = from.prefix.address;
      if (address.family() != to.prefix.address.family()) continue;
      pairs.emplace_back(address, to.prefix.address);
    }
  }
  return pairs;
}

}  // namespace

Kin DecodeKin(const std::string& labels) {
  Kin kin;
  if (labels.empty()) return kin;
  const json::Object all = json::Parse(labels, "sandbox labels");
  for (const auto& [key, value] : all.Members()) {
    const bool generic_label = key == engine::kGenericLabel && value.Text().starts_with('{');
    if (!generic_label) continue;
    const json::Object generic = all.RequiredObject(engine::kGenericLabel);
    generic.Optional("ParentEndpoints", kin.parents);
    generic.Optional("ChildEndpoints", kin.children);
  }
  return kin;
}

std::string KinPlugin(std::string_view peer_id) {
  return fmt::format("{}{}", kPrefix, peer_id);
}

std::vector<std::string> KinOf(const Endpoint& endpoint) {
  std::vector<std::string> peers;
  for (const Attachment& attachment : endpoint.attachments) {
    if (!attachment.plugin.starts_with(kPrefix)) continue;
    peers.push_back(attachment.plugin.substr(kPrefix.size()));
  }
  return peers;
}

std::vector<firewall::Passage> MakePassages(const Endpoint& parent, const Endpoint& child,
                                            const std::string& bridge) {
  std::vector<firewall::Passage> passages;
  for (const engine::ExposedPort& exposed : DetailsOf(child).exposed) {
    const auto protocol = FindProtocol(exposed.protocol);
    if (!protocol || exposed.port == 0) continue;
    for (const auto& [from, to] : PairsOf(parent, child)) {
      passages.push_back(
          {.bridge = bridge, .protocol = *protocol, .from = from, .to = to, .port = exposed.port});
    }
  }
  return passages;
}

void KinBook::Note(const Endpoint& endpoint) {
  const std::lock_guard guard(mutex_);
  for (const std::string& peer : KinOf(endpoint)) {
    std::vector<EndpointKey>& askers = askers_[peer];
    const bool known = std::find(askers.begin(), askers.end(), endpoint.key) != askers.end();
    if (!known) askers.push_back(endpoint.key);
  }
}

std::vector<EndpointKey> KinBook::AskersFor(const std::string& endpoint_id) const {
  const std::lock_guard guard(mutex_);
  const auto found = askers_.find(endpoint_id);
  return found == askers_.end() ? std::vector<EndpointKey>() : found->second;
}

std::vector<EndpointKey> KinBook::Peers() const {
  const std::lock_guard guard(mutex_);
  std::vector<EndpointKey> peers;
  for (const auto& [id, askers] : askers_) {
    for (const EndpointKey& asker : askers) {
      EndpointKey peer{asker.network, id, ""};
      if (peers.empty() || peers.back() != peer) peers.push_back(std::move(peer));
    }
  }
  return peers;
}

void KinBook::ForgetAsker(const EndpointKey& key) {
  const std::lock_guard guard(mutex_);
  for (auto& [peer, askers] : askers_) std::erase(askers, key);
  std::erase_if(askers_, [](const auto& entry) { return entry.second.empty(); });
}

void KinBook::Forget(const std::string& endpoint_id) {
  const std::lock_guard guard(mutex_);
  askers_.erase(endpoint_id);
}

}  // namespace cnm::local
