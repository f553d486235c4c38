// digest_test.cc: SHA-512.
#include "common/base/digest.h"

#include <gtest/gtest.h>

namespace cnm {
namespace {

TEST(Digest, Sha512IsTheStandardFunction) {
  // FIPS 180-4 example: SHA-512("abc").
  EXPECT_EQ(Sha512Hex("abc", 32), "ddaf35a193617abacc417349ae204131");
  EXPECT_EQ(Sha512("abc").back(), 0x9f);
  EXPECT_EQ(Sha512Hex("abc", 1000).size(), 128U);
}

}  // namespace
}  // namespace cnm
