// sysctl_name_test.cc: spellings of sysctl names, and attempts to lead elsewhere.
#include "plugins/meta/tuning/sysctl_name.h"

#include <string>
#include <string_view>

#include <gtest/gtest.h>

#include "tests/plugins/cni/thrown.h"

namespace cnm::tuning {
namespace {

using cni::Thrown;
using namespace std::string_view_literals;  // NOLINT: literals

std::string PathOf(std::string_view key, std::string_view ifname = "eth0") {
  return SysctlName::Parse(key, ifname).path();
}

TEST(SysctlName, ReadsBothSeparators) {
  EXPECT_EQ(PathOf("net.core.somaxconn"), "net/core/somaxconn");
  EXPECT_EQ(PathOf("net/core/somaxconn"), "net/core/somaxconn");
  EXPECT_EQ(PathOf("net.ipv4.ip_forward"), "net/ipv4/ip_forward");
}

TEST(SysctlName, TheFirstSeparatorSaysWhatTheOtherIs) {
  EXPECT_EQ(PathOf("net.ipv4.conf.eth0/100.rp_filter"), "net/ipv4/conf/eth0.100/rp_filter");
  EXPECT_EQ(PathOf("net/ipv4/conf/eth0.100/rp_filter"), "net/ipv4/conf/eth0.100/rp_filter");
}

TEST(SysctlName, PutsTheInterfaceInPlaceOfIfname) {
  EXPECT_EQ(PathOf("net.ipv4.conf.IFNAME.rp_filter"), "net/ipv4/conf/eth0/rp_filter");
  EXPECT_EQ(PathOf("net.ipv4.conf.IFNAME.rp_filter", "eth0.100"),
            "net/ipv4/conf/eth0.100/rp_filter");
  EXPECT_EQ(PathOf("net/ipv6/conf/IFNAME/accept_ra", "a..b"), "net/ipv6/conf/a..b/accept_ra");
  EXPECT_EQ(PathOf("net.ipv4.conf.IFNAME2.rp_filter"), "net/ipv4/conf/IFNAME2/rp_filter");
}

TEST(SysctlName, SpellingsOfOneSysctlAreEqual) {
  const SysctlName name = SysctlName::Parse("net.ipv4.conf.eth0.forwarding", "eth0");
  EXPECT_EQ(name, SysctlName::Parse("net/ipv4/conf/eth0/forwarding", "eth0"));
  EXPECT_EQ(name, SysctlName::Parse("net.ipv4.conf.IFNAME.forwarding", "eth0"));
  EXPECT_NE(name, SysctlName::Parse("net.ipv4.conf.IFNAME.forwarding", "eth1"));
}

TEST(SysctlName, RefusesWhatLeadsOrMayLeadElsewhere) {
  for (const std::string_view key :
       {""sv, "net"sv, "net."sv, ".net.core"sv, "/net/core"sv, "/proc/sys/net/core/somaxconn"sv,
        "kernel.hostname"sv, "kernel/hostname"sv, "vm.overcommit_memory"sv, "network.core"sv,
        "net-core.x"sv, "NET.core.somaxconn"sv, "net/../kernel/hostname"sv,
        "net/ipv4/../../kernel/hostname"sv, "net/ipv4/conf/../../core/somaxconn"sv,
        "net/./core/somaxconn"sv, "net//core/somaxconn"sv, "net/core/somaxconn/"sv,
        "net/core/somaxconn/.."sv, "net..core.somaxconn"sv, "net.core.somaxconn."sv,
        // Behind a first dot a slash is a dot: these are ".." and "." in disguise.
        "net.//.kernel.hostname"sv, "net.//.//.sys.kernel"sv, "net./.core.somaxconn"sv,
        "net/core/somaxconn\0.x"sv, "net.core.somaxconn\0"sv, "net\0.core"sv,
        "net.core.soma conn"sv, " net.core.somaxconn"sv, "net.core.somaxconn\n"sv,
        "net.core.\tsomaxconn"sv, "net.core.somaxconn\x7f"sv, "IFNAME"sv, "IFNAME.core.x"sv}) {
    EXPECT_TRUE(Thrown([&] { PathOf(key); }).starts_with("7 invalid net sysctl key: ")) << key;
  }
}

TEST(SysctlName, RefusesAnInterfaceNameThatIsAPath) {
  EXPECT_EQ(Thrown([] { PathOf("net.ipv4.conf.IFNAME.x", "a/b"); }),
            "4 Interface name (a/b) contains an invalid character /");
  EXPECT_EQ(Thrown([] { PathOf("net.core.somaxconn", "../.."); }),
            "4 Interface name (../..) contains an invalid character /");
  for (const std::string_view ifname : {"..", ".", ""}) {
    EXPECT_NE(Thrown([&] { PathOf("net.ipv4.conf.IFNAME.x", ifname); }), "") << ifname;
  }
}

TEST(SysctlName, NamesTheKeyAsWritten) {
  EXPECT_EQ(Thrown([] { PathOf("kernel/hostname"); }),
            "7 invalid net sysctl key: \"kernel/hostname\" | want a sysctl below net, like "
            "net.ipv4.conf.IFNAME.rp_filter");
}

TEST(SysctlName, GeneralizesOnlyItsOwnInterface) {
  const auto generalized = [](std::string_view key, std::string_view ifname) {
    return SysctlName::Parse(key, ifname).Generalized(ifname);
  };
  EXPECT_EQ(generalized("net.ipv4.conf.eth0.x", "eth0"), "net/ipv4/conf/IFNAME/x");
  EXPECT_EQ(generalized("net.ipv6.neigh.IFNAME.x", "eth0"), "net/ipv6/neigh/IFNAME/x");
  EXPECT_EQ(generalized("net.ipv4.conf.eth1.x", "eth0"), "net/ipv4/conf/eth1/x");
  EXPECT_EQ(generalized("net.ipv4.conf.all.x", "all"), "net/ipv4/conf/all/x");
  EXPECT_EQ(generalized("net.ipv4.conf.IFNAME.x", "default"), "net/ipv4/conf/default/x");
  EXPECT_EQ(generalized("net.ipv4.ip_forward", "ip_forward"), "net/ipv4/ip_forward");
  EXPECT_EQ(generalized("net.ipv4.conf.all.x", "ipv4"), "net/ipv4/conf/all/x");
}

}  // namespace
}  // namespace cnm::tuning
