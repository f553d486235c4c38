// iptables_publication_test.cc: published ports in iptables, judged by iptables itself, the
// reference plugins and connections.
#include <string>
#include <string_view>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "integration/netns/common/firewall/iptables/iptables_netns.h"

namespace cnm::firewall {
namespace {

/// What the reference makes for container ctr1 of network n, with the shared chains before it.
constexpr const char* kPublished =
    R"(-A PREROUTING -m addrtype --dst-type LOCAL -j CNI-HOSTPORT-DNAT
-A OUTPUT -m addrtype --dst-type LOCAL -j CNI-HOSTPORT-DNAT
-A POSTROUTING -m comment --comment "CNI portfwd requiring masquerade" -j CNI-HOSTPORT-MASQ
-A CNI-DN-fdae3b260ef7c892d3f4f -s 192.0.2.0/24 -p tcp -m tcp --dport 8081 -j CNI-HOSTPORT-SETMARK
-A CNI-DN-fdae3b260ef7c892d3f4f -s 127.0.0.1/32 -p tcp -m tcp --dport 8081 -j CNI-HOSTPORT-SETMARK
-A CNI-DN-fdae3b260ef7c892d3f4f -p tcp -m tcp --dport 8081 -j DNAT --to-destination 192.0.2.5:80
-A CNI-DN-fdae3b260ef7c892d3f4f -s 192.0.2.0/24 -d 127.0.0.1/32 -p udp -m udp --dport 53 -j CNI-HOSTPORT-SETMARK
-A CNI-DN-fdae3b260ef7c892d3f4f -s 127.0.0.1/32 -d 127.0.0.1/32 -p udp -m udp --dport 53 -j CNI-HOSTPORT-SETMARK
-A CNI-DN-fdae3b260ef7c892d3f4f -d 127.0.0.1/32 -p udp -m udp --dport 53 -j DNAT --to-destination 192.0.2.5:5353
-A CNI-HOSTPORT-DNAT -p tcp -m comment --comment "dnat name: \"n\" id: \"ctr1\"" -m multiport --dports 8081 -j CNI-DN-fdae3b260ef7c892d3f4f
-A CNI-HOSTPORT-DNAT -p udp -m comment --comment "dnat name: \"n\" id: \"ctr1\"" -m multiport --dports 53 -j CNI-DN-fdae3b260ef7c892d3f4f
-A CNI-HOSTPORT-MASQ -m mark --mark 0x2000/0x2000 -j MASQUERADE
-A CNI-HOSTPORT-SETMARK -m comment --comment "CNI portfwd masquerade mark" -j MARK --set-xmark 0x2000/0x2000)";

/// The same through Debian's plugin; `verb` is ADD or DEL.
std::string ReferencePortmap(const char* verb) {
  return fmt::format(
      R"(echo '{{"cniVersion":"1.0.0","name":"n","type":"portmap","backend":"iptables",
"runtimeConfig":{{"portMappings":[
{{"hostPort":8081,"containerPort":80,"protocol":"tcp"}},
{{"hostPort":53,"containerPort":5353,"protocol":"udp","hostIP":"127.0.0.1"}}]}},
"prevResult":{{"cniVersion":"1.0.0","interfaces":[{{"name":"br0"}},{{"name":"eth0","sandbox":"/x"}}],
"ips":[{{"address":"192.0.2.5/24","interface":1}}]}}}}' | CNI_COMMAND={} CNI_CONTAINERID=ctr1 \
CNI_NETNS=/proc/self/ns/net CNI_IFNAME=eth0 CNI_PATH=/usr/lib/cni CNI_NETNS_OVERRIDE=1 \
/usr/lib/cni/portmap >/dev/null)",
      verb);
}

std::string ReferenceFirewall(const char* verb) {
  return fmt::format(
      R"(echo '{{"cniVersion":"1.0.0","name":"n","type":"firewall","backend":"iptables",
"prevResult":{{"cniVersion":"1.0.0","interfaces":[{{"name":"br0"}},{{"name":"eth0","sandbox":"/x"}}],
"ips":[{{"address":"192.0.2.5/24","interface":1}},{{"address":"2001:db8::5/64","interface":1}}]}}}}' | \
CNI_COMMAND={} CNI_CONTAINERID=ctr1 \
CNI_NETNS=/proc/self/ns/net CNI_IFNAME=eth0 CNI_PATH=/usr/lib/cni CNI_NETNS_OVERRIDE=1 \
/usr/lib/cni/firewall >/dev/null)",
      verb);
}

TEST_P(IptablesNetns, PublishesPortsAsTheReferenceDoes) {
  const Rules rules = Publishing();
  MakeIptables({})->Add(rules);
  EXPECT_EQ(Shell("iptables-save -t nat | grep ^-A"), kPublished);
  EXPECT_EQ(Shell("iptables-save -t raw | grep ^-A"),
            "-A PREROUTING -s 127.0.0.0/8 ! -i lo -m comment --comment \"cnm: nothing outside is "
            "localhost, also where route_localnet is on\" -j DROP\n"
            "-A PREROUTING -d 127.0.0.0/8 ! -i lo -m comment --comment \"cnm: localhost is not "
            "reached from outside, also where route_localnet is on\" -j DROP");
  MakeIptables({})->Verify(rules);
  MakeIptables({})->Add(rules);
  EXPECT_EQ(Shell("iptables-save -t nat | grep ^-A"), kPublished) << "a second Add";
  EXPECT_EQ(Shell("iptables-save -t raw | grep -c ^-A"), "2");
  MakeIptables({})->Remove(rules);
  EXPECT_EQ(OursLeft("CNI-DN"), "");
  MakeIptables({})->Remove(rules);
}

TEST_P(IptablesNetns, IsUnderstoodByTheReference) {
  MakeIptables({})->Add(Publishing());
  // Finds every rule of ours as one of its own, so adds none.
  Shell(ReferencePortmap("ADD"));
  EXPECT_EQ(Shell("iptables-save -t nat | grep ^-A"), kPublished);
  Shell(ReferencePortmap("DEL"));
  EXPECT_EQ(OursLeft("CNI-DN"), "");

  Rules forwarded = Owner();
  forwarded.forwarding.addresses = {Ip("192.0.2.5"), Ip("2001:db8::5")};
  MakeIptables({})->Add(forwarded);
  const std::string four = Save("", "filter");
  const std::string six = Save("6", "filter");
  Shell(ReferenceFirewall("ADD"));
  EXPECT_EQ(Save("", "filter"), four);
  EXPECT_EQ(Save("6", "filter"), six);
  Shell(ReferenceFirewall("DEL"));
  EXPECT_EQ(OursLeft("-A CNI-FORWARD.*ACCEPT"), "");
}

TEST_P(IptablesNetns, UnderstandsTheReference) {
  Shell(ReferencePortmap("ADD"));
  EXPECT_EQ(Shell("iptables-save -t nat | grep ^-A"), kPublished);
  MakeIptables({})->Add(Publishing());
  EXPECT_EQ(Shell("iptables-save -t nat | grep ^-A"), kPublished);
  MakeIptables({})->RemoveForeign(
      {.network = "n", .container_id = "ctr1", .ifname = "eth0", .publication = true});
  EXPECT_EQ(OursLeft("CNI-DN"), "");

  Shell(ReferenceFirewall("ADD"));
  const std::string filter = Save("", "filter") + Save("6", "filter");
  Rules forwarded = Owner();
  forwarded.forwarding.addresses = {Ip("192.0.2.5"), Ip("2001:db8::5")};
  MakeIptables({})->Add(forwarded);
  EXPECT_EQ(Save("", "filter") + Save("6", "filter"), filter);
  MakeIptables({})->RemoveForeign({.network = "n",
                                   .container_id = "ctr1",
                                   .ifname = "eth0",
                                   .forwarding = forwarded.forwarding.addresses});
  EXPECT_EQ(OursLeft("ACCEPT$"), "");
}

TEST_P(IptablesNetns, RefusesAPortThatAnotherContainerHas) {
  MakeIptables({})->Add(Publishing("ctr1"));
  const std::string before = OursLeft("-A");
  Rules other = Publishing("ctr2");
  other.publication.mappings = {Map(Protocol::kTcp, 8000, 80, "192.0.2.6/24")};
  other.publication.mappings[0].count = 100;
  Code code{};
  EXPECT_EQ(ErrorOf([&] { MakeIptables({})->Add(other); }, &code),
            "publish port 8000/tcp: in use by network n, container ctr1");
  EXPECT_EQ(code, Code::kInUse);
  EXPECT_EQ(OursLeft("-A"), before);
  // Another protocol, and another address of the host, are other ports.
  other.publication.mappings = {Map(Protocol::kUdp, 8081, 80, "192.0.2.6/24"),
                                Map(Protocol::kUdp, 53, 53, "192.0.2.6/24")};
  EXPECT_EQ(ErrorOf([&] { MakeIptables({})->Add(other); }), "");
  MakeIptables({})->Verify(other);
}

TEST_P(IptablesNetns, KeepsTheOtherInterfaceOfAContainer) {
  const Rules first = Publishing();
  Rules second = Owner();
  second.masquerades = {{Cidr("192.0.2.77/24")}};
  second.publication.mappings = {Map(Protocol::kTcp, 8082, 80, "192.0.2.77/24")};
  Rules masquerading = first;
  masquerading.masquerades = {{Cidr("192.0.2.5/24")}};
  MakeIptables({})->Add(masquerading);
  const std::string before = OursLeft("-A");
  MakeIptables({})->Add(second);
  MakeIptables({})->Verify(masquerading);
  MakeIptables({})->Verify(second);
  MakeIptables({})->Remove(second);
  EXPECT_EQ(OursLeft("-A"), before);
  MakeIptables({})->Remove(masquerading);
  EXPECT_EQ(OursLeft("ctr1"), "");
  EXPECT_EQ(OursLeft("CNI-fdae"), "");
}

TEST_P(IptablesNetns, PassesConditionsOn) {
  Rules rules = Publishing();
  rules.publication.conditions_v4 = {"!",        "-s", "203.0.113.0/24", "-m", "length",
                                     "--length", "0:9"};
  MakeIptables({})->Add(rules);
  EXPECT_EQ(
      Shell("iptables -t nat -S CNI-HOSTPORT-DNAT | grep -c -- '! -s 203.0.113.0/24.*--length "
            "0:9 -j CNI-DN'"),
      "2");
  MakeIptables({})->Add(rules);
  EXPECT_EQ(Shell("iptables -t nat -S CNI-HOSTPORT-DNAT | grep -c -- '--length 0:9 -j CNI-DN'"),
            "2");
  MakeIptables({})->Verify(rules);
  MakeIptables({})->Remove(rules);
  EXPECT_EQ(OursLeft("CNI-DN"), "");
}

/// A container behind br0 of the test's own netns, and a client outside it.
class PublishedTraffic : public IptablesNetns {
 protected:
  void SetUp() override {
    IptablesNetns::SetUp();
    Shell("ip link add br0 type bridge; ip addr add 192.0.2.1/24 dev br0; ip link set br0 up");
    Connect(container_, "c0", "192.0.2.5/24", "192.0.2.1");
    Shell("ip link set c0 master br0; bridge link set dev c0 hairpin on");
    Connect(client_, "o0", "198.51.100.2/24", "198.51.100.1");
    Shell("ip addr add 198.51.100.1/24 dev o0");
    Shell("sysctl -qw net.ipv4.ip_forward=1 net.ipv4.conf.br0.route_localnet=1");
  }

  static void Connect(const OtherNetns& netns, const char* link, const char* address,
                      const char* gateway) {
    Shell(fmt::format("ip link add {} type veth peer name eth0 netns {}", link, netns.path()));
    Shell(fmt::format("ip link set {} up", link));
    Shell(netns.Inside(fmt::format("ip addr add {} dev eth0", address)));
    Shell(netns.Inside("ip link set eth0 up"));
    Shell(netns.Inside(fmt::format("ip route add default via {}", gateway)));
  }

  /// Connects from `from` to the host's port and tells which port of the container answered.
  std::string Ask(const std::string& address, int port, bool from_client) {
    const std::string client = fmt::format(
        "python3 -c \"import socket; s = socket.create_connection(('{}', {}), 5); "
        "print(s.recv(9).decode())\"",
        address, port);
    return Shell((from_client ? client_.Inside(client) : client) + " 2>/dev/null || echo refused");
  }

  /// Serves `count` ports of the container, each of which tells its number.
  void Serve(int first, int count) {
    const std::string server = fmt::format(
        "import os, selectors, socket\n"
        "sel = selectors.DefaultSelector()\n"
        "for p in range({0}, {0} + {1}):\n"
        "  s = socket.create_server(('', p)); sel.register(s, 1, p)\n"
        "if os.fork(): os._exit(0)\n"
        "os.close(1); os.close(2)\n"
        "while True:\n"
        "  for k, _ in sel.select(20) or [os._exit(0)]:\n"
        "    c = k.fileobj.accept()[0]; c.send(str(k.data).encode()); c.close()\n",
        first, count);
    Shell(container_.Inside("python3 -c \"" + server + "\""));
  }

  OtherNetns container_;
  OtherNetns client_;
};

TEST_P(PublishedTraffic, ReachesTheContainerFromOutsideTheHostAndLocalhost) {
  Serve(8000, 10);
  Rules rules = Owner();
  rules.publication.mappings = {Map(Protocol::kTcp, 9000, 8000), Map(Protocol::kTcp, 9100, 8000),
                                Map(Protocol::kTcp, 8005, 8005)};
  rules.publication.mappings[1].count = 10;
  rules.publication.mappings[2].count = 5;
  MakeIptables({})->Add(rules);
  MakeIptables({})->Verify(rules);
  EXPECT_EQ(Ask("198.51.100.1", 9000, true), "8000");
  EXPECT_EQ(Ask("198.51.100.1", 9000, false), "8000");
  EXPECT_EQ(Ask("127.0.0.1", 9000, false), "8000");
  for (int i = 0; i < 10; ++i)
    EXPECT_EQ(Ask("198.51.100.1", 9100 + i, true), fmt::format("{}", 8000 + i));
  EXPECT_EQ(Ask("127.0.0.1", 9103, false), "8003");
  for (int i = 5; i < 10; ++i)
    EXPECT_EQ(Ask("198.51.100.1", 8000 + i, true), fmt::format("{}", 8000 + i));
  EXPECT_EQ(Ask("198.51.100.1", 8004, true), "refused");
  // From the container itself, which needs the host's address as the source.
  EXPECT_EQ(Shell(container_.Inside("python3 -c \"import socket; s = socket.create_connection("
                                    "('192.0.2.1', 9000), 5); print(s.recv(9).decode())\"")),
            "8000");
  MakeIptables({})->Remove(rules);
  EXPECT_EQ(Ask("198.51.100.1", 9000, true), "refused");
}

TEST_P(PublishedTraffic, KeepsLocalhostFromTheNetwork) {
  Serve(8000, 1);
  Rules rules = Owner();
  rules.publication.mappings = {Map(Protocol::kTcp, 9000, 8000)};
  rules.publication.mappings[0].host_address = Ip("127.0.0.1");
  MakeIptables({})->Add(rules);
  EXPECT_EQ(Ask("127.0.0.1", 9000, false), "8000");
  // A neighbour that routes 127.0.0.1 to the host.
  Shell(
      client_.Inside("sh -c 'ip link set lo down; sysctl -qw net.ipv4.conf.all.route_localnet=1; "
                     "ip route flush table local; ip route add local 198.51.100.2 dev eth0 table "
                     "local; ip route add 127.0.0.1 via 198.51.100.1 src 198.51.100.2'"));
  EXPECT_EQ(Ask("127.0.0.1", 9000, true), "refused");
  Shell("iptables -t raw -F PREROUTING");
  EXPECT_EQ(Ask("127.0.0.1", 9000, true), "8000") << "the test cannot tell";
}

INSTANTIATE_TEST_SUITE_P(Variants, PublishedTraffic, ::testing::Values("nft", "legacy"));

}  // namespace
}  // namespace cnm::firewall
