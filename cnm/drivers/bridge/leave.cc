// leave.cc: removing an endpoint's links, with and without a record.
#include "cnm/drivers/bridge/driver.h"
#include "cnm/id.h"
#include "cnm/owned_link.h"
#include "common/netlink/socket.h"

namespace cnm::bridge {
namespace {

/// Removes the host link if it is the owner's: by its alias, or by its MAC when the process was
/// killed before it set the alias. Its peer goes with it.
bool RemoveHostLink(const std::string& name, const std::string& owner, HostKernel& host) {
  const std::optional<netlink::Link> link = host.links().FindLink(name);
  if (!link || !IsOwnedLink(*link, owner, HostLinkMac(owner))) return false;
  host.RemoveLink(link->ifindex);
  return true;
}

}  // namespace

bool BridgeDriver::Leave(const Endpoint& endpoint, HostKernel& host) const {
  return endpoint.host_link && RemoveHostLink(endpoint.host_link->name, endpoint.owner, host);
}

bool BridgeDriver::LeaveUnrecorded(const EndpointKey& key,
                                   const std::optional<netns::NetNs>& sandbox,
                                   HostKernel& host) const {
  const std::string owner = OwnerOf(key.network, key.container_id, key.ifname);
  // The names it may have been given, up to the first that nobody has.
  for (uint32_t attempt = 0; host.links().FindLink(HostLinkName(owner, attempt)); ++attempt) {
    if (RemoveHostLink(HostLinkName(owner, attempt), owner, host)) return true;
  }
  if (!sandbox) return false;
  // Another implementation made it: its host link has a random name, so it is found by its far end.
  sandbox->Enter();
  netlink::Socket inside = netlink::Socket::Open();
  const std::optional<netlink::Link> link = inside.FindLink(key.ifname);
  if (link && link->kind == "veth") inside.Execute(netlink::RemoveLink(link->ifindex));
  return false;
}

}  // namespace cnm::bridge
