// etc_hosts_test.cc: a sandbox's /etc/hosts.
#include "cnm/sandbox/etc_hosts.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <fstream>
#include <iterator>
#include <string>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "common/base/atomic_file.h"
#include "common/base/error.h"
#include "tests/common/base/child_process.h"

namespace cnm::etc_hosts {
namespace {

using EtcHostsFile = DirectoryTest;

const char* const kDefaults =
    "127.0.0.1\tlocalhost\n::1\tlocalhost ip6-localhost ip6-loopback\nfe00::0\tip6-localnet\n"
    "ff00::0\tip6-mcastprefix\nff02::1\tip6-allnodes\nff02::2\tip6-allrouters\n";

net::Address At(std::string_view text) {
  return net::Address::Parse(text).value();
}

std::string Text(const std::string& path) {
  return cnm::ReadFile(path).value_or("(none)");
}

ino_t Inode(const std::string& path) {
  struct stat status {};
  EXPECT_EQ(::stat(path.c_str(), &status), 0);
  return status.st_ino;
}

std::string BuildFor(const std::string& host, const std::string& domain) {
  return Build(MakeSelf(At("192.0.2.1"), host, domain), {});
}

TEST(EtcHosts, BuildsTheSixLinesOfEveryHostInOrder) {
  EXPECT_EQ(Build({}, {}), kDefaults);
}

TEST(EtcHosts, BuildsTheHostsOwnLineFirst) {
  EXPECT_EQ(BuildFor("web", "example.com"),
            fmt::format("192.0.2.1\tweb.example.com web\n{}", kDefaults));
  EXPECT_EQ(BuildFor("web", ""), fmt::format("192.0.2.1\tweb\n{}", kDefaults));
  EXPECT_EQ(BuildFor("", "example.com"), kDefaults);
}

TEST(EtcHosts, BuildsExtraLinesLast) {
  EXPECT_EQ(Build({}, {{At("2001:db8::1"), "db"}, {At("192.0.2.9"), "mail mx"}}),
            fmt::format("{}2001:db8::1\tdb\n192.0.2.9\tmail mx\n", kDefaults));
}

TEST(EtcHosts, RefusesNamesThatWouldMakeOtherLines) {
  for (const char* names : {"", " ", "a\n192.0.2.66 bank", "a\r", "a#b", "\x7f"}) {
    EXPECT_THROW(Build({}, {{At("192.0.2.1"), names}}), Error) << names;
    EXPECT_THROW(Add("", {{At("192.0.2.1"), names}}), Error) << names;
  }
  try {
    Add("", {{At("192.0.2.1"), "a\nb"}});
    FAIL();
  } catch (const Error& e) {
    EXPECT_EQ(e.code(), Code::kConfig);
    EXPECT_EQ(e.message(), "invalid host names: \"a\\nb\"");
  }
}

TEST(EtcHosts, AddsNothingForNoRecords) {
  EXPECT_EQ(Add("anything", {}), "anything");
}

TEST(EtcHosts, AddsWhatIsNotThereYet) {
  const std::vector<Record> records = {{At("192.0.2.2"), "db"}, {At("192.0.2.2"), "db.blue"}};
  const std::string once = Add("192.0.2.1\tweb", records);
  EXPECT_EQ(once, "192.0.2.1\tweb\n192.0.2.2\tdb\n192.0.2.2\tdb.blue\n");
  EXPECT_EQ(Add(once, records), once);
  // The same name on another network is another record.
  EXPECT_EQ(Add("192.0.2.2\tdb\n", {{At("198.51.100.2"), "db"}}),
            "192.0.2.2\tdb\n198.51.100.2\tdb\n");
}

TEST(EtcHosts, RemovesNothingForNoRecords) {
  EXPECT_EQ(Remove("anything", {}), "anything");
}

TEST(EtcHosts, RemovesOnlyTheNamedRecord) {
  const std::string text =
      "# made by hand\n192.0.2.1\tweb\n192.0.2.2\tdb\n192.0.2.2\tdb.blue\n192.0.2.2 \t db # ours\n"
      "198.51.100.2\tdb\n192.0.2.2\tdb other\n192.0.2.22\tdb";
  EXPECT_EQ(Remove(text, {{At("192.0.2.2"), "db"}}),
            "# made by hand\n192.0.2.1\tweb\n192.0.2.2\tdb.blue\n198.51.100.2\tdb\n"
            "192.0.2.2\tdb other\n192.0.2.22\tdb");
  EXPECT_EQ(Remove("192.0.2.2\tdb", {{At("192.0.2.2"), "db"}}), "");
}

TEST(EtcHosts, UpdatesTheAddressOfANameAndOfNoLongerOne) {
  EXPECT_EQ(Update(BuildFor("web", "example.com"), At("198.51.100.7"), "web"),
            fmt::format("198.51.100.7\tweb.example.com web\n{}", kDefaults));
  const std::string text =
      "192.0.2.1\tweb2\n192.0.2.1\tweb.example\n 192.0.2.1  a web # b\n# web\n";
  EXPECT_EQ(Update(text, At("198.51.100.7"), "web"),
            "192.0.2.1\tweb2\n192.0.2.1\tweb.example\n 198.51.100.7  a web # b\n# web\n");
}

TEST(EtcHosts, UpdatesOnlyLinesOfTheAddresssFamily) {
  EXPECT_EQ(Update("192.0.2.1\tweb\n2001:db8::1\tweb", At("2001:db8::2"), "web"),
            "192.0.2.1\tweb\n2001:db8::2\tweb");
}

TEST(EtcHosts, NeverMovesLocalhost) {
  EXPECT_EQ(Update(kDefaults, At("198.51.100.7"), "localhost"), kDefaults);
}

TEST_F(EtcHostsFile, IsMadeReadableForAllWhateverTheUmask) {
  const mode_t old = ::umask(077);
  WriteFile(Path("a/b/hosts"), {}, {});
  ::umask(old);
  EXPECT_EQ(Text(Path("a/b/hosts")), kDefaults);
  struct stat status {};
  ASSERT_EQ(::stat(Path("a/b/hosts").c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 07777U, 0644U);
}

TEST_F(EtcHostsFile, StaysTheSameFileForTheContainerThatMountsIt) {
  const std::string path = Path("hosts");
  WriteFile(path, MakeSelf(At("192.0.2.1"), "web", ""), {});
  const ino_t inode = Inode(path);
  std::ifstream mounted(path);  // as a bind mount, holds on to the inode
  AddToFile(path, {{At("192.0.2.2"), "db"}});
  UpdateFile(path, At("192.0.2.3"), "web");
  RemoveFromFile(path, {{At("192.0.2.2"), "db"}});
  EXPECT_EQ(Inode(path), inode);
  EXPECT_EQ(std::string(std::istreambuf_iterator<char>(mounted), {}),
            fmt::format("192.0.2.3\tweb\n{}", kDefaults));
}

TEST_F(EtcHostsFile, OnlyRemovingMayMissIt) {
  EXPECT_THROW(AddToFile(Path("hosts"), {{At("192.0.2.2"), "db"}}), Error);
  EXPECT_THROW(UpdateFile(Path("hosts"), At("192.0.2.2"), "db"), Error);
  RemoveFromFile(Path("hosts"), {{At("192.0.2.2"), "db"}});
  AddToFile(Path("hosts"), {});
  EXPECT_EQ(Text(Path("hosts")), "(none)");
  EXPECT_EQ(Text(Path("hosts.lock")), "(none)");
}

TEST_F(EtcHostsFile, CopiesAnOriginAndToleratesNone) {
  WriteFileAtomic(Path("origin"), "192.0.2.9\torigin\n", Durability::kVolatile);
  CopyFile(Path("origin"), Path("hosts"));
  EXPECT_EQ(Text(Path("hosts")), "192.0.2.9\torigin\n");
  CopyFile(Path("missing"), Path("hosts"));
  EXPECT_EQ(Text(Path("hosts")), "");
}

TEST_F(EtcHostsFile, LosesNoRecordOfConcurrentWriters) {
  const std::string path = Path("hosts");
  WriteFile(path, {}, {});
  const auto add = [&](int third) {
    return [&path, third](const ChildProcess::Parent&) {
      for (int last = 1; last <= 50; ++last) {
        AddToFile(path, {{At(fmt::format("10.0.{}.{}", third, last)), "peer"}});
      }
    };
  };
  ChildProcess one(add(1));
  ChildProcess other(add(2));
  EXPECT_EQ(one.Wait(), 0);
  EXPECT_EQ(other.Wait(), 0);
  const std::string text = Text(path);
  for (int last = 1; last <= 50; ++last) {
    EXPECT_NE(text.find(fmt::format("10.0.1.{}\tpeer\n", last)), std::string::npos);
    EXPECT_NE(text.find(fmt::format("10.0.2.{}\tpeer\n", last)), std::string::npos);
  }
}

}  // namespace
}  // namespace cnm::etc_hosts
