// masquerade_traffic_test.cc: masquerading and spoof guards, judged by the packets that others see.
#include <string>

#include <gtest/gtest.h>

#include "common/firewall/nftables/nftables.h"
#include "integration/netns/common/firewall/nftables/nftables_traffic.h"

namespace cnm::firewall {
namespace {

class NftablesMasquerade : public NftablesTraffic {
 protected:
  /// The source address that `at` sees of the packet that the command sends; "" if none comes
  /// within 20 s.
  static std::string Seen(const OtherNetns& at, const std::string& command) {
    const std::string listen = at.Inside(
        "timeout 20 tcpdump -p -i eth0 -nn -l -c 1 'udp port 4242' 2>&1 | "
        "sed -u -n '/listening/p; s/.*IP6* \\([0-9a-f.:]*\\)\\.[0-9]* >.*/\\1/p'");
    // The packet goes out once the listener says that it listens.
    return Shell("(" + listen + ") | while read -r line; do case \"$line\" in *listening*) " +
                 command + ";; *) echo \"$line\"; break;; esac; done");
  }
  std::string SourceSeen(const OtherNetns& at, const std::string& to) const {
    return Seen(at, container_.Inside(
                        "python3 -c 'import socket,sys; a=sys.argv[1]; "
                        "s=socket.socket(socket.AF_INET6 if chr(58) in a else socket.AF_INET, "
                        "socket.SOCK_DGRAM); s.sendto(b\"x\", (a, 4242))' " +
                        to));
  }
};

TEST_F(NftablesMasquerade, MasqueradesOutsideTheSubnetOnly) {
  EXPECT_EQ(SourceSeen(outside_, "198.51.100.2"), "192.0.2.5");
  const auto firewall = Make();
  const Rules rules = Masquerading(kOwnerA, {"192.0.2.5/24", "2001:db8:1::5/64"});
  firewall->Add(rules);
  Shell("conntrack -F 2>/dev/null || true");
  EXPECT_EQ(SourceSeen(outside_, "198.51.100.2"), "198.51.100.1");
  EXPECT_EQ(SourceSeen(outside_, "2001:db8:2::2"), "2001:db8:2::1");
  // Also when the bridge hands its frames to the packet filter.
  (void)Succeeds("sysctl -qw net.bridge.bridge-nf-call-iptables=1");
  EXPECT_EQ(SourceSeen(neighbour_, "192.0.2.6"), "192.0.2.5");
  EXPECT_EQ(SourceSeen(neighbour_, "2001:db8:1::6"), "2001:db8:1::5");
  firewall->Remove(rules);
  Shell("conntrack -F 2>/dev/null || true");
  EXPECT_EQ(SourceSeen(outside_, "198.51.100.2"), "192.0.2.5");
}

TEST_F(NftablesMasquerade, LeavesMulticastAlone) {
  // This host itself sends from the address that is masqueraded: its multicast needs no multicast
  // routing.
  Make()->Add(Masquerading(kOwnerA, {"192.0.2.1/24"}));
  const auto source_of = [&](const std::string& to) {
    return Seen(
        outside_,
        "python3 -c 'import socket,sys; s=socket.socket(socket.AF_INET, socket.SOCK_DGRAM); "
        "s.bind((\"192.0.2.1\", 0)); "
        "s.setsockopt(0, socket.IP_MULTICAST_IF, socket.inet_aton(\"198.51.100.1\")); "
        "s.sendto(b\"x\", (sys.argv[1], 4242))' " +
            to);
  };
  EXPECT_EQ(source_of("198.51.100.2"), "198.51.100.1");
  EXPECT_EQ(source_of("239.1.2.3"), "192.0.2.1");
}

TEST_F(NftablesMasquerade, DropsFramesWithAForgedMac) {
  Rules rules{.owner = kOwnerA, .network = "blue"};
  const std::string own =
      Shell(container_.Inside("ip -j link show eth0") + " | jq -r '.[0].address'");
  rules.spoof_guard = SpoofGuard{"veth1", net::Mac::Parse(own).value()};
  const auto firewall = Make();
  firewall->Add(rules);
  EXPECT_TRUE(Succeeds(container_.Inside("ping -c 1 -W 5 192.0.2.6")));
  EXPECT_TRUE(Succeeds(neighbour_.Inside("ping -c 1 -W 5 192.0.2.1")));
  Shell(container_.Inside("ip link set eth0 address 02:00:00:00:00:66"));
  EXPECT_FALSE(Succeeds(container_.Inside("ping -c 1 -W 1 192.0.2.6")));
  EXPECT_FALSE(Succeeds(container_.Inside("ping -c 1 -W 1 192.0.2.1")));
  firewall->Remove(rules);
  Shell(container_.Inside("ip neigh flush dev eth0"));  // it has asked in vain, and may give up
  EXPECT_TRUE(Succeeds(container_.Inside("ping -c 1 -W 5 192.0.2.6")));
}

}  // namespace
}  // namespace cnm::firewall
