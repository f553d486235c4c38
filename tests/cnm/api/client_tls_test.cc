// client_tls_test.cc: when a client of the REST API uses TLS.
#include "cnm/api/client_tls.h"

#include <cstdlib>
#include <string>

#include <gtest/gtest.h>

#include "common/base/error.h"

namespace cnm::api {
namespace {

class ResolveTlsTest : public testing::Test {
 protected:
  ResolveTlsTest() { ::unsetenv("CNM_TLS_VERIFY"); }
  ~ResolveTlsTest() override { ::unsetenv("CNM_TLS_VERIFY"); }
};

TEST_F(ResolveTlsTest, TheVariableMeansWhatItSays) {
  EXPECT_FALSE(ResolveTls({}));
  for (const char* no : {"", "0", "false", "False", "no", "off"}) {
    ::setenv("CNM_TLS_VERIFY", no, 1);
    EXPECT_FALSE(ResolveTls({})) << no;
    EXPECT_TRUE(ResolveTls({.verify = true})) << no;
  }
  for (const char* yes : {"1", "true", "yes", "on"}) {
    ::setenv("CNM_TLS_VERIFY", yes, 1);
    EXPECT_TRUE(ResolveTls({})) << yes;
  }
}

TEST_F(ResolveTlsTest, FilesWithoutItAreRefused) {
  ::setenv("CNM_TLS_VERIFY", "0", 1);
  const ClientTls given{.files = {.ca = "/ca", .certificate = "", .key = ""}};
  EXPECT_THROW(ResolveTls(given), Error);
  ::setenv("CNM_TLS_VERIFY", "1", 1);
  EXPECT_EQ(ResolveTls(given)->ca, "/ca");
}

}  // namespace
}  // namespace cnm::api
