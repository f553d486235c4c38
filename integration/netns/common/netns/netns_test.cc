// netns_test.cc: opening, telling apart and entering network namespaces.
#include "common/netns/netns.h"

#include <sys/stat.h>
#include <unistd.h>

#include <string>

#include <gtest/gtest.h>

#include "common/base/error.h"
#include "common/netns/sysctl.h"
#include "integration/support/fresh_netns.h"

namespace cnm::netns {
namespace {

using testing::OtherNetns;
using testing::Shell;
using testing::Succeeds;

class NetNsNetns : public testing::NetnsTest {
 protected:
  std::string OpenError(const std::string& path) {
    try {
      NetNs::Open(path);
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), Code::kNetns);
      return error.message();
    }
    return "";
  }
  OtherNetns other_;
};

TEST_F(NetNsNetns, TellsNamespacesApart) {
  const NetNs first = NetNs::Open(other_.path());
  EXPECT_EQ(first.identity(), NetNs::Open(other_.path()).identity());
  EXPECT_FALSE(first.identity() == NetNs::Current().identity());
  EXPECT_EQ(std::to_string(first.identity().inode), Shell("stat -L -c %i " + other_.path()));
  EXPECT_EQ(NetNs::Current().identity(),
            NetNs::Open("/proc/self/task/" + Shell("echo $PPID") + "/ns/net").identity());
}

TEST_F(NetNsNetns, SaysWhyAPathIsNoNetworkNamespace) {
  EXPECT_EQ(OpenError("/nowhere/ns"),
            "failed to Statfs \"/nowhere/ns\": no such file or directory");
  EXPECT_EQ(OpenError("/proc/self/ns/mnt"), "\"/proc/self/ns/mnt\" is not a network namespace");
  EXPECT_EQ(OpenError("/proc/self/status"), "\"/proc/self/status\" is not a network namespace");
  EXPECT_EQ(OpenError("/sys/kernel"), "unknown FS magic on \"/sys/kernel\": 62656572");
  Shell("mount -t tmpfs none /mnt && mkfifo /mnt/pipe");
  EXPECT_EQ(OpenError("/mnt/pipe"), "unknown FS magic on \"/mnt/pipe\": 1021994");
}

TEST_F(NetNsNetns, TriesAPathThatMayBeGone) {
  EXPECT_FALSE(NetNs::TryOpen("/nowhere/ns"));
  EXPECT_FALSE(NetNs::TryOpen("/proc/self/status/ns"));
  EXPECT_FALSE(NetNs::TryOpen("/proc/self/ns/mnt"));
  EXPECT_FALSE(NetNs::TryOpen("/sys/kernel"));
  EXPECT_TRUE(NetNs::TryOpen(other_.path()));
}

TEST_F(NetNsNetns, OpensABindMountedOne) {
  Shell("mount -t tmpfs none /mnt && touch /mnt/ns && mount --bind " + other_.path() + " /mnt/ns");
  EXPECT_EQ(NetNs::Open("/mnt/ns").identity(), NetNs::Open(other_.path()).identity());
}

TEST_F(NetNsNetns, RunsWorkInsideAndComesBack) {
  const NetNs inside = NetNs::Open(other_.path());
  const Identity before = NetNs::Current().identity();
  Identity seen;
  inside.Run([&] {
    seen = NetNs::Current().identity();
    Shell("ip link add there type bridge");
  });
  EXPECT_EQ(seen, inside.identity());
  EXPECT_EQ(NetNs::Current().identity(), before);
  EXPECT_FALSE(Succeeds("ip link show there"));
  EXPECT_TRUE(Succeeds(other_.Inside("ip link show there")));
}

TEST_F(NetNsNetns, ComesBackWhenWorkThrows) {
  const Identity before = NetNs::Current().identity();
  EXPECT_THROW(NetNs::Open(other_.path()).Run([] { throw Error(Code::kIo, "inside"); }), Error);
  EXPECT_EQ(NetNs::Current().identity(), before);
}

TEST_F(NetNsNetns, EntersOneWay) {
  const NetNs inside = NetNs::Open(other_.path());
  inside.Enter();
  EXPECT_EQ(NetNs::Current().identity(), inside.identity());
}

TEST_F(NetNsNetns, ReadsAndWritesSysctlsOfTheCurrentNamespace) {
  EXPECT_EQ(ReadSysctl("net/ipv4/ip_forward"), "0");
  EXPECT_TRUE(WriteSysctl("net/ipv4/ip_forward", "1"));
  EXPECT_EQ(Shell("cat /proc/sys/net/ipv4/ip_forward"), "1");
  EXPECT_EQ(Shell(other_.Inside("cat /proc/sys/net/ipv4/ip_forward")), "0");
  EXPECT_FALSE(EnsureSysctl("net/ipv4/ip_forward", "1"));
  EXPECT_TRUE(EnsureSysctl("net/ipv4/ip_forward", "0"));
  NetNs::Open(other_.path()).Run([] { EXPECT_TRUE(EnsureSysctl("net/ipv4/ip_forward", "1")); });
  EXPECT_EQ(Shell("cat /proc/sys/net/ipv4/ip_forward"), "0");
}

TEST_F(NetNsNetns, ReachesALinkWithADotInItsName) {
  Shell("ip link add br0.100 type bridge");
  EXPECT_TRUE(WriteSysctl("net/ipv4/conf/br0.100/arp_notify", "1"));
  EXPECT_EQ(Shell("cat /proc/sys/net/ipv4/conf/br0.100/arp_notify"), "1");
}

TEST_F(NetNsNetns, TreatsAMissingSysctlAsAbsent) {
  EXPECT_EQ(ReadSysctl("net/ipv4/conf/nolink/arp_notify"), std::nullopt);
  EXPECT_FALSE(WriteSysctl("net/ipv4/conf/nolink/arp_notify", "1"));
  EXPECT_FALSE(EnsureSysctl("net/ipv4/conf/nolink/arp_notify", "1"));
}

TEST_F(NetNsNetns, SaysWhichValueWasRefused) {
  try {
    WriteSysctl("net/ipv6/conf/lo/mtu", "many");
    FAIL() << "did not throw";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), Code::kKernel);
    EXPECT_EQ(error.message(), "write sysctl net/ipv6/conf/lo/mtu=many: Invalid argument");
  }
}

}  // namespace
}  // namespace cnm::netns
