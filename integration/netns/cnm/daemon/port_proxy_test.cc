// port_proxy_test.cc: the userland proxy, asked by python's sockets.
#include "cnm/daemon/port_proxy.h"

#include <sys/resource.h>
#include <unistd.h>

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "integration/netns/cnm/drivers/local/local_site.h"

namespace cnm::local {
namespace {

/// Sends "one", ends its side, and prints what comes back before the other side ends.
constexpr char kAskTcp[] =
    "c=s.create_connection(('::1',8091),20);c.sendall(b'one');c.shutdown(s.SHUT_WR);"
    "print(b''.join(iter(lambda:c.recv(9),b'')).decode())";
constexpr char kAskUdp[] =
    "c=s.socket(s.AF_INET6,s.SOCK_DGRAM);c.settimeout(20);c.connect(('::1',8091));"
    "c.send(b'two');print(c.recv(9).decode())";

/// 40 clients at once, each with 200 kB of its own.
constexpr char kAskMuch[] = R"(
import concurrent.futures, os, socket
def ask(_):
    c = socket.create_connection(('::1', 8091), 30)
    asked = os.urandom(200000)
    c.sendall(asked)
    c.shutdown(socket.SHUT_WR)
    return b''.join(iter(lambda: c.recv(9999), b'')) == asked[::-1]
with concurrent.futures.ThreadPoolExecutor(40) as pool:
    print(sum(pool.map(ask, range(40))), 'of 40')
)";

/// 150 clients that say nothing, until one of them is turned away. Prints whether that came before
/// a process, whose id is filled in, had 160 descriptors open.
constexpr char kCrowd[] = R"(
import os, select, socket
clients = [socket.create_connection(('::1', 8091), 30) for _ in range(150)]
away = select.select(clients, [], [], 10)[0]
print(bool(away) and len(os.listdir('/proc/{}/fd')) < 160)
)";

constexpr char kListen[] = "s=socket.create_server(('',80),backlog=64)";
/// Answers what it was asked, backwards, when the client has ended.
constexpr char kReverseTcp[] =
    "a=s.accept()[0];q=b''.join(iter(lambda:a.recv(9999),b''));a.sendall(q[::-1]);a.close()";

class UserlandProxy : public LocalDriverTest {
 protected:
  void SetUp() override {
    LocalDriverTest::SetUp();
    if (IsSkipped()) return;
    Restart();
    driver_->CreateNetwork(MakeNetwork(kBlue, "192.0.2.0/24", "192.0.2.1/24"));
    Attach(MakeEndpoint(kBlue, "e1", "192.0.2.2/24"), sandbox_.emplace());
    driver_->ProgramExternalConnectivity(kBlue, "e1", ports_, "");
  }
  void TearDown() override {
    driver_.reset();
    LocalDriverTest::TearDown();
  }
  void Restart() {
    driver_.reset();
    driver_ = Open("docker", std::make_shared<HostPorts>(
                                 PortRange{}, true, std::make_shared<daemon::AsioPortProxy>()));
  }

  const std::vector<engine::PortBinding> ports_ = {{.port = 80, .host_port = 8091},
                                                   {.protocol = 17, .port = 80, .host_port = 8091}};
  std::optional<OtherNetns> sandbox_;
};

TEST_F(UserlandProxy, ServesIpv6ClientsOfAContainerWithoutIpv6) {
  const Server tcp(*sandbox_, kListen, kReverseTcp);
  const Server udp(*sandbox_, "s=socket.socket(socket.AF_INET,socket.SOCK_DGRAM);s.bind(('',80))",
                   "d,w=s.recvfrom(9);s.sendto(d[::-1],w)");
  for (int restart = 0; restart < 2; ++restart) {
    for (int again = 0; again < 2; ++again) {
      EXPECT_EQ(Python(kAskTcp), "eno");
      EXPECT_EQ(Python(kAskUdp), "owt");
    }
    Restart();
  }
  EXPECT_NE(Python("s.create_server(('::',8091),family=s.AF_INET6)"), "");
  driver_->RevokeExternalConnectivity(kBlue, "e1");
  EXPECT_EQ(Python(kAskTcp), "Connection refused");
  EXPECT_EQ(Python("s.create_server(('::',8091),family=s.AF_INET6)"), "");
  driver_->ProgramExternalConnectivity(kBlue, "e1", ports_, "");
  EXPECT_EQ(Python(kAskTcp), "eno") << "connections that linger are not in the way";
  driver_->Leave(kBlue, "e1");
  EXPECT_EQ(Python(kAskTcp), "Connection refused");
}

TEST_F(UserlandProxy, EndsConnectionsWhoseContainerRefuses) {
  EXPECT_NE(Python(kAskTcp), "None") << "no timeout: reset, or ended";
  const Server tcp(*sandbox_, kListen, kReverseTcp);
  EXPECT_EQ(Python(kAskTcp), "eno");
}

TEST_F(UserlandProxy, LeavesTheDaemonDescriptorsWhoeverConnects) {
  rlimit before{};
  ::getrlimit(RLIMIT_NOFILE, &before);
  rlimit few = before;
  few.rlim_cur = 200;
  ::setrlimit(RLIMIT_NOFILE, &few);
  Restart();
  const Server tcp(*sandbox_, kListen, kReverseTcp);
  EXPECT_EQ(Shell(fmt::format("python3 -c \"{}\"", fmt::format(kCrowd, ::getpid()))), "True");
  driver_->RevokeExternalConnectivity(kBlue, "e1");  // the crowd ends
  driver_->ProgramExternalConnectivity(kBlue, "e1", ports_, "");
  ::setrlimit(RLIMIT_NOFILE, &before);
}

TEST_F(UserlandProxy, PassesMuchOnToManyAtOnce) {
  const Server tcp(*sandbox_, kListen, kReverseTcp);
  EXPECT_EQ(Shell(fmt::format("python3 -c \"{}\"", kAskMuch)), "40 of 40");
}

}  // namespace
}  // namespace cnm::local
