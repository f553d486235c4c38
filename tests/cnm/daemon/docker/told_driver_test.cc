// told_driver_test.cc: that Docker's calls are told as they ended, and passed on.
#include "cnm/daemon/docker/told_driver.h"

#include <memory>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "tests/cnm/daemon/docker/fake_drivers.h"

namespace cnm::docker {
namespace {

/// A driver that refuses to delete networks.
class Refusing : public FakeNetwork {
 public:
  using FakeNetwork::FakeNetwork;
  void DeleteNetwork(const std::string& /*id*/) override {
    throw Error(Code::kInUse, "has an endpoint");
  }
};

TEST(ToldDriver, TellsOfEachCallWithTheNetworksName) {
  Diary diary;
  std::vector<std::string> told;
  ToldDriver driver(
      std::make_shared<Refusing>(diary),
      [&](const engine::Event& event) {
        EXPECT_EQ(event.times.steps().size(), 1U);
        told.push_back(fmt::format("{} {} {} {}", event.verb, event.network, event.endpoint,
                                   event.error == nullptr ? "" : event.error->message()));
      },
      [](const std::string& id) { return fmt::format("name-of-{}", id); });
  driver.CreateNetwork({.id = "n1", .options = {}});
  driver.CreateEndpoint({.network_id = "n1", .id = "e1"});
  driver.Join("n1", "e1", "/key", "");
  driver.ProgramExternalConnectivity("n1", "e1", {}, "");
  driver.OperInfo("n1", "e1");
  driver.RevokeExternalConnectivity("n1", "e1");
  driver.Leave("n1", "e1");
  driver.DeleteEndpoint("n1", "e1");
  EXPECT_THROW(driver.DeleteNetwork("n1"), Error);
  EXPECT_EQ(told, (std::vector<std::string>{
                      "create-network name-of-n1  ", "create-endpoint name-of-n1 e1 ",
                      "join name-of-n1 e1 ", "publish name-of-n1 e1 ", "unpublish name-of-n1 e1 ",
                      "leave name-of-n1 e1 ", "delete-endpoint name-of-n1 e1 ",
                      "delete-network name-of-n1  has an endpoint"}));
  EXPECT_EQ(diary.Take(),
            "create network n1  ipv6=false internal=false [] []\n"
            "create endpoint n1/e1 {\"Address\":\"\",\"AddressIPv6\":\"\",\"MacAddress\":\"\"} 0 "
            "[] \n"
            "join n1/e1 /key \nprogram n1/e1 []\ninfo n1/e1\nrevoke n1/e1\nleave n1/e1\n"
            "delete endpoint n1/e1");
}

}  // namespace
}  // namespace cnm::docker
