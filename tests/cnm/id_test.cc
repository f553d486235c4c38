// id_test.cc: derived names.
#include "cnm/id.h"

#include <gtest/gtest.h>

#include "common/base/digest.h"

namespace cnm {
namespace {

TEST(Id, OwnerIsTheHashOfTheThreeWordsSeparatedByNul) {
  // printf 'blue\0c1\0eth0' | sha512sum
  EXPECT_EQ(OwnerOf("blue", "c1", "eth0"), Sha512Hex(std::string("blue\0c1\0eth0", 12), 16));
  EXPECT_NE(OwnerOf("a", "bc", "d"), OwnerOf("ab", "c", "d"));
}

TEST(Id, HostLinkNamesFitAndDifferByAttempt) {
  const std::string owner = OwnerOf("blue", "c1", "eth0");
  EXPECT_EQ(HostLinkName(owner, 0), "veth" + owner.substr(0, 11));
  EXPECT_EQ(HostLinkName(owner, 1).size(), 15U);
  EXPECT_NE(HostLinkName(owner, 0), HostLinkName(owner, 1));
}

TEST(Id, DerivedMacsAreLocalUnicast) {
  const net::Mac mac = DerivedMac("anything");
  EXPECT_EQ(mac.bytes[0], 0x02);
  EXPECT_EQ(mac, DerivedMac("anything"));
  EXPECT_NE(mac, DerivedMac("anything else"));
}

}  // namespace
}  // namespace cnm
