// socket_test.cc: links, addresses and routes made in a real kernel, judged by ip(8).
#include "common/netlink/socket.h"

#include <linux/if.h>
#include <linux/if_addr.h>

#include <cerrno>
#include <chrono>
#include <string>
#include <thread>
#include <vector>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "common/base/error.h"
#include "common/netlink/announce.h"
#include "integration/support/fresh_netns.h"

namespace cnm::netlink {
namespace {

using testing::OtherNetns;
using testing::Shell;
using testing::Succeeds;

const net::Mac kHostMac{{0x02, 0, 0, 0, 0, 1}};
const net::Mac kPeerMac{{0x02, 0, 0, 0, 0, 2}};
const net::Mac kBridgeMac{{0x02, 0, 0, 0, 0, 3}};

net::Prefix Cidr(std::string_view text) {
  return net::Prefix::Parse(text).value();
}

std::string MessageOf(const std::function<void()>& work) {
  try {
    work();
  } catch (const Error& error) {
    return error.message();
  }
  return "";
}

class SocketNetns : public testing::NetnsTest {
 protected:
  void SetUp() override {
    NetnsTest::SetUp();
    if (IsSkipped() || HasFatalFailure()) return;
    socket_.emplace(Socket::Open());
  }

  VethSpec Veth() const {
    return {.name = "veth0",
            .mtu = 1400,
            .mac = kHostMac,
            .peer_name = "eth0",
            .peer_mac = kPeerMac,
            .peer_netns = other_.fd()};
  }
  /// A bridge br0 with the veth as its port.
  void Connect() {
    socket_->Execute(CreateBridge({.name = "br0", .mac = kBridgeMac}));
    socket_->Execute(ChangeLink(socket_->GetLink("br0").ifindex, {.up = true}));
    VethSpec spec = Veth();
    spec.master = socket_->GetLink("br0").ifindex;
    socket_->Execute(CreateVeth(spec));
  }
  /// Gives the peer an address and sets it up.
  void Configure(const char* cidr) {
    other_.Run([&] {
      Socket inside = Socket::Open();
      const int ifindex = inside.GetLink("eth0").ifindex;
      std::vector<Request> requests;
      requests.push_back(AddAddress(ifindex, Cidr(cidr), true));
      requests.push_back(ChangeLink(ifindex, {.up = true}));
      inside.Execute(requests);
    });
  }

  OtherNetns other_;
  std::optional<Socket> socket_;
};

TEST_F(SocketNetns, CreatesAVethPairWithEverythingItNeeds) {
  Connect();
  EXPECT_EQ(
      Shell("ip -j -d link show veth0 | jq -c '.[0] | [.mtu, .address, .txqlen // 0, .master, "
            "(.flags | any(. == \"UP\")), .linkinfo.info_kind]'"),
      R"([1400,"02:00:00:00:00:01",0,"br0",true,"veth"])");
  EXPECT_EQ(Shell(other_.Inside("ip -j -d link show eth0") +
                  " | jq -c '.[0] | [.mtu, .address, (.flags | any(. == \"UP\"))]'"),
            R"([1400,"02:00:00:00:00:02",false])");
}

TEST_F(SocketNetns, ReadsALinkAsIpShowsIt) {
  Connect();
  const int ifindex = socket_->GetLink("veth0").ifindex;
  socket_->Execute(ChangeLink(ifindex, {.alias = "owner", .hairpin = true, .isolated = true}));
  const Link link = socket_->GetLink("veth0");
  EXPECT_EQ(link, socket_->FindLink(ifindex));
  EXPECT_EQ(link.kind, "veth");
  EXPECT_EQ(link.alias, "owner");
  EXPECT_EQ(link.mac, kHostMac);
  EXPECT_EQ(link.mtu, 1400U);
  EXPECT_TRUE(link.up());
  EXPECT_EQ(link.hairpin, true);
  EXPECT_EQ(link.isolated, true);
  EXPECT_EQ(std::to_string(link.ifindex), Shell("cat /sys/class/net/veth0/ifindex"));
  EXPECT_EQ(std::to_string(link.master), Shell("cat /sys/class/net/br0/ifindex"));
  EXPECT_EQ(std::to_string(link.peer), Shell("cat /sys/class/net/veth0/iflink"));
  EXPECT_EQ(Shell("bridge -j -d link show dev veth0 | jq -c '.[0] | [.hairpin, .isolated]'"),
            "[true,true]");
}

TEST_F(SocketNetns, ChangesOnlyWhatIsSet) {
  Connect();
  const int ifindex = socket_->GetLink("br0").ifindex;
  socket_->Execute(ChangeLink(ifindex, {.promiscuous = true, .mtu = 1300}));
  EXPECT_EQ(
      Shell(
          "ip -j link show br0 | jq -c '.[0] | [.mtu, .address, (.flags | any(. == \"PROMISC\")), "
          "(.flags | any(. == \"UP\"))]'"),
      R"([1300,"02:00:00:00:00:03",true,true])");
  EXPECT_GE(socket_->GetLink("br0").promiscuity, 1U);
  socket_->Execute(ChangeLink(ifindex, {.up = false, .promiscuous = false}));
  EXPECT_FALSE(socket_->GetLink("br0").up());
  socket_->Execute(ChangeLink(socket_->GetLink("veth0").ifindex, {.master = 0}));
  EXPECT_EQ(socket_->GetLink("veth0").master, 0);
}

TEST_F(SocketNetns, NamesTheObjectAndTheReasonOfAFailure) {
  Connect();
  EXPECT_EQ(MessageOf([&] { socket_->Execute(CreateVeth(Veth())); }).substr(0, 31),
            "create veth veth0: File exists");
  EXPECT_EQ(socket_->Execute(CreateVeth(Veth()).Tolerate(EEXIST)), EEXIST);
  EXPECT_EQ(MessageOf([&] { socket_->GetLink("nothing"); }), "find link nothing: Link not found");
  // The kernel's own words in brackets.
  const int ifindex = socket_->GetLink("veth0").ifindex;
  EXPECT_EQ(
      MessageOf([&] { socket_->Execute(ChangeLink(ifindex, {.mtu = 20})); }),
      fmt::format("change link {}: Invalid argument (mtu less than device minimum)", ifindex));
}

TEST_F(SocketNetns, RemovesALinkTwice) {
  Connect();
  const int ifindex = socket_->GetLink("veth0").ifindex;
  EXPECT_EQ(socket_->Execute(RemoveLink(ifindex)), 0);
  EXPECT_EQ(socket_->Execute(RemoveLink(ifindex)), ENODEV);
  EXPECT_FALSE(Succeeds(other_.Inside("ip link show eth0")));
  EXPECT_EQ(socket_->FindLink("veth0"), std::nullopt);
  EXPECT_EQ(socket_->FindLink(""), std::nullopt);
  EXPECT_EQ(socket_->FindLink("a-name-longer-than-15-bytes"), std::nullopt);
}

TEST_F(SocketNetns, FindsALinkByAnAlternativeName) {
  Shell(
      "ip link add d0 type bridge && ip link property add dev d0 altname "
      "a-name-longer-than-15-bytes");
  EXPECT_EQ(socket_->GetLink("a-name-longer-than-15-bytes").name, "d0");
}

TEST_F(SocketNetns, ListsEveryLink) {
  Connect();
  std::vector<std::string> names;
  for (const Link& link : socket_->Links()) names.push_back(link.name);
  EXPECT_EQ(fmt::format("{}", fmt::join(names, "\n")), Shell("ip -j link | jq -r '.[].ifname'"));
}

TEST_F(SocketNetns, AddsAndRemovesAddressesOfBothFamilies) {
  Connect();
  const int ifindex = socket_->GetLink("br0").ifindex;
  std::vector<Request> requests;
  requests.push_back(AddAddress(ifindex, Cidr("192.0.2.9/24"), true));
  requests.push_back(AddAddress(ifindex, Cidr("198.51.100.0/31"), true));
  requests.push_back(AddAddress(ifindex, Cidr("2001:db8::9/64"), true));
  socket_->Execute(requests);
  EXPECT_EQ(Shell("ip -j addr show br0 | jq -c '[.[0].addr_info[] | select(.scope == \"global\") | "
                  "[.local, "
                  ".prefixlen, .broadcast, .nodad, .tentative]]'"),
            R"([["192.0.2.9",24,"192.0.2.255",null,null],["198.51.100.0",31,null,null,null],)"
            R"(["2001:db8::9",64,null,true,null]])");
  EXPECT_EQ(socket_->Execute(AddAddress(ifindex, Cidr("192.0.2.9/24"), true).Tolerate(EEXIST)),
            EEXIST);
  const std::vector<LinkAddress> v4 = socket_->Addresses(ifindex, net::Family::kIpv4);
  ASSERT_EQ(v4.size(), 2U);
  EXPECT_EQ(v4[0].prefix, Cidr("192.0.2.9/24"));
  EXPECT_EQ(v4[0].ifindex, ifindex);
  const std::vector<LinkAddress> all = socket_->Addresses(ifindex);
  EXPECT_GE(all.size(), 3U);  // and perhaps the link-local one
  EXPECT_TRUE(std::any_of(all.begin(), all.end(), [](const LinkAddress& a) {
    return a.prefix == Cidr("2001:db8::9/64") && (a.flags & IFA_F_NODAD) != 0;
  }));
  EXPECT_EQ(socket_->Execute(RemoveAddress(ifindex, Cidr("192.0.2.9/24"))), 0);
  EXPECT_EQ(socket_->Execute(RemoveAddress(ifindex, Cidr("192.0.2.9/24"))), EADDRNOTAVAIL);
  EXPECT_EQ(socket_->Addresses(ifindex, net::Family::kIpv4).size(), 1U);
  EXPECT_TRUE(socket_->Addresses(ifindex + 100).empty());
}

TEST_F(SocketNetns, ExecutesHundredsOfRequests) {
  std::vector<Request> requests;
  for (unsigned i = 0; i < 200; ++i) {
    requests.push_back(AddAddress(1, Cidr(fmt::format("198.51.100.{}/32", i)), true));
  }
  EXPECT_EQ(socket_->Execute(requests), std::vector<int>(200, 0));
  EXPECT_EQ(Shell("ip -j -4 addr show lo | jq '.[0].addr_info | length'"), "201");
  EXPECT_EQ(socket_->Addresses(1, net::Family::kIpv4).size(), 201U);
}

TEST_F(SocketNetns, AddsReadsAndRemovesRoutes) {
  Connect();
  const int ifindex = socket_->GetLink("br0").ifindex;
  socket_->Execute(AddAddress(ifindex, Cidr("192.0.2.1/24"), true));
  const net::Address gateway = net::Address::Parse("192.0.2.254").value();
  const Route routes[] = {
      {.destination = Cidr("0.0.0.0/0"), .gateway = gateway, .ifindex = ifindex},
      {.destination = Cidr("198.51.100.0/24"),
       .gateway = gateway,
       .ifindex = ifindex,
       .priority = 7,
       .mtu = 1300,
       .advmss = 1200},
      {.destination = Cidr("203.0.113.0/24"), .ifindex = ifindex, .table = 1000},
  };
  std::vector<Request> requests;
  for (const Route& route : routes) requests.push_back(AddRoute(route));
  socket_->Execute(requests);
  EXPECT_EQ(Shell("ip route show default"), "default via 192.0.2.254 dev br0 linkdown ");
  EXPECT_EQ(Shell("ip route show 198.51.100.0/24"),
            "198.51.100.0/24 via 192.0.2.254 dev br0 metric 7 linkdown mtu 1300 advmss 1200 ");
  EXPECT_EQ(Shell("ip route show table 1000"), "203.0.113.0/24 dev br0 scope link linkdown ");
  const std::vector<Route> main = socket_->Routes(ifindex, net::Family::kIpv4);
  ASSERT_EQ(main.size(), 3U);  // the subnet's own too
  EXPECT_EQ(main[0].destination, Cidr("0.0.0.0/0"));
  EXPECT_EQ(main[0].gateway, gateway);
  EXPECT_EQ(main[2].mtu, 1300U);
  EXPECT_EQ(main[2].advmss, 1200U);
  EXPECT_EQ(main[2].priority, 7U);
  ASSERT_EQ(socket_->Routes(ifindex, net::Family::kIpv4, 1000).size(), 1U);
  EXPECT_EQ(socket_->Routes(ifindex, net::Family::kIpv4, 1000)[0].table, 1000U);
  EXPECT_TRUE(socket_->Routes(ifindex, net::Family::kIpv4, 1001).empty());
  EXPECT_TRUE(socket_->Routes(1, net::Family::kIpv4).empty());
  for (const Route& route : routes) {
    EXPECT_EQ(socket_->Execute(RemoveRoute(route)), 0) << route.destination.ToString();
    EXPECT_EQ(socket_->Execute(RemoveRoute(route)), ESRCH);
  }
}

TEST_F(SocketNetns, FindsTheRouteToAnAddress) {
  Connect();
  const int ifindex = socket_->GetLink("br0").ifindex;
  socket_->Execute(AddAddress(ifindex, Cidr("192.0.2.1/24"), true));
  socket_->Execute(AddAddress(ifindex, Cidr("2001:db8::1/64"), true));
  socket_->Execute(
      AddRoute({.destination = Cidr("203.0.113.0/24"), .ifindex = ifindex, .table = 1000}));
  Shell("ip rule add to 203.0.113.0/24 lookup 1000; ip route add prohibit 203.0.112.0/24");
  const auto find = [&](std::string_view text) {
    return socket_->FindRoute(net::Address::Parse(text).value());
  };
  ASSERT_TRUE(find("192.0.2.7"));
  EXPECT_EQ(find("192.0.2.7")->ifindex, ifindex);
  EXPECT_EQ(find("192.0.2.7")->destination, Cidr("192.0.2.0/24"));
  ASSERT_TRUE(find("203.0.113.5")) << "the table of a policy rule";
  EXPECT_EQ(find("203.0.113.5")->table, 1000U);
  ASSERT_TRUE(find("2001:db8::7"));
  EXPECT_EQ(find("2001:db8::7")->ifindex, ifindex);
  for (const char* nowhere : {"198.51.100.1", "203.0.112.1", "2001:db8:9::1"}) {
    EXPECT_FALSE(find(nowhere)) << nowhere;
  }
  EXPECT_FALSE(find("192.0.2.1")) << "our own";
}

TEST_F(SocketNetns, MakesNexthopsOfTheSameIpv6DestinationTwice) {
  Connect();
  const int ifindex = socket_->GetLink("br0").ifindex;
  socket_->Execute(AddAddress(ifindex, Cidr("2001:db8::1/64"), true));
  for (const char* gateway : {"2001:db8::a", "2001:db8::b"}) {
    socket_->Execute(AddRoute({.destination = Cidr("::/0"),
                               .gateway = net::Address::Parse(gateway),
                               .ifindex = ifindex}));
  }
  EXPECT_EQ(Shell("ip -6 -j route show default | jq '.[0].nexthops | length'"), "2");
  const std::vector<Route> routes = socket_->Routes(ifindex, net::Family::kIpv6);
  EXPECT_EQ(std::count_if(routes.begin(), routes.end(),
                          [](const Route& route) { return route.gateway.has_value(); }),
            2);
}

TEST_F(SocketNetns, WaitsUntilABridgePortIsUp) {
  Connect();
  const int port = socket_->GetLink("veth0").ifindex;
  const auto is_up = [](const Link& link) { return link.operstate == IF_OPER_UP; };
  EXPECT_FALSE(socket_->WaitForLink(port, is_up, std::chrono::milliseconds(1)));
  std::thread partner([&] { Configure("192.0.2.2/24"); });
  EXPECT_TRUE(socket_->WaitForLink(port, is_up, std::chrono::seconds(20)));
  partner.join();
  // Notifications that came meanwhile do not disturb what follows.
  EXPECT_EQ(socket_->Execute(ChangeLink(port, {.alias = "after"})), 0);
  EXPECT_FALSE(socket_->WaitForLink(port + 100, is_up, std::chrono::seconds(20)));
}

TEST_F(SocketNetns, AnnouncesItsAddressesToTheNeighbours) {
  Connect();
  const int bridge = socket_->GetLink("br0").ifindex;
  socket_->Execute(AddAddress(bridge, Cidr("192.0.2.1/24"), true));
  socket_->Execute(AddAddress(bridge, Cidr("2001:db8::1/64"), true));
  Configure("192.0.2.2/24");
  Shell(
      other_.Inside("sh -c 'ip addr add 2001:db8::2/64 dev eth0 nodad; cd /proc/sys/net; "
                    "echo 1 > ipv4/conf/eth0/arp_notify; echo 1 > ipv6/conf/eth0/ndisc_notify'"));
  ASSERT_TRUE(socket_->WaitForLink(
      socket_->GetLink("veth0").ifindex,
      [](const Link& link) { return link.operstate == IF_OPER_UP; }, std::chrono::seconds(20)));
  // Somebody else had the addresses before.
  Shell(
      "ip neigh replace 192.0.2.2 lladdr 02:00:00:00:00:99 dev br0 nud stale; "
      "ip neigh replace 2001:db8::2 lladdr 02:00:00:00:00:99 dev br0 nud stale; "
      "echo 0 > /proc/sys/net/ipv4/neigh/br0/locktime");
  other_.Run([&] {
    Socket inside = Socket::Open();
    inside.Execute(Announce(inside.GetLink("eth0").ifindex, kPeerMac));
  });
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(20);
  std::string known;
  do {
    known = Shell(
        "ip -j neigh show dev br0 | jq -r '.[] | select(.lladdr == \"02:00:00:00:00:02\") | .dst' "
        "| grep -v ^fe80 | sort || true");
  } while (known != "192.0.2.2\n2001:db8::2" && std::chrono::steady_clock::now() < deadline);
  EXPECT_EQ(known, "192.0.2.2\n2001:db8::2");
}

TEST_F(SocketNetns, StaysInTheNetnsItWasOpenedIn) {
  Connect();
  other_.Run([&] { EXPECT_EQ(socket_->GetLink("br0").kind, "bridge"); });
}

TEST_F(SocketNetns, SurvivesDumpsAmidChanges) {
  Shell("for i in $(seq 60); do ip link add d$i type bridge; done");
  std::thread churn([&] {
    Socket own = Socket::Open();
    for (int i = 0; i < 40; ++i) {
      own.Execute(CreateBridge({.name = "churn", .mac = kBridgeMac}));
      own.Execute(RemoveLink(own.GetLink("churn").ifindex));
    }
  });
  for (int i = 0; i < 40; ++i) {
    size_t stable = 0;
    try {
      for (const Link& link : socket_->Links()) stable += link.name.starts_with("d") ? 1 : 0;
    } catch (const Error& error) {
      EXPECT_EQ(error.message(), "list links: interrupted by changes 5 times");
      continue;
    }
    EXPECT_EQ(stable, 60U);
  }
  churn.join();
}

}  // namespace
}  // namespace cnm::netlink
