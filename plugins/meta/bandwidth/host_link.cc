// host_link.cc: the host's end of the container's interface.
#include "plugins/meta/bandwidth/host_link.h"

#include <optional>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "common/base/error.h"
#include "common/netlink/netns_id.h"

namespace cnm::bandwidth {
namespace {

/// A veth end on the host, and which netns its other end is in.
struct Candidate {
  netlink::Link link;
  std::optional<int> peer_netns;
};

std::vector<Candidate> FindCandidates(const cni::Result& previous, netlink::Socket& host) {
  std::vector<Candidate> candidates;
  for (const cni::ResultInterface& interface : previous.interfaces) {
    if (!interface.sandbox.empty()) continue;
    std::optional<netlink::Link> link = host.FindLink(interface.name);
    if (!link || link->kind != "veth") continue;
    const std::optional<int> netns = netlink::FindPeerNetnsId(host, link->ifindex);
    candidates.push_back({*std::move(link), netns});
  }
  return candidates;
}

[[noreturn]] void FailWithoutPeer(const std::string& ifname, std::string_view reason) {
  throw Error(Code::kConfig,
              fmt::format("container interface {} has no veth peer: {}", ifname, reason),
              "only veth interfaces, as of the plugins bridge and ptp, can be limited");
}

/// The container's end. Its netns has a number here if any link leads there: none, no veth.
netlink::Link GetContainerLink(const std::string& ifname, std::optional<int> netns,
                               netlink::Socket& host) {
  if (!netns) FailWithoutPeer(ifname, "no link leads from its network namespace to the host's");
  std::optional<netlink::Link> link = netlink::FindLinkIn(host, *netns, ifname);
  if (!link) FailWithoutPeer(ifname, "Link not found");
  if (link->kind != "veth") FailWithoutPeer(ifname, fmt::format("it is of kind {:?}", link->kind));
  return *std::move(link);
}

}  // namespace

netlink::Link FindHostLink(const cni::Result& previous, const std::string& ifname,
                           const netns::NetNs& sandbox, netlink::Socket& host) {
  if (previous.interfaces.empty()) {
    throw Error(Code::kConfig, "no interfaces provided", "$.prevResult.interfaces");
  }
  std::vector<Candidate> candidates = FindCandidates(previous, host);
  const std::optional<int> netns = netlink::FindNetnsId(host, sandbox.fd());
  const netlink::Link inside = GetContainerLink(ifname, netns, host);
  for (Candidate& candidate : candidates) {
    if (candidate.peer_netns != netns || candidate.link.ifindex != inside.peer) continue;
    if (candidate.link.peer == inside.ifindex) return std::move(candidate.link);
  }
  if (!host.FindLink(inside.peer)) {
    throw Error(Code::kConfig,
                fmt::format("veth peer with index {} is not in host ns", inside.peer));
  }
  throw Error(Code::kConfig, "no veth peer of container interface found in host ns",
              "$.prevResult.interfaces: none of those without sandbox is the peer");
}

}  // namespace cnm::bandwidth
