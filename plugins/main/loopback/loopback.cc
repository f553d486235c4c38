// loopback.cc: the loopback plugin: brings up lo in the container's netns and reports its
// addresses.
//
//   container netns
//   ┌──────────────────────┐
//   │ lo  127.0.0.1/8  up  │   the kernel makes lo and gives it its addresses
//   │     ::1/128          │   when it comes up
//   └──────────────────────┘
//
// CNI_IFNAME is ignored: the name is always lo. DEL leaves it up. Lo belongs to the netns and dies
// with it; a netns that lives on (a container leaving one of its networks) must not lose its
// loopback with an attachment.
#include "plugins/main/loopback/loopback.h"

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

#include <fmt/format.h>

#include "common/base/error.h"
#include "common/netlink/link.h"
#include "common/netlink/socket.h"
#include "common/netns/netns.h"
#include "plugins/cni/call.h"
#include "plugins/cni/result.h"

namespace cnm::loopback {
namespace {

using netlink::LinkAddress;

constexpr std::string_view kName = "lo";

/// @throws Error kConfig "loopback interface found with non-loopback address "192.0.2.1""
void RequireLoopbackOnly(const std::vector<LinkAddress>& addresses) {
  for (const LinkAddress& address : addresses) {
    if (address.prefix.address.IsLoopback()) continue;
    throw Error(Code::kConfig,
                fmt::format("loopback interface found with non-loopback address {:?}",
                            address.prefix.address.ToString()));
  }
}

/// The first address of each family, IPv4 first.
cni::Result MakeResult(const std::string& sandbox, const std::vector<LinkAddress>& addresses) {
  cni::Result result;
  result.interfaces.push_back(
      {.name = std::string(kName), .mac = "00:00:00:00:00:00", .sandbox = sandbox});
  for (const net::Family family : net::kFamilies) {
    const auto first = std::find_if(addresses.begin(), addresses.end(), [&](const auto& address) {
      return address.prefix.address.family() == family;
    });
    if (first != addresses.end()) result.ips.push_back({first->prefix, {}, 0});
  }
  return result;
}

cni::Result Add(const cni::Call& call) {
  cni::WarnUnknownKeys(call);
  netns::NetNs::Open(call.netns).Enter();
  netlink::Socket socket = netlink::Socket::Open();
  const netlink::Link link = socket.GetLink(kName);
  if (!link.up()) socket.Execute(netlink::ChangeLink(link.ifindex, {.up = true}));
  const std::vector<LinkAddress> addresses = socket.Addresses(link.ifindex);
  RequireLoopbackOnly(addresses);
  call.steps.Mark("lo");
  return call.prev_result ? *call.prev_result : MakeResult(call.netns, addresses);
}

void Check(const cni::Call& call) {
  netns::NetNs::Open(call.netns).Enter();
  if (netlink::Socket::Open().GetLink(kName).up()) return;
  throw Error(Code::kKernel, "loopback interface is down");
}

}  // namespace

constinit const cni::Plugin kPlugin = {.name = "loopback", .add = Add, .check = Check};

}  // namespace cnm::loopback
