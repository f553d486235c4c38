// host_ports_test.cc: host ports for published ports.
#include "cnm/drivers/local/host_ports.h"

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

}  // namespace
}  // namespace cnm::local
