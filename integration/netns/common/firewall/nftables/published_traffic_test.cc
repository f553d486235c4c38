// published_traffic_test.cc: published ports, judged by connections.
#include <string>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "common/firewall/nftables/nftables.h"
#include "integration/netns/common/firewall/nftables/nftables_traffic.h"

namespace cnm::firewall {
namespace {

/// How long one that is to be reached may take, on a busy machine too; and how long nobody has to
/// come to be nobody, in s.
constexpr int kPatience = 20;
constexpr int kSilence = 2;

std::string Script(int seconds, const std::string& what, int port) {
  return fmt::format("python3 {}/integration/netns/common/firewall/nftables/reach.py {} {} {} ",
                     CNM_SOURCE_DIR, seconds, what, port);
}

/// What the server says after the client, who starts once the server says that it listens.
std::string Meet(const std::string& server, const std::string& client) {
  return Shell(fmt::format(
      "{} | while read -r line; do case \"$line\" in listening) {} & ;; *) echo \"$line\";; esac; "
      "done",
      server, client));
}

class NftablesPorts : public NftablesTraffic {
 protected:
  /// What a server at the container's port says about the client, whom `at` runs.
  std::string Reach(const std::string& at, const std::string& to, int port, int target_port,
                    bool udp = false) {
    const std::string kind = udp ? "udp" : "tcp";
    return Meet(container_.Inside(Script(kPatience, kind + " serve", target_port)),
                at + Script(kPatience, kind + " ask " + to, port));
  }
  /// Whether that server hears nothing at all.
  bool IsSilent(const std::string& at, const std::string& to, int port) {
    return Meet(container_.Inside(Script(kSilence, "tcp serve", 80)),
                at + Script(kSilence, "tcp ask " + to, port))
        .empty();
  }
  const std::string host_;  // no wrapper: here
};

TEST_F(NftablesPorts, ReachTheContainerFromEverywhere) {
  Make()->Add(Publishing(
      kOwnerA, {Publish(8080, "192.0.2.5/24", 80), Publish(8080, "2001:db8:1::5/64", 80)}));
  const std::string outside = outside_.Inside("");
  EXPECT_EQ(Reach(outside, "198.51.100.1", 8080, 80), "198.51.100.2");
  EXPECT_EQ(Reach(outside, "2001:db8:2::1", 8080, 80), "2001:db8:2::2");
  EXPECT_EQ(Reach(host_, "127.0.0.1", 8080, 80), "192.0.2.1");
  EXPECT_EQ(Reach(host_, "198.51.100.1", 8080, 80), "198.51.100.1");
  EXPECT_EQ(Reach(container_.Inside(""), "198.51.100.1", 8080, 80), "192.0.2.1");
  EXPECT_EQ(Reach(neighbour_.Inside(""), "198.51.100.1", 8080, 80), "192.0.2.1");
  EXPECT_EQ(Reach(neighbour_.Inside(""), "2001:db8:1::1", 8080, 80), "2001:db8:1::1");
  EXPECT_TRUE(IsSilent(outside, "198.51.100.1", 8081));
}

TEST_F(NftablesPorts, ReachTheContainerThroughRanges) {
  PortMapping range = Publish(7000, "192.0.2.5/24", 7000);
  range.count = 100;
  PortMapping shifted = Publish(6000, "192.0.2.5/24", 600);
  shifted.count = 10;
  PortMapping udp = range;
  udp.protocol = Protocol::kUdp;
  Make()->Add(Publishing(
      kOwnerA, {range, shifted, udp, At("198.51.100.1", Publish(7005, "192.0.2.5/24", 81))}));
  const std::string outside = outside_.Inside("");
  EXPECT_EQ(Reach(outside, "198.51.100.1", 7000, 7000), "198.51.100.2");
  EXPECT_EQ(Reach(outside, "198.51.100.1", 7099, 7099), "198.51.100.2");
  EXPECT_EQ(Reach(outside, "198.51.100.1", 7042, 7042, true), "198.51.100.2");
  EXPECT_EQ(Reach(outside, "198.51.100.1", 6009, 609), "198.51.100.2");
  // The specific address wins.
  EXPECT_EQ(Reach(outside, "198.51.100.1", 7005, 81), "198.51.100.2");
}

TEST_F(NftablesPorts, LeaveOtherHostsTrafficAlone) {
  Make()->Add(Publishing(kOwnerA, {Publish(8080, "192.0.2.5/24", 80)}));
  // From outside to the neighbour behind this host, and from the neighbour to a host outside.
  EXPECT_TRUE(IsSilent(outside_.Inside(""), "192.0.2.6", 8080));
  EXPECT_TRUE(IsSilent(neighbour_.Inside(""), "198.51.100.2", 8080));
}

TEST_F(NftablesPorts, MasqueradeAsAsked) {
  Rules rules = Publishing(kOwnerA, {Publish(8080, "192.0.2.5/24", 80)});
  const auto firewall = Make();
  const std::string outside = outside_.Inside("");
  rules.publication.masquerade_all = true;
  firewall->Add(rules);
  EXPECT_EQ(Reach(outside, "198.51.100.1", 8080, 80), "192.0.2.1");
  firewall->Remove(rules);
  EXPECT_EQ(Lines("aaaaaaaa"), "");
  rules.publication.masquerade_all = rules.publication.masquerade_local = false;
  firewall->Add(rules);
  EXPECT_EQ(Reach(outside, "198.51.100.1", 8080, 80), "198.51.100.2");
  EXPECT_EQ(Lines("elements.*aaaaaaaa"),
            "elements = { tcp . 8080 comment \"aaaaaaaaaaaaaaaa blue\" : 192.0.2.5 . 80 }");
}

TEST_F(NftablesPorts, LetNobodyOutsideReachLocalhost) {
  Shell("sysctl -qw net.ipv4.conf.out0.route_localnet=1; " +
        outside_.Inside("ip addr flush dev lo") + "; " +
        outside_.Inside("ip route add 127.0.0.5/32 via 198.51.100.1") + "; " +
        outside_.Inside("sysctl -qw net.ipv4.conf.eth0.route_localnet=1"));
  const auto reached = [&](int seconds) {
    return Meet(Script(seconds, "tcp serve", 9090),
                outside_.Inside(Script(seconds, "tcp ask 127.0.0.5", 9090)));
  };
  EXPECT_EQ(reached(kPatience), "198.51.100.2");
  Make()->Add(Publishing(kOwnerA, {Publish(8080, "192.0.2.5/24", 80)}));
  EXPECT_EQ(reached(kSilence), "");
}

}  // namespace
}  // namespace cnm::firewall
