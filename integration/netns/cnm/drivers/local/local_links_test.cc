// local_links_test.cc: endpoints of a closed network that a join links, judged by traffic on both
// packet filters.
#include <memory>
#include <string>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "integration/netns/cnm/drivers/local/without_nftables.h"

namespace cnm::local {
namespace {

constexpr char kClosed[] = R"({"com.docker.network.bridge.enable_icc":"false"})";

/// Over IPv4 and IPv6.
constexpr char kListenOnBoth[] =
    "s=socket.create_server(('::',80),family=socket.AF_INET6,dualstack_ipv6=True)";

std::string Labels(const std::string& key, const std::string& id) {
  return fmt::format(R"({{"com.docker.network.generic":{{"{}":["{}"]}}}})", key, id);
}
std::string ChildIs(const std::string& id) {
  return Labels("ChildEndpoints", id);
}
std::string ParentIs(const std::string& id) {
  return Labels("ParentEndpoints", id);
}

/// "u" when a datagram from there to that port is answered.
std::string AskUdp(const OtherNetns& from, const std::string& address, int port) {
  return Shell(from.Inside(fmt::format(
      "python3 -c \"import socket as s\ns=s.socket(s.AF_INET,s.SOCK_DGRAM)\n"
      "s.settimeout(20);s.connect(('{}',{}));s.send(b'?')\ntry:print(s.recv(9).decode())"
      "\nexcept OSError:pass\"",
      address, port)));
}

/// Whether a connection from this port there is accepted.
bool ConnectsFrom(const OtherNetns& from, int source, const std::string& address, int port) {
  return Succeeds(
      from.Inside(fmt::format("python3 -c \"import socket as s\n"
                              "s.create_connection(('{}',{}),1,('',{}))\"",
                              address, port, source)));
}

/// A child that serves, its parent and a stranger on a network whose endpoints do not reach each
/// other.
struct Family {
  Family()
      : child_web(child, kListenOnBoth, "c=s.accept()[0];c.sendall(b'c');c.close()"),
        child_private(child, 81, "private"),
        parent_web(parent, 90, "p"),
        child_dns(child, "s=socket.socket(2,2);s.bind(('',53))",
                  "s.sendto(b'u',s.recvfrom(9)[1])") {}

  OtherNetns child, parent, stranger;
  Server child_web, child_private, parent_web, child_dns;
};

class LocalLinks : public WithoutNftables {
 protected:
  static EndpointConfig Dual(const std::string& id, int host) {
    EndpointConfig config = MakeEndpoint(kBlue, id, fmt::format("192.0.2.{}/24", host));
    config.interface.address_ipv6 = Cidr(fmt::format("2001:db8::{}/64", host));
    if (id == "c1") {
      config.exposed_ports = {{.port = 80}, {.port = 82}, {.protocol = 17, .port = 53}};
    }
    return config;
  }

  void MakeClosed() {
    NetworkConfig network = MakeNetwork(kBlue, "192.0.2.0/24", "192.0.2.1/24", kClosed);
    network.enable_ipv6 = true;
    network.ipv6 = {{.address_space = "LocalDefault",
                     .pool = Cidr("2001:db8::/64"),
                     .gateway = Cidr("2001:db8::1/64")}};
    driver_->CreateNetwork(network);
    (void)Succeeds("sysctl -qw net.bridge.bridge-nf-call-ip6tables=1");
  }

  std::unique_ptr<Family> MakeFamily() {
    MakeClosed();
    auto family = std::make_unique<Family>();
    Attach(Dual("c1", 2), family->child);
    Attach(Dual("p1", 3), family->parent, ChildIs("c1"));
    Attach(Dual("s1", 4), family->stranger);
    return family;
  }

  static std::string Passages() {
    return Shell(
        "{ nft list ruleset | grep -A4 'set passages' | grep -o '192.0.2.3 . 192.0.2.2[^,]*'; "
        "iptables-save | grep -- '-s 192.0.2.3/32 -d 192.0.2.2/32'; } 2>/dev/null; true");
  }

  static void ExpectLinked(const Family& family) {
    EXPECT_EQ(Ask(family.parent, "192.0.2.2", 80), "c");
    EXPECT_EQ(Ask(family.parent, "2001:db8::2", 80), "c");
    EXPECT_EQ(AskUdp(family.parent, "192.0.2.2", 53), "u");
    EXPECT_EQ(Ask(family.parent, "192.0.2.2", 81), "") << "not exposed";
    EXPECT_FALSE(Pings(family.parent, "192.0.2.2"));
    EXPECT_EQ(Ask(family.child, "192.0.2.3", 90), "") << "the other way round";
    EXPECT_FALSE(ConnectsFrom(family.child, 82, "192.0.2.3", 90)) << "no answer to anything";
    EXPECT_EQ(Ask(family.stranger, "192.0.2.2", 80), "");
    EXPECT_EQ(Ask(family.stranger, "2001:db8::2", 80), "");
  }

  static void ExpectUnlinked(const Family& family) {
    EXPECT_EQ(Ask(family.parent, "192.0.2.2", 80), "");
    EXPECT_EQ(Passages(), "");
  }

  // What either packet filter must show.
  void ParentsReachWhatTheirChildrenExpose();
  void LinksEndWithEitherEndpoint();
  void BothMayAsk();
  void LinksEndWithAnEndpointThatAnotherProcessRemoves();
};

void LocalLinks::ParentsReachWhatTheirChildrenExpose() {
  const auto family = MakeFamily();
  ExpectLinked(*family);
  EXPECT_TRUE(Succeeds(family->stranger.Inside("ip neigh show 192.0.2.2 | grep -q lladdr")))
      << "ARP passes between all ports";
  EXPECT_TRUE(Pings(family->stranger, "192.0.2.1"));
  driver_->Leave(kBlue, "p1");
  EXPECT_EQ(Passages(), "");
}

void LocalLinks::LinksEndWithEitherEndpoint() {
  const auto family = MakeFamily();
  EXPECT_NE(Passages(), "");
  driver_ = Open();  // as after a kill
  driver_->Leave(kBlue, "c1");
  EXPECT_NE(Passages(), "") << "its address is still its own";
  driver_->DeleteEndpoint(kBlue, "c1");
  EXPECT_EQ(Passages(), "") << "the address may be another's now";
  EXPECT_EQ(Failure([&] { driver_->Leave(kBlue, "p1"); }), "");
}

void LocalLinks::BothMayAsk() {
  MakeClosed();
  const Family family;
  Attach(Dual("c1", 2), family.child);
  Attach(Dual("p1", 3), family.parent, ChildIs("c1"));
  driver_->Leave(kBlue, "p1");
  ExpectUnlinked(family);
  driver_->DeleteEndpoint(kBlue, "p1");
  driver_->DeleteEndpoint(kBlue, "c1");

  const OtherNetns first;
  const OtherNetns second;
  const Server web(second, kListenOnBoth, "c=s.accept()[0];c.sendall(b'c');c.close()");
  Attach(Dual("p1", 3), first);
  Attach(Dual("c1", 2), second, ParentIs("p1"));
  EXPECT_EQ(Ask(first, "192.0.2.2", 80), "c");
  driver_->Leave(kBlue, "p1");
  driver_->Join(kBlue, "p1", "/run/docker/netns/y", ChildIs("c1"));
  EXPECT_NE(Passages(), "");
  driver_->Leave(kBlue, "p1");
  EXPECT_NE(Passages(), "") << "the child still asks for it";
  driver_->Leave(kBlue, "c1");
  EXPECT_EQ(Passages(), "");
}

void LocalLinks::LinksEndWithAnEndpointThatAnotherProcessRemoves() {
  const auto family = MakeFamily();
  ASSERT_TRUE(AnotherProcess().DeleteEndpoint({"docker-bbbbbbbbbbbb", "c1", ""}));
  driver_->Reconcile();
  EXPECT_EQ(Passages(), "") << "the address may be another's now";
}

class OnNftables : public LocalLinks {
 protected:
  void SetUp() override {
    LocalLinks::SetUp();
    if (!IsSkipped()) driver_ = Open();
  }
};

TEST_F(OnNftables, ParentsReachWhatTheirChildrenExpose) {
  ParentsReachWhatTheirChildrenExpose();
}

TEST_F(OnNftables, LinksEndWithEitherEndpoint) {
  LinksEndWithEitherEndpoint();
}

TEST_F(OnNftables, BothMayAsk) {
  BothMayAsk();
}

TEST_F(OnNftables, LinksEndWithAnEndpointThatAnotherProcessRemoves) {
  LinksEndWithAnEndpointThatAnotherProcessRemoves();
}

TEST_F(OnNftables, AReloadLinksAgain) {
  const auto family = MakeFamily();
  Shell("nft delete table inet cnm; nft delete table bridge cnm 2>/dev/null || true");
  EXPECT_EQ(Ask(family->stranger, "192.0.2.2", 80), "c") << "nothing is closed";
  EXPECT_TRUE(Reload().errors.empty());
  ExpectLinked(*family);
}

TEST_F(OnNftables, AnUnknownEndpointIsNoKin) {
  MakeClosed();
  driver_->CreateEndpoint(Dual("p1", 3));
  EXPECT_EQ(Failure([&] { driver_->Join(kBlue, "p1", "/x", ChildIs("nobody")); }),
            "invalid endpoint id: nobody; ");
  EXPECT_FALSE(Succeeds("ip -br link show type veth | grep -q .")) << "the join is undone";
  driver_->CreateEndpoint(MakeEndpoint(kBlue, "c1", "192.0.2.2/24"));
  EXPECT_EQ(Failure([&] { driver_->Join(kBlue, "p1", "/x", ChildIs("c1")); }), "");
  EXPECT_EQ(Passages(), "") << "it exposes nothing";
}

using OnIptables = LocalLinks;

TEST_F(OnIptables, ParentsReachWhatTheirChildrenExpose) {
  Run([&] { ParentsReachWhatTheirChildrenExpose(); });
}

TEST_F(OnIptables, LinksEndWithEitherEndpoint) {
  Run([&] { LinksEndWithEitherEndpoint(); });
}

TEST_F(OnIptables, BothMayAsk) {
  Run([&] { BothMayAsk(); });
}

TEST_F(OnIptables, LinksEndWithAnEndpointThatAnotherProcessRemoves) {
  Run([&] { LinksEndWithAnEndpointThatAnotherProcessRemoves(); });
}

TEST_F(OnIptables, AReloadLinksAgain) {
  Run([&] {
    const auto family = MakeFamily();
    Shell("iptables -F; iptables -X; ip6tables -F; ip6tables -X");
    EXPECT_EQ(Ask(family->stranger, "192.0.2.2", 80), "c") << "nothing is closed";
    EXPECT_TRUE(Reload().errors.empty());
    ExpectLinked(*family);
  });
}

}  // namespace
}  // namespace cnm::local
