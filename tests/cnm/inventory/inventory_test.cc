// inventory_test.cc: finding networks in an inventory, whoever made them, and its JSON.
#include "cnm/inventory/inventory.h"

#include <string>

#include <gtest/gtest.h>

#include "common/base/error.h"

namespace cnm::inventory {
namespace {

Inventory Sample() {
  return {.networks = {{.name = "blue",
                        .driver = "bridge",
                        .options = R"({"bridge":"br0"})",
                        .endpoints = 2,
                        .doors = {{"cni", "aa11", "blue"}, {"docker", "bb22", "web"}},
                        .subnets = {{"192.0.2.0/24", "192.0.2.1"}, {"2001:db8::/64", ""}}},
                       {.name = "red",
                        .driver = "null",
                        .internal = true,
                        .doors = {{"cni", "aa99", "red"}, {"api", "bb33", "rouge"}}}},
          .endpoints = {{.network = "blue",
                         .id = "e1",
                         .name = "one",
                         .container = "c1",
                         .ifname = "eth0",
                         .state = "ready",
                         .owner = "0123",
                         .driver = "bridge",
                         .door = "docker",
                         .runtime = "dockerd",
                         .sandbox = "/n",
                         .host_link = "veth1",
                         .mac = "02:00:00:00:00:01",
                         .addresses = {"192.0.2.7/24"}}}};
}

/// The name of the network found, or what was said.
std::string Found(const std::string& wanted) {
  const Inventory inventory = Sample();
  try {
    return GetNetwork(inventory, wanted).name;
  } catch (const Error& error) {
    return error.message();
  }
}

TEST(GetNetwork, TakesNamesAndIdsOfEveryDoor) {
  EXPECT_EQ(Found("blue"), "blue");
  EXPECT_EQ(Found("web"), "blue") << "as Docker calls it";
  EXPECT_EQ(Found("aa11"), "blue");
  EXPECT_EQ(Found("bb22"), "blue");
  EXPECT_EQ(Found("bb3"), "red");
  EXPECT_EQ(Found("aa"), "network aa: the ids of 2 networks begin so");
  EXPECT_EQ(Found("cc"), "network cc: there is none");
  EXPECT_EQ(Found(""), "network : there is none");
}

TEST(NetworkEntry, ShowsTheIdThatItsCommandsTake) {
  EXPECT_EQ(Sample().networks[0].id(), "bb22");
  EXPECT_EQ(Sample().networks[1].id(), "bb33");
  EXPECT_EQ(NetworkEntry{}.id(), "");
}

TEST(Inventory, IsReadAsItWasWritten) {
  const Inventory read = Decode(Encode(Sample()));
  EXPECT_EQ(read.networks, Sample().networks);
  EXPECT_EQ(read.endpoints, Sample().endpoints);
  EXPECT_TRUE(Decode(Encode(Inventory{})).networks.empty());
}

}  // namespace
}  // namespace cnm::inventory
