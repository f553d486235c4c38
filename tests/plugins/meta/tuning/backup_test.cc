// backup_test.cc: backup files, ours and the reference's.
#include "plugins/meta/tuning/backup.h"

#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "common/json/object.h"
#include "tests/plugins/cni/thrown.h"

namespace cnm::tuning {
namespace {

/// What the reference's ADD wrote for mac, promisc, mtu and allmulti.
constexpr const char* kOfTheReference =
    "{\n \"mac\": \"0e:45:de:d5:c4:32\",\n \"promisc\": false,\n \"mtu\": 1500,\n"
    " \"allmulti\": false,\n \"txQLen\": 1000\n}";

Backup Full() {
  Backup backup;
  backup.subject = Subject{{4, 4026532000}, 3};
  backup.link.mac = net::Mac{{2, 0, 0, 0, 0, 1}};
  backup.link.mtu = 1500;
  backup.link.promiscuous = false;
  backup.link.all_multicast = true;
  backup.link.tx_queue_length = 0;
  backup.sysctls = {{"net/core/somaxconn", "4096"}, {"net/ipv4/route/flush", ""}};
  return backup;
}

TEST(Backup, ReadsTheReferences) {
  const Backup backup = DecodeBackup(kOfTheReference);
  EXPECT_FALSE(backup.subject);
  EXPECT_EQ(backup.link.mac->ToString(), "0e:45:de:d5:c4:32");
  EXPECT_EQ(backup.link.promiscuous, false);
  EXPECT_EQ(backup.link.mtu, 1500U);
  EXPECT_EQ(backup.link.all_multicast, false);
  EXPECT_EQ(backup.link.tx_queue_length, 1000U);
  EXPECT_TRUE(backup.sysctls.empty());
  EXPECT_EQ(DecodeBackup("{}"), Backup());
  EXPECT_EQ(DecodeBackup(R"({"mac":"","mtu":0})"), Backup());
}

TEST(Backup, IsReadAsItWasWritten) {
  EXPECT_EQ(DecodeBackup(Encode(Full())), Full());
  EXPECT_EQ(DecodeBackup(Encode(Backup())), Backup());
}

TEST(Backup, HasTheReferencesKeysAndOneOfOurs) {
  const json::Object object = json::Parse(Encode(Full()), "backup");
  EXPECT_EQ(object.Keys(),
            (std::vector<std::string>{"mac", "promisc", "mtu", "allmulti", "txQLen", "cnm"}));
}

TEST(Backup, TheFirstOriginalIsKept) {
  Backup first;
  first.link.mtu = 1500;
  first.sysctls = {{"net/a", "1"}};
  Backup second = Full();
  second.link.mtu = 1400;
  second.sysctls = {{"net/b", "2"}, {"net/a", "3"}};
  first.Complete(second);
  EXPECT_EQ(first.link.mtu, 1500U);
  EXPECT_EQ(first.link.mac, second.link.mac);
  EXPECT_EQ(first.subject, second.subject);
  EXPECT_EQ(first.sysctls, (std::vector<FormerSysctl>{{"net/a", "1"}, {"net/b", "2"}}));
}

TEST(Backup, IsNotReadWhenItIsBroken) {
  for (const std::string text :
       {"", "{", "[]", R"({"mtu":"x"})", R"({"cnm":7})", R"({"cnm":{"sysctl":{"net/a":1}}})"}) {
    EXPECT_NE(cni::Thrown([&] { DecodeBackup(text); }), "") << text;
  }
}

TEST(Backup, LiesWhereTheReferenceLooks) {
  EXPECT_EQ(BackupFiles("/run/cni/tuning", "c1", "eth0"),
            (std::vector<std::string>{"/run/cni/tuning/c1_eth0.json",
                                      "/run/cni/tuning/.tmp-c1_eth0.json"}));
}

}  // namespace
}  // namespace cnm::tuning
