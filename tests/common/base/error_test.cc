// error_test.cc: the exception type.
#include "common/base/error.h"

#include <cerrno>

#include <gtest/gtest.h>

namespace cnm {
namespace {

TEST(Error, CarriesCodeMessageAndDetails) {
  Error e(Code::kInUse, "use port 80: taken");
  EXPECT_EQ(e.code(), Code::kInUse);
  EXPECT_TRUE(e.details().empty());
  e.AddDetail("holder a").AddDetail("hint b").AddContext("network blue");
  EXPECT_EQ(e.message(), "network blue: use port 80: taken");
  EXPECT_STREQ(e.what(), "network blue: use port 80: taken");
  EXPECT_EQ(e.details(), "holder a; hint b");
}

TEST(Error, OfASystemCallHasItsText) {
  const Error e = SystemError(Code::kIo, "open /x", ENOENT);
  EXPECT_EQ(e.message(), "open /x: No such file or directory");
  EXPECT_EQ(e.code(), Code::kIo);
  EXPECT_EQ(SystemError(Code::kIo, "x", 9999).message(), "x: Unknown error");
}

}  // namespace
}  // namespace cnm
