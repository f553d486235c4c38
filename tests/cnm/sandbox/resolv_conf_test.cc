// resolv_conf_test.cc: a sandbox's /etc/resolv.conf.
#include "cnm/sandbox/resolv_conf.h"

#include <sys/stat.h>
#include <unistd.h>

#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "common/base/atomic_file.h"
#include "common/base/error.h"
#include "tests/common/base/child_process.h"

namespace cnm::resolv_conf {
namespace {

using ResolvConfFile = DirectoryTest;
using Words = std::vector<std::string>;

net::Address At(std::string_view text) {
  return net::Address::Parse(text).value();
}

std::string Text(const std::string& path) {
  return cnm::ReadFile(path).value_or("(none)");
}

void Put(const std::string& path, std::string_view text) {
  WriteFileAtomic(path, text, Durability::kVolatile);
}

unsigned Mode(const std::string& path) {
  struct stat status {};
  EXPECT_EQ(::stat(path.c_str(), &status), 0);
  return status.st_mode & 07777U;
}

TEST(ResolvConf, ReadsNameservers) {
  const auto read = [](std::string_view text) { return Parse(text).nameservers; };
  EXPECT_EQ(read(""), Words{});
  EXPECT_EQ(read("search example.com"), Words{});
  EXPECT_EQ(read("nameserver 192.0.2.1"), Words{"192.0.2.1"});
  EXPECT_EQ(read("\nnameserver 192.0.2.1\nnameserver 2001:db8::1\n"),
            (Words{"192.0.2.1", "2001:db8::1"}));
  EXPECT_EQ(read("#nameserver 192.0.2.1\n;nameserver 192.0.2.2\n  nameserver\t192.0.2.3 # mine"),
            Words{"192.0.2.3"});
  EXPECT_EQ(read("nameserver"), Words{});
  EXPECT_EQ(read("nameservers 192.0.2.1"), Words{});
}

TEST(ResolvConf, TheLastSearchOrDomainWins) {
  const auto read = [](std::string_view text) { return Parse(text).search; };
  EXPECT_EQ(read(""), Words{});
  EXPECT_EQ(read("search"), Words{});
  EXPECT_EQ(read("  search   a.example  b.example # c.example"), (Words{"a.example", "b.example"}));
  EXPECT_EQ(read("search a.example\nsearch b.example"), Words{"b.example"});
  EXPECT_EQ(read("search a.example\ndomain b.example"), Words{"b.example"});
  EXPECT_EQ(read("domain b.example\nsearch a.example\n"), Words{"a.example"});
}

TEST(ResolvConf, TheLastOptionsWin) {
  const auto read = [](std::string_view text) { return Parse(text).options; };
  EXPECT_EQ(read("options"), Words{});
  EXPECT_EQ(read("options ndots:2 edns0 #rotate\r\n"), (Words{"ndots:2", "edns0"}));
  EXPECT_EQ(read("options ndots:2\noptions rotate"), Words{"rotate"});
}

TEST(ResolvConf, BuildsSearchThenServersThenOptions) {
  EXPECT_EQ(Build({.nameservers = {"192.0.2.1", "2001:db8::1"},
                   .search = {"a.example", "b.example"},
                   .options = {"ndots:2", "edns0"}}),
            "search a.example b.example\nnameserver 192.0.2.1\nnameserver 2001:db8::1\n"
            "options ndots:2 edns0\n");
  EXPECT_EQ(Build({.nameservers = {"192.0.2.1"}, .search = {"a.example"}}),
            "search a.example\nnameserver 192.0.2.1\n");
  EXPECT_EQ(Build({}), "");
}

TEST(ResolvConf, ARootSearchMeansNone) {
  EXPECT_EQ(Build({.nameservers = {"192.0.2.1"}, .search = {"."}}), "nameserver 192.0.2.1\n");
}

TEST(ResolvConf, RefusesWordsThatWouldNotStayOne) {
  for (const char* word : {"", "a b", "a\nnameserver 192.0.2.66", "a#b", "a\t"}) {
    EXPECT_THROW(Build({.nameservers = {word}}), Error) << word;
    EXPECT_THROW(Build({.search = {word}}), Error) << word;
    EXPECT_THROW(Build({.options = {word}}), Error) << word;
  }
}

TEST(ResolvConf, TakesFromTheHostWhatTheUserLeftEmpty) {
  const Settings host{.nameservers = {"192.0.2.1"}, .search = {"a"}, .options = {"rotate"}};
  EXPECT_EQ(Complete({}, host), host);
  EXPECT_EQ(Complete({.search = {"."}}, host),
            (Settings{.nameservers = {"192.0.2.1"}, .search = {"."}, .options = {"rotate"}}));
}

TEST(ResolvConf, KeepsServersThatASandboxReaches) {
  const std::string text = "nameserver 192.0.2.1\nnameserver 192.0.2.2\n";
  EXPECT_EQ(FilterNameservers(text, {}), text);
  EXPECT_EQ(FilterNameservers("# mine\nnameserver 2001:db8::1 # b\nsearch x", {}),
            "# mine\nnameserver 2001:db8::1 # b\nsearch x\n");
}

TEST(ResolvConf, DropsServersOfTheHostAlone) {
  const auto filter = [](std::string_view text) { return FilterNameservers(text, {}); };
  const std::string rest = "nameserver 192.0.2.1\n";
  EXPECT_EQ(filter("nameserver 127.0.0.1\nnameserver 192.0.2.1\n"), rest);
  EXPECT_EQ(filter("nameserver 192.0.2.1\nnameserver 127.0.1.1\n"), rest);
  EXPECT_EQ(filter("nameserver 192.0.2.1\nnameserver ::1\n"), rest);
  EXPECT_EQ(filter("nameserver 0.0.0.0\nnameserver ::\nnameserver 192.0.2.1"), rest);
  EXPECT_EQ(filter("nameserver fe80::1%eth0\nnameserver 192.0.2.1"), rest);
  // 127 is not the beginning of every such text.
  EXPECT_EQ(filter("nameserver 12.7.0.1\n#nameserver 127.0.0.1\n"),
            "nameserver 12.7.0.1\n#nameserver 127.0.0.1\n");
}

TEST(ResolvConf, DropsIpv6ServersOfASandboxWithout) {
  EXPECT_EQ(FilterNameservers("nameserver 192.0.2.1\nnameserver 2001:db8::1\noptions rotate\n",
                              {.ipv6 = false}),
            "nameserver 192.0.2.1\noptions rotate\n");
}

TEST(ResolvConf, FallsBackOnlyWhenNoServerIsLeft) {
  const Filter v4{.ipv6 = false, .fallback = PublicNameservers(false)};
  EXPECT_EQ(FilterNameservers("search x\nnameserver 127.0.0.1", v4),
            "search x\nnameserver 8.8.8.8\nnameserver 8.8.4.4\n");
  EXPECT_EQ(FilterNameservers("nameserver 2001:db8::1\n", v4),
            "nameserver 8.8.8.8\nnameserver 8.8.4.4\n");
  EXPECT_EQ(FilterNameservers("nameserver 192.0.2.1\n", v4), "nameserver 192.0.2.1\n");
  EXPECT_EQ(FilterNameservers("nameserver of.the.host\n", v4),
            "nameserver of.the.host\nnameserver 8.8.8.8\nnameserver 8.8.4.4\n");
  EXPECT_EQ(FilterNameservers("", {.fallback = PublicNameservers(true)}),
            "nameserver 8.8.8.8\nnameserver 8.8.4.4\nnameserver 2001:4860:4860::8888\n"
            "nameserver 2001:4860:4860::8844\n");
  EXPECT_EQ(FilterNameservers("nameserver 127.0.0.1\n", {}), "");
}

TEST(ResolvConf, PutsTheEmbeddedResolverInFront) {
  const Embedded embedded = UseEmbedded(
      "domain a.example\nnameserver 127.0.0.53\nnameserver 192.0.2.1\nnameserver 2001:db8::1\n"
      "nameserver ::1\n");
  EXPECT_EQ(embedded.text,
            "search a.example\nnameserver 127.0.0.11\nnameserver 2001:db8::1\noptions ndots:0\n");
  EXPECT_EQ(embedded.upstream, (std::vector{At("127.0.0.53"), At("192.0.2.1")}));
  EXPECT_EQ(UseEmbedded("options ndots:3 edns0").text,
            "nameserver 127.0.0.11\noptions ndots:3 edns0\n");
  EXPECT_EQ(UseEmbedded("options edns0").text, "nameserver 127.0.0.11\noptions edns0 ndots:0\n");
}

TEST(ResolvConf, KnowsSystemdResolvedsStubAlone) {
  EXPECT_TRUE(IsResolvedStub("# stub\nnameserver 127.0.0.53\noptions edns0 trust-ad\n"));
  EXPECT_FALSE(IsResolvedStub("nameserver 127.0.0.53\nnameserver 192.0.2.1\n"));
  EXPECT_FALSE(IsResolvedStub("nameserver 127.0.0.1\n"));
  EXPECT_FALSE(IsResolvedStub(""));
}

TEST_F(ResolvConfFile, TheHostsIsReadBehindTheStub) {
  const HostFiles files{.resolv_conf = Path("resolv.conf"), .resolved = Path("resolved")};
  EXPECT_EQ(ReadHost(files), "");
  Put(files.resolv_conf, "nameserver 127.0.0.53\n");
  EXPECT_EQ(ReadHost(files), "nameserver 127.0.0.53\n");
  Put(files.resolved, "nameserver 192.0.2.1\n");
  EXPECT_EQ(ReadHost(files), "nameserver 192.0.2.1\n");
  Put(files.resolv_conf, "nameserver 192.0.2.2\n");
  EXPECT_EQ(ReadHost(files), "nameserver 192.0.2.2\n");
}

TEST_F(ResolvConfFile, IsUpdatedWhileItIsOursInTheSameInode) {
  const std::string path = Path("resolv.conf");
  WriteFile(path, "nameserver 192.0.2.1\nnameserver 192.0.2.2\n");
  struct stat before {};
  ASSERT_EQ(::stat(path.c_str(), &before), 0);
  EXPECT_TRUE(UpdateFile(path, "nameserver 192.0.2.3\n"));
  EXPECT_TRUE(UpdateFile(path, "nameserver 192.0.2.4\n"));
  EXPECT_EQ(Text(path), "nameserver 192.0.2.4\n");
  struct stat after {};
  ASSERT_EQ(::stat(path.c_str(), &after), 0);
  EXPECT_EQ(before.st_ino, after.st_ino);
  EXPECT_EQ(Mode(path), 0644U);
  EXPECT_EQ(Mode(path + ".hash"), 0644U);
  EXPECT_EQ(Text(path + ".hash").size(), 7U + 128U);
}

TEST_F(ResolvConfFile, AUsersEditStays) {
  const std::string path = Path("resolv.conf");
  WriteFile(path, "nameserver 192.0.2.1\n");
  Put(path, "nameserver 192.0.2.66\n");
  EXPECT_FALSE(UpdateFile(path, "nameserver 192.0.2.3\n"));
  EXPECT_EQ(Text(path), "nameserver 192.0.2.66\n");
  WriteFile(path, "nameserver 192.0.2.5\n");  // asked for anew: ours again
  EXPECT_TRUE(UpdateFile(path, "nameserver 192.0.2.3\n"));
}

TEST_F(ResolvConfFile, AMissingFileOrHashIsNotOurs) {
  const std::string path = Path("resolv.conf");
  EXPECT_FALSE(UpdateFile(path, "x"));
  EXPECT_EQ(Text(path), "(none)");
  WriteFile(path, "nameserver 192.0.2.1\n");
  ASSERT_EQ(::unlink((path + ".hash").c_str()), 0);
  EXPECT_FALSE(UpdateFile(path, "x"));
  WriteFile(path, "nameserver 192.0.2.1\n");
  Put(path + ".hash", "");
  Put(path, "");
  EXPECT_FALSE(UpdateFile(path, "x"));
}

TEST_F(ResolvConfFile, AWriterKilledAnywhereLeavesItOurs) {
  const std::string path = Path("resolv.conf");
  const std::string old_text = "nameserver 192.0.2.1\nnameserver 192.0.2.2\n";
  WriteFile(path, old_text);
  const std::string old_hash = Text(path + ".hash");
  WriteFile(path, "nameserver 192.0.2.3\n");
  const std::string both = Text(path + ".hash") + "\n" + old_hash;
  // Killed before the text, between its write and the truncation, and behind it.
  for (const std::string& text : {old_text, std::string("nameserver 192.0.2.3\n\n\n\n"),
                                  std::string("nameserver 192.0.2.3\n")}) {
    Put(path, text);
    Put(path + ".hash", both);
    EXPECT_TRUE(UpdateFile(path, "nameserver 192.0.2.4\n")) << text;
  }
}

TEST_F(ResolvConfFile, ACopyIsNeverUpdated) {
  Put(Path("origin"), "nameserver 192.0.2.9\n");
  WriteFile(Path("resolv.conf"), "nameserver 192.0.2.1\n");
  CopyFile(Path("origin"), Path("resolv.conf"));
  EXPECT_FALSE(UpdateFile(Path("resolv.conf"), "x"));
  EXPECT_EQ(Text(Path("resolv.conf")), "nameserver 192.0.2.9\n");
}

TEST_F(ResolvConfFile, IsRemovedWithAllThatBelongsToIt) {
  WriteFile(Path("box/resolv.conf"), "nameserver 192.0.2.1\n");
  EXPECT_TRUE(RemoveFile(Path("box/resolv.conf")));
  EXPECT_FALSE(RemoveFile(Path("box/resolv.conf")));
  EXPECT_EQ(::rmdir(Path("box").c_str()), 0) << "something was left";
}

}  // namespace
}  // namespace cnm::resolv_conf
