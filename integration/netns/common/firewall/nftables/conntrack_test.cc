// conntrack_test.cc: which flows are forgotten, judged by conntrack(8).
#include "common/firewall/conntrack.h"

#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "common/net/prefix.h"
#include "integration/support/fresh_netns.h"

namespace cnm::firewall {
namespace {

using testing::Shell;

PortMapping Udp(uint16_t port, const char* target, uint16_t count = 1) {
  return {.protocol = Protocol::kUdp,
          .host_port = port,
          .target_port = port,
          .count = count,
          .target = net::Prefix::Parse(target).value()};
}

class ConntrackNetns : public testing::NetnsTest {
 protected:
  void SetUp() override {
    NetnsTest::SetUp();
    if (IsSkipped() || HasFatalFailure()) return;
    const auto flow = [](const char* protocol, const char* to, int port) {
      const std::string text(to);
      const bool v6 = text.find(':') != std::string::npos;
      const std::string from = v6 ? "2001:db8::9" : "198.51.100.9";
      std::string command = "conntrack -I -t 100 -p " + std::string(protocol) + " -s " + from +
                            " -d " + text + " --sport 4242 --dport " + std::to_string(port);
      if (std::string(protocol) == "tcp") command += " --state ESTABLISHED";
      Shell(command + " 2>/dev/null");
    };
    for (const char* to : {"192.0.2.1", "192.0.2.2", "2001:db8::1"}) {
      for (const int port : {52, 53, 54, 60}) flow("udp", to, port);
      flow("tcp", to, 53);
    }
    Shell("conntrack -I -t 100 -p udp -s 192.0.2.7 -d 192.0.2.8 --sport 53 --dport 9 2>/dev/null");
  }
  /// What is left: protocol, destination and port of each flow's original direction.
  static std::string Flows() {
    return Shell(
        "(conntrack -L; conntrack -L -f ipv6) 2>/dev/null | sed -n 's/^\\([a-z]*\\) .* src=.* "
        "dst=\\(.*\\) sport=.* dport=\\([0-9]*\\) .* src=.*/\\1 \\2 \\3/p' | sort -u | tr '\\n' "
        "','");
  }
  static std::string Without(std::string flows, const std::vector<std::string>& gone) {
    for (const std::string& flow : gone) {
      const size_t at = flows.find(flow + ",");
      EXPECT_NE(at, std::string::npos) << flow;
      if (at != std::string::npos) flows.erase(at, flow.size() + 1);
    }
    return flows;
  }
};

TEST_F(ConntrackNetns, ForgetsFlowsToAnyAddressOfTheHost) {
  const std::string before = Flows();
  EXPECT_EQ(FlushFlows(std::vector{Udp(53, "10.1.0.5/24")}), 2U);
  EXPECT_EQ(Flows(), Without(before, {"udp 192.0.2.1 53", "udp 192.0.2.2 53"}));
  EXPECT_EQ(FlushFlows(std::vector{Udp(53, "10.1.0.5/24")}), 0U);
}

TEST_F(ConntrackNetns, ForgetsFlowsToOneAddressOnly) {
  const std::string before = Flows();
  PortMapping one = Udp(53, "10.1.0.5/24");
  one.host_address = net::Address::Parse("192.0.2.2");
  EXPECT_EQ(FlushFlows(std::vector{one}), 1U);
  EXPECT_EQ(Flows(), Without(before, {"udp 192.0.2.2 53"}));
}

TEST_F(ConntrackNetns, ForgetsRangesAndBothFamilies) {
  const std::string before = Flows();
  PortMapping one = Udp(60, "10.1.0.5/24");
  one.host_address = net::Address::Parse("192.0.2.2");
  EXPECT_EQ(FlushFlows(std::vector{Udp(53, "2001:db8:1::5/64", 2), one}), 3U);
  EXPECT_EQ(Flows(),
            Without(before, {"udp 2001:db8::1 53", "udp 2001:db8::1 54", "udp 192.0.2.2 60"}));
}

TEST_F(ConntrackNetns, LeavesOtherProtocolsAlone) {
  const std::string before = Flows();
  PortMapping tcp = Udp(53, "10.1.0.5/24");
  tcp.protocol = Protocol::kTcp;
  EXPECT_EQ(FlushFlows(std::vector{tcp}), 0U);
  EXPECT_EQ(FlushFlows({}), 0U);
  EXPECT_EQ(Flows(), before);
}

TEST_F(ConntrackNetns, ForgetsHundredsAtOnce) {
  Shell(
      "for i in $(seq 1 300); do echo \"-I -t 100 -p udp -s 198.51.100.9 -d 192.0.2.1 --sport "
      "$((5000+i)) --dport 99\"; done | conntrack -R - >/dev/null 2>&1");
  EXPECT_EQ(FlushFlows(std::vector{Udp(99, "10.1.0.5/24")}), 300U);
}

}  // namespace
}  // namespace cnm::firewall
