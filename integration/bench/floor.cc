// floor: what a bridge ADD and DEL cost at the very least, and the launcher that measures every
// contender alike.
//
//   floor nothing                                                     starts and ends: the floor of
//   VERSION floor add NETNS IFNAME HOST_LINK BRIDGE ADDRESS/LENGTH GATEWAY    a container joins a
//   bridge: 3 sendmsg floor del HOST_LINK                                               one
//   RTM_DELLINK floor run PLAN | floor parallel PLAN                              see launcher.h
//
// Theory of operation. An ADD needs three datagrams and no fewer: one RTM_NEWLINK bears both ends
// of the veth pair with their names and MAC addresses, the host end on its bridge and up, the other
// one in the container; after the one setns, RTM_GETLINK gives the container end's ifindex (the
// kernel chooses it); a last batch of three messages sets it up and adds address and route. Nothing
// is parsed, recorded or leased: a plugin does all that on top.
#include <arpa/inet.h>
#include <fcntl.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <linux/veth.h>
#include <net/if.h>
#include <sched.h>

#include <array>
#include <cerrno>
#include <charconv>
#include <cstdint>
#include <cstdio>
#include <string>
#include <string_view>

#include <fmt/format.h>

#include "integration/bench/launcher.h"
#include "integration/bench/raw_netlink.h"

namespace cnm::bench {
namespace {

struct AddArguments {
  std::string netns;
  std::string ifname;
  std::string host_link;
  std::string bridge;
  std::string prefix;
  std::string gateway;
};

using Ipv4 = std::array<std::uint8_t, 4>;
using MacAddress = std::array<std::uint8_t, 6>;

Ipv4 ParseIpv4(const std::string& text) {
  Ipv4 address;
  if (::inet_pton(AF_INET, text.c_str(), address.data()) != 1) Die(text, EINVAL);
  return address;
}

MacAddress MacOf(std::uint8_t side, const Ipv4& address) {
  return {0x02, side, address[0], address[1], address[2], address[3]};
}

void MakePair(RouteSocket& socket, const AddArguments& arguments, const Ipv4& address, int netns) {
  Batch batch;
  ifinfomsg up{};
  up.ifi_flags = IFF_UP;
  up.ifi_change = IFF_UP;
  batch.Begin(RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, up);
  batch.Put(IFLA_IFNAME, arguments.host_link);
  batch.Put(IFLA_MASTER, ::if_nametoindex(arguments.bridge.c_str()));
  const MacAddress host_mac = MacOf(1, address);
  batch.Put(IFLA_ADDRESS, host_mac.data(), host_mac.size());
  const std::size_t info = batch.Open(IFLA_LINKINFO);
  batch.Put(IFLA_INFO_KIND, "veth");
  const std::size_t data = batch.Open(IFLA_INFO_DATA);
  const std::size_t peer = batch.Open(VETH_INFO_PEER, sizeof(ifinfomsg));
  batch.Put(IFLA_IFNAME, arguments.ifname);
  const MacAddress mac = MacOf(0, address);
  batch.Put(IFLA_ADDRESS, mac.data(), mac.size());
  batch.Put(IFLA_NET_NS_FD, static_cast<std::uint32_t>(netns));
  batch.Close(peer);
  batch.Close(data);
  batch.Close(info);
  socket.Run(batch, "create veth");
}

void Configure(RouteSocket& socket, const AddArguments& arguments, const Ipv4& address,
               std::uint8_t length) {
  const int ifindex = socket.FindLink(arguments.ifname);
  Batch batch;
  ifinfomsg up{};
  up.ifi_index = ifindex;
  up.ifi_flags = IFF_UP;
  up.ifi_change = IFF_UP;
  batch.Begin(RTM_NEWLINK, 0, up);
  ifaddrmsg to{};
  to.ifa_family = AF_INET;
  to.ifa_prefixlen = length;
  to.ifa_index = static_cast<std::uint32_t>(ifindex);
  batch.Begin(RTM_NEWADDR, NLM_F_CREATE | NLM_F_EXCL, to);
  batch.Put(IFA_LOCAL, address.data(), address.size());
  batch.Put(IFA_ADDRESS, address.data(), address.size());
  rtmsg route{};
  route.rtm_family = AF_INET;
  route.rtm_table = RT_TABLE_MAIN;
  route.rtm_protocol = RTPROT_BOOT;
  route.rtm_type = RTN_UNICAST;
  batch.Begin(RTM_NEWROUTE, NLM_F_CREATE | NLM_F_EXCL, route);
  const Ipv4 gateway = ParseIpv4(arguments.gateway);
  batch.Put(RTA_GATEWAY, gateway.data(), gateway.size());
  batch.Put(RTA_OIF, static_cast<std::uint32_t>(ifindex));
  socket.Run(batch, "configure container link");
}

int Add(const AddArguments& arguments) {
  const std::size_t slash = arguments.prefix.find('/');
  std::uint8_t length = 0;
  if (slash == std::string::npos ||
      std::from_chars(arguments.prefix.data() + slash + 1,
                      arguments.prefix.data() + arguments.prefix.size(), length)
              .ec != std::errc{}) {
    Die(arguments.prefix, EINVAL);
  }
  const Ipv4 address = ParseIpv4(arguments.prefix.substr(0, slash));
  const int netns = ::open(arguments.netns.c_str(), O_RDONLY | O_CLOEXEC);
  if (netns < 0) Die(arguments.netns, errno);
  RouteSocket host;
  MakePair(host, arguments, address, netns);
  if (::setns(netns, CLONE_NEWNET) != 0) Die("setns", errno);
  RouteSocket container;
  Configure(container, arguments, address, length);
  return 0;
}

int Del(const std::string& host_link) {
  RouteSocket socket;
  Batch batch;
  batch.Begin(RTM_DELLINK, 0, ifinfomsg{});
  batch.Put(IFLA_IFNAME, host_link);
  socket.Run(batch, "delete link");
  return 0;
}

int Main(int argc, char** argv) {
  const std::string_view verb = argc > 1 ? argv[1] : "";
  if (verb == "nothing") return 0;
  if (verb == "add" && argc == 8)
    return Add({argv[2], argv[3], argv[4], argv[5], argv[6], argv[7]});
  if (verb == "del" && argc == 3) return Del(argv[2]);
  if ((verb == "run" || verb == "parallel") && argc == 3)
    return RunPlan(argv[2], verb == "parallel");
  fmt::print(stderr,
             "usage: floor nothing | add NETNS IFNAME HOST_LINK BRIDGE ADDRESS/LENGTH GATEWAY | "
             "del HOST_LINK | run PLAN | parallel PLAN\n");
  return 2;
}

}  // namespace
}  // namespace cnm::bench

int main(int argc, char** argv) {
  return cnm::bench::Main(argc, argv);
}
