// host_link.h: the host's end of the container's interface.
#pragma once

#include <string>

#include "common/netlink/link.h"
#include "common/netlink/socket.h"
#include "common/netns/netns.h"
#include "plugins/cni/result.h"

namespace cnm::bandwidth {

/// The veth on the host whose peer is `ifname` in the sandbox. It must be among the prevResult's
/// interfaces (reference BW-3). All is asked from the host's side: the sandbox is not entered.
/// @throws Error kConfig in the reference's words: "no interfaces provided", "container interface x
/// has no veth peer: ...", "veth peer with index N is not in host ns", "no veth peer of container
/// interface found in host ns"
netlink::Link FindHostLink(const cni::Result& previous, const std::string& ifname,
                           const netns::NetNs& sandbox, netlink::Socket& host);

}  // namespace cnm::bandwidth
