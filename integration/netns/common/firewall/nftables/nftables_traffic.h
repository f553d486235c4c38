// nftables_traffic.h: hosts for tests that judge the nftables backend by packets.
#pragma once

#include <string>

#include "integration/netns/common/firewall/nftables/nftables_netns.h"
#include "integration/support/fresh_netns.h"

namespace cnm::firewall {

using testing::OtherNetns;
using testing::Shell;
using testing::Succeeds;

/// A container and a neighbour on one bridge of this netns, which routes between them and an
/// outside host.
class NftablesTraffic : public NftablesNetns {
 protected:
  void SetUp() override {
    NftablesNetns::SetUp();
    if (IsSkipped() || HasFatalFailure()) return;
    Shell(
        "sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1; ip link add br0 address "
        "02:00:00:00:00:09 up type bridge; "
        "sysctl -qw net.ipv4.conf.br0.route_localnet=1; "
        "ip addr add 192.0.2.1/24 dev br0; ip addr add 2001:db8:1::1/64 dev br0 nodad");
    Attach(container_, "veth1", "192.0.2.5/24", "2001:db8:1::5/64");
    Attach(neighbour_, "veth2", "192.0.2.6/24", "2001:db8:1::6/64");
    Shell(
        "ip link set veth1 type bridge_slave hairpin on; "
        "ip link add out0 type veth peer name eth0 netns " +
        outside_.path() +
        "; ip addr add 198.51.100.1/24 dev out0; ip addr add 2001:db8:2::1/64 dev out0 nodad; ip "
        "link set out0 up");
    Shell(outside_.Inside(
        "sh -c 'ip addr add 198.51.100.2/24 dev eth0; ip addr add 2001:db8:2::2/64 dev eth0 nodad; "
        "ip link set eth0 up; ip route add default via 198.51.100.1; ip -6 route add default via "
        "2001:db8:2::1'"));
  }
  void Attach(const OtherNetns& netns, const std::string& link, const std::string& v4,
              const std::string& v6) {
    Shell("ip link add " + link + " master br0 up type veth peer name eth0 netns " + netns.path());
    Shell(netns.Inside(
        "sh -c 'ip addr add " + v4 + " dev eth0; ip addr add " + v6 +
        " dev eth0 nodad; ip link set eth0 up; "
        "ip route add default via 192.0.2.1; ip -6 route add default via 2001:db8:1::1'"));
  }

  OtherNetns container_, neighbour_, outside_;
};

}  // namespace cnm::firewall
