// iptables_test.cc: the iptables backend in a real kernel, both variants, judged by iptables itself
// and by traffic.
#include "common/firewall/iptables/iptables.h"

#include <linux/netlink.h>
#include <sys/mount.h>
#include <unistd.h>

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "common/base/error.h"
#include "common/netlink/channel.h"
#include "integration/support/fresh_netns.h"

namespace cnm::firewall {
namespace {

using testing::OtherNetns;
using testing::Shell;
using testing::Succeeds;

net::Prefix Cidr(std::string_view text) {
  return net::Prefix::Parse(text).value();
}

net::Address Ip(std::string_view text) {
  return net::Address::Parse(text).value();
}

PortMapping Map(Protocol protocol, uint16_t host_port, uint16_t target_port,
                std::string_view target = "192.0.2.5/24") {
  return {.protocol = protocol,
          .host_port = host_port,
          .target_port = target_port,
          .target = Cidr(target)};
}

/// What a caller gets: the message, or "".
std::string ErrorOf(const std::function<void()>& work, Code* code = nullptr) {
  try {
    work();
  } catch (const Error& error) {
    if (code != nullptr) *code = error.code();
    return error.message();
  }
  return "";
}

bool MayDrop() {
  netlink::Channel netfilter = netlink::Channel::Open(NETLINK_NETFILTER);
  return IptablesMayDrop(netfilter);
}

/// Both variants; the parameter is the word in its programs' names.
class IptablesNetns : public testing::NetnsTest, public ::testing::WithParamInterface<const char*> {
 protected:
  void SetUp() override {
    NetnsTest::SetUp();
    // The host's iptables is what the name "iptables" in PATH leads to.
    ASSERT_EQ(::mount("none", "/mnt", "tmpfs", 0, nullptr), 0);
    for (const char* const program : {"iptables", "ip6tables"}) {
      for (const char* const suffix : {"", "-save", "-restore"}) {
        Shell(fmt::format("ln -s /usr/sbin/{0}-{1}{2} /mnt/{0}{2}", program, GetParam(), suffix));
      }
    }
    ::setenv("PATH", "/mnt:/usr/sbin:/usr/bin:/sbin:/bin", 1);
    ASSERT_EQ(::mount("none", "/run", "tmpfs", 0, nullptr), 0);
  }

  /// The rules of a table, without comments of iptables-save and counters.
  static std::string Save(std::string_view family = "", std::string_view table = "nat") {
    return Shell(
        fmt::format("ip{}tables-save -t {} | grep -v '^#' | sed 's/ \\[.*//' | grep -v '^[*C]'",
                    family, table));
  }
  /// Everything of ours in all tables of both families.
  static std::string OursLeft(std::string_view pattern) {
    return Shell(fmt::format("(iptables-save; ip6tables-save) | grep -- '{}' || true", pattern));
  }
};

Rules Owner(std::string_view container_id = "ctr1") {
  return {.owner = "aaaaaaaaaaaaaaaa", .network = "n", .container_id = std::string(container_id)};
}

TEST_P(IptablesNetns, MasqueradesAndLeavesNothing) {
  Rules rules = Owner();
  rules.masquerades = {{Cidr("192.0.2.5/24")}, {Cidr("2001:db8::5/64")}};
  MakeIptables({})->Add(rules);
  const std::string c = R"( -m comment --comment "name: \"n\" id: \"ctr1\"" -j )";
  const std::string chain = "CNI-fdae3b260ef7c892d3f4f4b6";
  EXPECT_EQ(Save(), ":PREROUTING ACCEPT\n:INPUT ACCEPT\n:OUTPUT ACCEPT\n:POSTROUTING ACCEPT\n:" +
                        chain + " -\n-A POSTROUTING -s 192.0.2.5/32" + c + chain + "\n-A " + chain +
                        " -d 192.0.2.0/24" + c + "ACCEPT\n-A " + chain + " ! -d 224.0.0.0/4" + c +
                        "MASQUERADE");
  EXPECT_TRUE(Save("6").find("-A POSTROUTING -s 2001:db8::5/128" + c + chain) != std::string::npos);
  MakeIptables({})->Verify(rules);
  const std::string before = Save();
  MakeIptables({})->Add(rules);
  EXPECT_EQ(Save(), before) << "a second Add";
  MakeIptables({})->Remove(rules);
  EXPECT_EQ(OursLeft("CNI"), "");
  MakeIptables({})->Remove(rules);
}

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

Rules Publishing(std::string_view container_id = "ctr1") {
  Rules rules = Owner(container_id);
  rules.publication.mappings = {Map(Protocol::kTcp, 8081, 80), Map(Protocol::kUdp, 53, 5353)};
  rules.publication.mappings[1].host_address = Ip("127.0.0.1");
  return rules;
}

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

TEST_P(IptablesNetns, NoticesEachMissingRule) {
  Rules rules = Publishing();
  rules.masquerades = {{Cidr("192.0.2.5/24")}};
  rules.forwarding.addresses = {Ip("192.0.2.5")};
  rules.isolation = Isolation{"br0", true};
  MakeIptables({})->Add(rules);
  MakeIptables({})->Verify(rules);
  int deleted = 0;
  for (const char* const table : {"nat", "filter", "raw"}) {
    const int count = std::stoi(Shell(fmt::format("iptables-save -t {} | grep -c ^-A", table)));
    for (int line = 1; line <= count; ++line) {
      Shell(
          fmt::format("iptables-save > /run/saved; (echo '*{0}'; iptables-save -t {0} | grep ^-A | "
                      "sed -n '{1}s/^-A/-D/p'; echo COMMIT) | iptables-restore --noflush",
                      table, line));
      EXPECT_NE(ErrorOf([&] { MakeIptables({})->Verify(rules); }), "") << table << " " << line;
      Shell("iptables-restore < /run/saved");
      ++deleted;
    }
  }
  EXPECT_GE(deleted, 25);
  MakeIptables({})->Verify(rules);
}

TEST_P(IptablesNetns, IsolatesBridges) {
  Rules rules = Owner();
  rules.forwarding.addresses = {Ip("192.0.2.5")};
  rules.isolation = Isolation{"br0"};
  MakeIptables({})->Add(rules);
  const std::string other = " -m comment --comment \"CNI firewall plugin rules (ingressPolicy: ";
  const std::string both = other + "same-bridge|isolated)\" -j ";
  const std::string stage2 =
      "-A CNI-ISOLATION-STAGE-2 -o br0" + both + "DROP\n-A CNI-ISOLATION-STAGE-2" + both + "RETURN";
  const std::string head =
      "-A FORWARD" + both + "CNI-ISOLATION-STAGE-1\n" +
      "-A FORWARD -m comment --comment \"CNI firewall plugin rules\" -j CNI-FORWARD\n" +
      "-A CNI-FORWARD -m comment --comment \"CNI firewall plugin admin overrides\" -j CNI-ADMIN\n" +
      "-A CNI-FORWARD -d 192.0.2.5/32 -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT\n" +
      "-A CNI-FORWARD -s 192.0.2.5/32 -j ACCEPT\n";
  const std::string leave = "-A CNI-ISOLATION-STAGE-1 -i br0 ! -o br0" + other;
  EXPECT_EQ(Shell("iptables-save -t filter | grep ^-A"),
            head + leave + "same-bridge)\" -j CNI-ISOLATION-STAGE-2\n" +
                "-A CNI-ISOLATION-STAGE-1" + both + "RETURN\n" + stage2);
  rules.isolation->within = true;
  EXPECT_NE(ErrorOf([&] { MakeIptables({})->Verify(rules); }), "");
  MakeIptables({})->Add(rules);
  const std::string isolated = head + "-A CNI-ISOLATION-STAGE-1 -i br0 -o br0" + other +
                               "isolated)\" -j DROP\n" + leave +
                               "isolated)\" -j CNI-ISOLATION-STAGE-2\n" +
                               "-A CNI-ISOLATION-STAGE-1" + both + "RETURN\n" + stage2;
  EXPECT_EQ(Shell("iptables-save -t filter | grep ^-A"), isolated);
  MakeIptables({})->Verify(rules);
  rules.isolation->within = false;
  MakeIptables({})->Add(rules);
  EXPECT_EQ(OursLeft("isolated)"), OursLeft("same-bridge|isolated)"));
  MakeIptables({})->Remove(rules);
  EXPECT_EQ(OursLeft("br0"), "");
}

TEST_P(IptablesNetns, IsolatesWhereThereIsNoIpv6) {
  ASSERT_EQ(::mount("none", "/proc/sys/net/ipv6", "tmpfs", 0, nullptr), 0);
  Shell("ln -sf /bin/false /mnt/ip6tables-restore; ln -sf /bin/false /mnt/ip6tables");
  Rules rules = Owner();
  rules.isolation = Isolation{"br0"};
  MakeIptables({})->Add(rules);
  MakeIptables({})->Verify(rules);
  EXPECT_NE(Shell("iptables-save -t filter | grep br0"), "");
  MakeIptables({})->Remove(rules);
  EXPECT_EQ(OursLeft("br0"), "");
  ASSERT_EQ(::umount("/proc/sys/net/ipv6"), 0);
  EXPECT_EQ(Shell("ip6tables-save -t filter | grep -c ISOLATION || true"), "0");
}

TEST_P(IptablesNetns, AFailureDoesNotEndTheIsolationOfOthersOnTheBridge) {
  Rules live = Owner();
  live.forwarding.addresses = {Ip("192.0.2.5")};
  live.isolation = Isolation{"br0"};
  MakeIptables({})->Add(live);
  Rules failing = Owner("ctr2");
  failing.forwarding.addresses = {Ip("192.0.2.6"), Ip("2001:db8::6")};
  failing.isolation = Isolation{"br0"};
  failing.publication.mappings = {Map(Protocol::kTcp, 8081, 80, "192.0.2.6/24"),
                                  Map(Protocol::kTcp, 8081, 80, "2001:db8::6/64")};
  failing.publication.mark_chain = "KUBE-MARK-MASQ";
  Shell("iptables -t nat -N KUBE-MARK-MASQ");  // and none for IPv6, whose tables come last
  EXPECT_NE(ErrorOf([&] { MakeIptables({})->Add(failing); }), "");
  MakeIptables({})->Verify(live);
  EXPECT_EQ(OursLeft("192.0.2.6"), "");
  EXPECT_EQ(OursLeft("ctr2"), "");
}

TEST_P(IptablesNetns, ComesBeforeDockerAndBehindTheAdministrator) {
  EXPECT_FALSE(MayDrop());
  Shell("iptables -P FORWARD DROP; iptables -N DOCKER-USER; iptables -A FORWARD -j DOCKER-USER");
  EXPECT_TRUE(MayDrop());
  Rules rules = Owner();
  rules.forwarding.addresses = {Ip("192.0.2.5")};
  rules.forwarding.admin_chain = "MINE";
  MakeIptables({})->Add(rules);
  EXPECT_EQ(OursLeft("-j CNI-FORWARD"),
            "-A DOCKER-USER -m comment --comment \"CNI firewall plugin rules\" -j CNI-FORWARD");
  EXPECT_EQ(Shell("iptables -S CNI-FORWARD 1"),
            "-A CNI-FORWARD -m comment --comment \"CNI firewall plugin admin overrides\" -j MINE");
  Shell("iptables -P FORWARD ACCEPT; iptables -D FORWARD -j DOCKER-USER");
  EXPECT_TRUE(MayDrop());
  Shell("iptables -F DOCKER-USER; iptables -X DOCKER-USER");
  EXPECT_FALSE(MayDrop());
  Shell("iptables -A FORWARD -j REJECT");
  EXPECT_TRUE(MayDrop());
}

TEST_P(IptablesNetns, RebuildsWhatWasFlushed) {
  Rules first = Publishing("ctr1");
  first.masquerades = {{Cidr("192.0.2.5/24")}};
  Rules second = Owner("ctr2");
  second.forwarding.addresses = {Ip("192.0.2.6"), Ip("2001:db8::6")};
  second.isolation = Isolation{"br0"};
  const auto firewall = MakeIptables({});
  firewall->Add(first);
  firewall->Add(second);
  Shell("iptables -A CNI-ADMIN -s 203.0.113.1 -j DROP; iptables -I FORWARD -j ACCEPT");
  Shell("iptables -t nat -F; iptables -F CNI-FORWARD");
  const auto live = [&](std::string_view) { return std::vector{first, second}; };
  MakeIptables({.live = live})->Rebuild();
  MakeIptables({})->Verify(first);
  MakeIptables({})->Verify(second);
  EXPECT_EQ(Shell("iptables -S CNI-ADMIN | grep -c 203.0.113.1"), "1");
  EXPECT_EQ(Shell("iptables -S FORWARD | sed 's/.*-j/-j/'"),
            "-P FORWARD ACCEPT\n-j CNI-ISOLATION-STAGE-1\n-j CNI-FORWARD\n-j ACCEPT");
  const std::string once = OursLeft("-A");
  MakeIptables({.live = live})->Rebuild();
  EXPECT_EQ(OursLeft("-A"), once);
}

/// Rules of others come and go between our reading a chain and our changing it.
class BesideDocker : public IptablesNetns {
 protected:
  void SetUp() override {
    IptablesNetns::SetUp();
    // Docker puts a rule first, takes no lock, and is always just then faster.
    Shell(
        "printf '#!/bin/sh\\ncat >/run/script\\niptables -I FORWARD -j DOCKER\\n"
        "exec /usr/sbin/iptables-nft-restore \"$@\" </run/script\\n' >/run/restore; "
        "chmod +x /run/restore; iptables -N DOCKER");
  }
  static void LetDockerCome() { Shell("ln -s /run/restore /mnt/iptables-nft-restore"); }
  static std::string Forward() {
    return Shell("iptables -S FORWARD | grep -- -j | sed 's/.*-j //'");
  }
};

TEST_P(BesideDocker, DeletesItsOwnRules) {
  Rules rules = Owner();
  rules.forwarding.addresses = {Ip("192.0.2.5")};
  rules.isolation = Isolation{"br0"};
  MakeIptables({})->Add(rules);
  // One that is not as we make it goes too.
  Shell("iptables -I FORWARD -m length --length 0:9 -j CNI-FORWARD; iptables -I FORWARD -j LOG");
  LetDockerCome();
  MakeIptables({.live = [&](std::string_view) { return std::vector{rules}; }})->Rebuild();
  EXPECT_EQ(Forward(), "CNI-ISOLATION-STAGE-1\nCNI-FORWARD\nDOCKER\nLOG");
}

TEST_P(BesideDocker, AcceptsBehindIsolation) {
  Rules isolated = Owner();
  isolated.isolation = Isolation{"br0"};
  MakeIptables({})->Add(isolated);
  Shell("iptables -A FORWARD -j LOG");
  Rules forwarded = Owner("ctr2");
  forwarded.forwarding.addresses = {Ip("192.0.2.6")};
  LetDockerCome();
  MakeIptables({})->Add(forwarded);
  EXPECT_EQ(Forward(), "CNI-ISOLATION-STAGE-1\nCNI-FORWARD\nDOCKER\nLOG");
}

TEST_P(IptablesNetns, ListsWhatStands) {
  Rules rules = Publishing();
  MakeIptables({})->Add(rules);
  bool found = false;
  for (const Programmed& one : MakeIptables({})->List()) {
    found |= one.network == "n" && one.container_id == "ctr1" &&
             one.what == "-p tcp -m tcp --dport 8081 -j DNAT --to-destination 192.0.2.5:80" &&
             one.place == "ip nat CNI-DN-fdae3b260ef7c892d3f4f";
  }
  EXPECT_TRUE(found);
  EXPECT_EQ(MakeIptables({})->List().size(), 15U);
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

TEST_P(IptablesNetns, NeitherRunsNorChangesAnythingWhenThereIsNothing) {
  ::setenv("PATH", "/nowhere", 1);
  MakeIptables({})->RemoveForeign(
      {.network = "n", .container_id = "ctr1", .masquerade = true, .publication = true});
  MakeIptables({})->Remove(Publishing());
  ::setenv("PATH", "/mnt:/usr/sbin:/usr/bin:/sbin:/bin", 1);
  EXPECT_EQ(Shell("nft list ruleset; cat /proc/net/ip_tables_names /proc/net/ip6_tables_names"),
            "");
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

INSTANTIATE_TEST_SUITE_P(Variants, BesideDocker, ::testing::Values("nft"));
INSTANTIATE_TEST_SUITE_P(Variants, PublishedTraffic, ::testing::Values("nft", "legacy"));
INSTANTIATE_TEST_SUITE_P(Variants, IptablesNetns, ::testing::Values("nft", "legacy"));

}  // namespace
}  // namespace cnm::firewall
