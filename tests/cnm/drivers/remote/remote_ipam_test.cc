// remote_ipam_test.cc: the remote IPAM driver against a plugin on a unix socket.
#include "cnm/drivers/remote/remote_ipam.h"

#include <memory>
#include <string>

#include <gtest/gtest.h>

#include "tests/cnm/drivers/remote/fake_plugin.h"

namespace cnm::remote {
namespace {

class RemoteIpamTest : public FakePluginTest {
 protected:
  RemoteIpamTest() {
    Says("GetDefaultAddressSpaces",
         R"({"LocalDefaultAddressSpace":"l","GlobalDefaultAddressSpace":"g"})");
    Says("GetCapabilities", R"({"RequiresMACAddress":true,"RequiresRequestReplay":true})");
  }
  std::shared_ptr<RemoteIpam> Find() const { return RemoteIpam::Find("fake", Settings()); }
};

TEST_F(RemoteIpamTest, TellsItsCapabilitiesAndSpaces) {
  const auto ipam = Find();
  EXPECT_EQ(ipam->name(), "fake");
  EXPECT_TRUE(ipam->requires_mac());
  EXPECT_TRUE(ipam->requires_replay());
  EXPECT_EQ(ipam->LocalSpace(), "l");
  EXPECT_EQ(ipam->GlobalSpace(), "g");
  Says("GetCapabilities", "", 404);
  EXPECT_FALSE(Find()->requires_mac()) << "an old plugin";
  EXPECT_EQ(RemoteIpam::Find("another", Settings()), nullptr);
}

TEST_F(RemoteIpamTest, PoolsAreRequestedAsDockerDoes) {
  Says("RequestPool", R"({"PoolID":"p","Pool":"192.0.2.0/24",)"
                      R"("Data":{"com.docker.network.gateway":"192.0.2.1/24"}})");
  const engine::Pool pool = Find()->RequestPool(
      {.address_space = {}, .pool = net::Prefix::Parse("192.0.2.0/24"), .options = {{"a", "b"}}});
  EXPECT_EQ(LastRequest(), R"(RequestPool {"AddressSpace":"l","Pool":"192.0.2.0/24","SubPool":"",)"
                           R"("Options":{"a":"b"},"V6":false})");
  EXPECT_EQ(pool.id, "p");
  EXPECT_EQ(pool.pool.ToString(), "192.0.2.0/24");
  EXPECT_EQ(pool.data.at(engine::kGatewayLabel), "192.0.2.1/24");
  Find()->ReleasePool("p");
  EXPECT_EQ(LastRequest(), R"(ReleasePool {"PoolID":"p"})");
}

TEST_F(RemoteIpamTest, AddressesAreRequestedAsDockerDoes) {
  const auto ipam = Find();
  Says("RequestAddress", R"({"Address":"192.0.2.2/24"})");
  EXPECT_EQ(ipam->RequestAddress("p", std::nullopt, {})->ToString(), "192.0.2.2/24");
  EXPECT_EQ(LastRequest(), R"(RequestAddress {"PoolID":"p","Address":"","Options":null})");
  ipam->RequestAddress("p", net::Address::Parse("192.0.2.2"), {{"k", "v"}});
  EXPECT_EQ(LastRequest(),
            R"(RequestAddress {"PoolID":"p","Address":"192.0.2.2","Options":{"k":"v"}})");
  ipam->ReleaseAddress("p", *net::Address::Parse("192.0.2.2"));
  EXPECT_EQ(LastRequest(), R"(ReleaseAddress {"PoolID":"p","Address":"192.0.2.2"})");
}

TEST_F(RemoteIpamTest, AnswersWithoutAnAddressAreForGatewaysOnly) {
  const auto ipam = Find();
  EXPECT_FALSE(ipam->RequestAddress("p", std::nullopt,
                                    {{engine::kRequestTypeLabel, engine::kGatewayLabel}}));
  EXPECT_EQ(FailureOf([&] { ipam->RequestAddress("p", std::nullopt, {}); }).message(),
            "no address returned");
  Says("RequestAddress", R"({"Address":"192.0.2.2"})");
  EXPECT_EQ(FailureOf([&] { ipam->RequestAddress("p", std::nullopt, {}); }).code(), Code::kDecode);
  EXPECT_EQ(FailureOf([&] { ipam->RequestPool({}); }).message(), "no pool returned");
}

TEST_F(RemoteIpamTest, FailuresAreUnderError) {
  Says("ReleasePool", R"({"Error":"boom"})");
  EXPECT_EQ(FailureOf([&] { Find()->ReleasePool("p"); }).message(), "remote: boom");
  Says("ReleasePool", R"({"Error":"boom"})", 500);
  EXPECT_EQ(FailureOf([&] { Find()->ReleasePool("p"); }).message(), "IpamDriver.ReleasePool: boom");
}

}  // namespace
}  // namespace cnm::remote
