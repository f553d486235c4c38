// plain_driver_test.cc: drivers of which there is one network.
#include "cnm/drivers/null/plain_driver.h"

#include <functional>
#include <string>

#include <gtest/gtest.h>

#include "common/base/error.h"

namespace cnm::drivers {
namespace {

std::string FailureOf(const std::function<void()>& work) {
  try {
    work();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), Code::kInUse);
    return error.message();
  }
  return "";
}

TEST(PlainDriver, HasOneNetworkAndKeepsIt) {
  for (const std::string type : {kNullDriver, kHostDriver}) {
    PlainDriver driver(type);
    EXPECT_EQ(driver.type(), type);
    EXPECT_EQ(driver.scope(), engine::Scope::kLocal);
    driver.CreateNetwork({.id = "first"});
    driver.CreateNetwork({.id = "first"});
    EXPECT_EQ(FailureOf([&] { driver.CreateNetwork({.id = "second"}); }),
              "only one instance of \"" + type + "\" network is allowed");
    driver.CreateNetwork({.id = "first"});
    for (const char* id : {"first", "unknown", ""}) {
      EXPECT_EQ(FailureOf([&] { driver.DeleteNetwork(id); }),
                "network of type \"" + type + "\" cannot be deleted");
    }
  }
}

TEST(PlainDriver, EndpointsAreNamesOnly) {
  PlainDriver driver(kNullDriver);
  driver.CreateNetwork({.id = "n"});
  EXPECT_TRUE(driver.CreateEndpoint({.network_id = "n", .id = "e"}).empty());
  EXPECT_EQ(driver.Join("n", "e", "/run/netns/x", ""), engine::JoinInfo{});
  EXPECT_EQ(driver.OperInfo("n", "e"), "{}");
  driver.ProgramExternalConnectivity("n", "e", {}, "");
  driver.RevokeExternalConnectivity("n", "e");
  driver.Leave("n", "e");
  driver.DeleteEndpoint("n", "e");
}

}  // namespace
}  // namespace cnm::drivers
