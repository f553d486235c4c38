// host_ports_test.cc: host ports for published ports.
#include "cnm/drivers/local/host_ports.h"

#include <memory>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "common/base/error.h"

namespace cnm::local {
namespace {

using engine::PortBinding;

std::string Failure(HostPorts& ports, const std::vector<PortBinding>& wanted) {
  try {
    ports.Take(wanted);
  } catch (const Error& e) {
    return e.message();
  }
  return "";
}

TEST(HostPorts, AreChosenFromTheRangeThatIsAskedFor) {
  HostPorts ports({50000, 50001});
  const auto taken = ports.Take({{.port = 80},
                                 {.port = 80, .host_port = 8080, .host_port_end = 8081},
                                 {.port = 81, .host_port = 8080, .host_port_end = 8081}});
  ASSERT_EQ(taken.size(), 3U);
  EXPECT_EQ(taken[0].host_port, 50000);
  EXPECT_EQ(taken[0].host_port_end, 50000);
  EXPECT_EQ(taken[1].host_port, 8080);
  EXPECT_EQ(taken[2].host_port, 8081);
  EXPECT_NE(Failure(ports, {{.host_port = 8080, .host_port_end = 8081}}), "");
  ports.GiveBack({taken[1]});
  EXPECT_EQ(Failure(ports, {{.host_port = 8080, .host_port_end = 8081}}), "");
}

TEST(HostPorts, AreTakenAllOrNotAtAll) {
  HostPorts ports({50000, 50009});
  EXPECT_EQ(Failure(ports, {{.host_port = 80}, {.protocol = 1, .host_port = 81}}),
            "invalid transport protocol: 1");
  EXPECT_EQ(Failure(ports, {{.host_port = 80}, {.host_port = 80}}),
            "Bind for 0.0.0.0:80 failed: port is already allocated");
  EXPECT_EQ(Failure(ports, {{.host_port = 80}}), "");
}

TEST(HostPorts, OfOneAddressLeaveTheOthersFree) {
  HostPorts ports({50000, 50009});
  const auto one = net::Address::Parse("198.51.100.1");
  const auto other = net::Address::Parse("198.51.100.2");
  EXPECT_EQ(Failure(ports, {{.host_ip = one, .host_port = 80}}), "");
  EXPECT_EQ(Failure(ports, {{.host_ip = other, .host_port = 80}}), "");
  EXPECT_NE(Failure(ports, {{.host_port = 80}}), "") << "every address, so also these";
  EXPECT_EQ(Failure(ports, {{.protocol = 17, .host_port = 80}}), "");
}

TEST(HostPorts, ThatWerePublishedBeforeAreKnown) {
  HostPorts ports({50000, 50009});
  ports.Note({{.port = 80, .host_port = 8080, .host_port_end = 8080}});
  ports.Note({{.port = 80, .host_port = 8080, .host_port_end = 8080}});
  EXPECT_NE(Failure(ports, {{.host_port = 8080}}), "");
}

/// Takes note of what it is told to serve.
class NotingProxy : public PortProxy {
 public:
  void Serve(const HostPort&, Fd, const net::Address&, uint16_t) override { ++served; }
  void Stop(const HostPort&) override {}
  int served = 0;
};

TEST(HostPorts, SayThatSctpIsNotProxied) {
  const auto proxy = std::make_shared<NotingProxy>();
  HostPorts ports({50000, 50009}, true, proxy);
  const std::vector<net::Address> targets = {*net::Address::Parse("192.0.2.2")};
  const PortBinding udp{
      .protocol = 17, .port = 80, .host_ip = net::Address::Parse("127.0.0.1"), .host_port = 50007};
  PortBinding sctp = udp;
  sctp.protocol = 132;
  const auto taken = ports.Take({udp, sctp});
  ::testing::internal::CaptureStderr();
  ports.Serve(taken, targets);
  EXPECT_NE(::testing::internal::GetCapturedStderr().find(
                "published port 50007/sctp: the userland proxy serves tcp and udp only"),
            std::string::npos);
  EXPECT_EQ(proxy->served, 1);
  ports.GiveBack(taken);
}

}  // namespace
}  // namespace cnm::local
