// allowlist_test.cc: what an allowlist lets pass, and attempts to get past it.
#include "plugins/meta/tuning/allowlist.h"

#include <string>
#include <string_view>

#include <gtest/gtest.h>

#include "tests/plugins/cni/thrown.h"

namespace cnm::tuning {
namespace {

using cni::Thrown;

bool Allows(std::string_view text, std::string_view key, std::string_view ifname = "eth0") {
  return Allowlist::Parse(text, "allowlist.conf").Allows(SysctlName::Parse(key, ifname), ifname);
}

std::string Problem(std::string_view text) {
  std::string thrown = Thrown([&] { Allowlist::Parse(text, "a.conf"); });
  return thrown.substr(0, thrown.find(" | "));
}

TEST(Allowlist, AnEmptyOneAllowsNothing) {
  EXPECT_FALSE(Allows("", "net.core.somaxconn"));
  EXPECT_FALSE(Allows("\n  \n# net.core.somaxconn\n", "net.core.somaxconn"));
}

TEST(Allowlist, APatternMustMatchTheWholeName) {
  EXPECT_TRUE(Allows("net.core.somaxconn", "net.core.somaxconn"));
  EXPECT_TRUE(Allows("^net.core.somaxconn$\r\n", "net.core.somaxconn"));
  EXPECT_FALSE(Allows("net.core", "net.core.somaxconn"));
  EXPECT_FALSE(Allows("core.somaxconn", "net.core.somaxconn"));
  EXPECT_FALSE(Allows("^net.ipv4.conf.IFNAME.accept_ra", "net.ipv4.conf.IFNAME.accept_ra_more"));
  EXPECT_TRUE(Allows("a\nnet\\..*\nb", "net.core.somaxconn"));
}

TEST(Allowlist, AnchorsAllAlternativesOfAPattern) {
  EXPECT_FALSE(Allows("net.core|net.ipv4", "net.core.somaxconn"));
  EXPECT_FALSE(Allows("net.ipv4|net.core", "net.core.somaxconn"));
  EXPECT_TRUE(Allows("net.core|net.core.somaxconn", "net.core.somaxconn"));
  EXPECT_FALSE(Allows("^net.core|x$", "net.core.somaxconn"));
}

TEST(Allowlist, IsUnanchoredWhenItSaysSo) {
  const std::string text = "# match: unanchored\nnet.core\n";
  EXPECT_TRUE(Allows(text, "net.core.somaxconn"));
  EXPECT_FALSE(Allows(text, "net.ipv4.ip_forward"));
  EXPECT_FALSE(Allows("# match: anchored\nnet.core\n", "net.core.somaxconn"));
  EXPECT_TRUE(Allows("net.core\n#match:unanchored", "net.core.somaxconn"));
  EXPECT_FALSE(Allows("# a match: unanchored\nnet.core", "net.core.somaxconn"));
  EXPECT_EQ(Problem("\n# match: any\n"),
            "7 a.conf line 2: match: \"any\": want anchored or unanchored");
}

TEST(Allowlist, JudgesTheNameAndNotItsSpelling) {
  for (const std::string_view key :
       {"net.ipv4.conf.IFNAME.rp_filter", "net/ipv4/conf/IFNAME/rp_filter",
        "net.ipv4.conf.eth0.rp_filter", "net/ipv4/conf/eth0/rp_filter"}) {
    EXPECT_TRUE(Allows("net\\.ipv4\\.conf\\.IFNAME\\.rp_filter", key)) << key;
    EXPECT_TRUE(Allows("net/ipv4/conf/IFNAME/rp_filter", key)) << key;
    EXPECT_TRUE(Allows("net[./]ipv4[./]conf[./]IFNAME[./]rp_filter", key)) << key;
    EXPECT_TRUE(Allows("net\\.ipv4\\.conf\\.eth0\\.rp_filter", key)) << key;
    EXPECT_FALSE(Allows("net\\.ipv4\\.conf\\.all\\.rp_filter", key)) << key;
  }
}

TEST(Allowlist, AnInterfaceIsNotAnother) {
  const std::string_view own = "net\\.ipv4\\.conf\\.IFNAME\\.rp_filter";
  EXPECT_FALSE(Allows(own, "net.ipv4.conf.eth1.rp_filter"));
  EXPECT_FALSE(Allows(own, "net.ipv4.conf.all.rp_filter"));
  // Whoever may choose the interface's name must not reach all of them by it.
  EXPECT_FALSE(Allows(own, "net.ipv4.conf.IFNAME.rp_filter", "all"));
  EXPECT_FALSE(Allows(own, "net.ipv4.conf.all.rp_filter", "all"));
  EXPECT_FALSE(Allows(own, "net.ipv4.conf.default.rp_filter", "default"));
}

TEST(Allowlist, AnotherSeparatorDoesNotReachDeeper) {
  // [^.]+ stands for one component, also when slashes would let it span several.
  EXPECT_TRUE(Allows("net\\.ipv4\\.[^.]+", "net.ipv4.ip_forward"));
  EXPECT_FALSE(Allows("net\\.ipv4\\.[^.]+", "net/ipv4/conf/all/forwarding"));
  EXPECT_FALSE(Allows("net.ipv4.[^.]+", "net/ipv4/conf/all/forwarding"));
  EXPECT_TRUE(Allows("net/ipv4/[^/]+", "net.ipv4.ip_forward"));
  EXPECT_FALSE(Allows("net/ipv4/[^/]+", "net.ipv4.conf.all.forwarding"));
  EXPECT_FALSE(Allows("net[./]ipv4[./][^/]+", "net.ipv4.conf.all.forwarding"));
  EXPECT_FALSE(Allows("# match: unanchored\n^net.ipv4.[^.]+$", "net/ipv4/conf/all/forwarding"));
}

TEST(Allowlist, SeesDotsInInterfaceNames) {
  const std::string_view key = "net.ipv4.conf.IFNAME.rp_filter";
  EXPECT_TRUE(Allows("net\\.ipv4\\.conf\\.[^.]+\\.rp_filter", key, "eth0.100"));
  EXPECT_TRUE(Allows("net/ipv4/conf/eth0\\.100/rp_filter", key, "eth0.100"));
  // net.ipv4.conf.eth0.100.rp_filter would be another path.
  EXPECT_FALSE(Allows("net\\.ipv4\\.conf\\.eth0\\.100\\.rp_filter", key, "eth0.100"));
}

TEST(Allowlist, NamesTheLineThatDoesNotCompile) {
  EXPECT_TRUE(Problem("net.core\n\n(\n").starts_with("7 a.conf line 3: \"(\": ")) << Problem("(");
  EXPECT_NE(Problem("["), "");
  EXPECT_NE(Problem("a{2,1}"), "");
  EXPECT_NE(Problem("*a"), "");
  EXPECT_NE(Problem("a\\"), "");
  EXPECT_NE(Problem("(?:net)"), "");
}

TEST(Allowlist, RefusesWhatPosixReadsOtherwiseThanRe2) {
  EXPECT_EQ(Problem("net\\.\\d+"), "7 a.conf line 1: \"net\\\\.\\\\d+\": \\d is not POSIX");
  for (const std::string_view pattern :
       {"\\pL", "\\Qnet\\E", "\\x41", "\\Anet", "net\\z", "(a)\\1", "\\n", "[\\d]", "[^\\d]",
        "[\\w.]", "[\\]]", "[a\\-z]", "[^]\\s]", "[[:alpha:]\\d]"}) {
    EXPECT_NE(Problem(pattern), "") << pattern;
  }
  EXPECT_NE(Problem(std::string_view("net\0x", 5)), "");
  for (const std::string_view pattern :
       {"net\\.core", "net\\/core", "\\w+", "a\\b", "[^\\.]", "[\\/]", "[[:alpha:]_]", "[]a]",
        "\\[a", "[^]]", "[a[]", "a\\\\b"}) {
    EXPECT_EQ(Problem(pattern), "") << pattern;
  }
}

TEST(Allowlist, ListsItsPatterns) {
  EXPECT_EQ(Allowlist::Parse("# x\na\n\n  b \n", "a.conf").ToString(), "a b");
}

}  // namespace
}  // namespace cnm::tuning
