// pool_ledger_test.cc: what Docker means, told from the order of its calls.
#include "cnm/daemon/docker/pool_ledger.h"

#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace cnm::docker {
namespace {

constexpr char kPool[] = "LocalDefault/192.0.2.0/24";
using Names = std::vector<std::string>;

engine::NetworkConfig NetworkOn(const std::string& id, const std::string& pool) {
  return {.id = id,
          .options = {},
          .ipv4 = {{.address_space = "LocalDefault", .pool = net::Prefix::Parse(pool).value()}}};
}

TEST(PoolLedger, ANetworkWhosePoolIsReleasedHasEnded) {
  PoolLedger ledger;
  ledger.Gain(kPool, 100);
  ledger.AddNetwork(NetworkOn("blue", "192.0.2.0/24"), 101);
  EXPECT_TRUE(ledger.Ended().empty());
  EXPECT_TRUE(ledger.Lose(kPool));
  EXPECT_EQ(ledger.Ended(), Names{"blue"});
  ledger.RemoveNetwork("blue", 102);
  EXPECT_EQ(ledger, PoolLedger());
}

TEST(PoolLedger, ASharedPoolSaysNothingOfOneNetwork) {
  PoolLedger ledger;
  for (const char* id : {"blue", "green"}) {
    ledger.Gain(kPool, 100);
    ledger.AddNetwork(NetworkOn(id, "192.0.2.0/24"), 100);
  }
  ledger.Lose(kPool);
  EXPECT_TRUE(ledger.Ended().empty());
  ledger.RemoveNetwork("green", 101);
  EXPECT_TRUE(ledger.deleted.empty()) << "it was released before";
  EXPECT_EQ(ledger.uses.at(kPool), 1U);
  ledger.Lose(kPool);
  EXPECT_EQ(ledger.Ended(), Names{"blue"});
}

TEST(PoolLedger, ANetworkDeletedFirstIsReleasedLater) {
  PoolLedger ledger;
  ledger.Gain(kPool, 100);
  ledger.AddNetwork(NetworkOn("blue", "192.0.2.0/24"), 100);
  ledger.RemoveNetwork("blue", 101);
  ASSERT_TRUE(ledger.deleted.contains("blue"));
  EXPECT_EQ(ledger.deleted.at("blue").pools, Names{kPool});
  EXPECT_EQ(ledger.deleted.at("blue").since, 101);
  ledger.Lose(kPool);
  EXPECT_EQ(ledger, PoolLedger());
}

TEST(PoolLedger, OnlyAPoolThatWasJustRequestedIsANewNetworks) {
  PoolLedger ledger;
  ledger.Gain(kPool, 100);
  ledger.AddNetwork(NetworkOn("of docker's allocator", "192.0.2.0/24"), 200);
  ledger.AddNetwork(NetworkOn("elsewhere", "198.51.100.0/24"), 100);
  EXPECT_TRUE(ledger.networks.empty());
}

TEST(PoolLedger, AGatewaySaysOfTheLastGrantThatItWasReceived) {
  PoolLedger ledger;
  ledger.Gain(kPool, 100);
  ledger.open["lost"] = {.asked = {}, .pool = kPool, .since = 100};
  ledger.Gain(kPool, 150);
  ledger.open["received"] = {.asked = {}, .pool = kPool, .since = 150};
  EXPECT_TRUE(ledger.Close(kPool, true));
  EXPECT_FALSE(ledger.Close(kPool, false)) << "it is the other one's address";
  EXPECT_TRUE(ledger.open.contains("lost"));
  EXPECT_FALSE(ledger.open.contains("received"));
}

TEST(PoolLedger, AnyAddressSaysOfTheOnlyGrantThatItWasReceived) {
  PoolLedger ledger;
  ledger.Gain(kPool, 100);
  ledger.open["received"] = {.asked = {}, .pool = kPool, .since = 100};
  EXPECT_TRUE(ledger.Close(kPool, false));
  EXPECT_TRUE(ledger.open.empty());
}

TEST(PoolLedger, TwoSubPoolsAreTwoNetworks) {
  PoolLedger ledger;
  const std::string low = std::string(kPool) + "/192.0.2.0/25";
  const std::string high = std::string(kPool) + "/192.0.2.128/25";
  ledger.Gain(high, 100);
  ledger.AddNetwork(NetworkOn("blue", "192.0.2.0/24"), 100);
  ledger.Gain(low, 100);
  ledger.AddNetwork(NetworkOn("green", "192.0.2.0/24"), 100);
  EXPECT_EQ(ledger.networks.at("blue"), Names{high});
  EXPECT_EQ(ledger.networks.at("green"), Names{low});
  ledger.Lose(low);
  EXPECT_EQ(ledger.Ended(), Names{"green"});
}

TEST(PoolLedger, ANameIsTakenOnce) {
  PoolLedger ledger;
  ledger.Gain(kPool, 100, "one");
  ledger.Gain(kPool, 100, "two");
  EXPECT_EQ(ledger.TakeName(kPool, "two"), "two");
  EXPECT_EQ(ledger.TakeName(kPool, "two"), "");
  EXPECT_EQ(ledger.TakeName(kPool, ""), "one");
  EXPECT_EQ(ledger.TakeName(kPool, ""), "");
}

TEST(PoolLedger, ANetworkThatIsKnownKeepsItsPools) {
  PoolLedger ledger;
  ledger.Gain(kPool, 100);
  EXPECT_TRUE(ledger.AddNetwork(NetworkOn("blue", "192.0.2.0/24"), 100));
  EXPECT_FALSE(ledger.AddNetwork(NetworkOn("blue", "192.0.2.0/24"), 900));
  EXPECT_EQ(ledger.networks.at("blue"), Names{kPool});
}

TEST(PoolLedger, IsReadAsItWasWritten) {
  PoolLedger ledger;
  ledger.Gain(kPool, 100);
  ledger.Gain(kPool, 110);
  ledger.open["name"] = {.asked = "LocalDefault 4 any all", .pool = kPool, .since = 7};
  ledger.networks["blue"] = {kPool};
  ledger.deleted["green"] = {.pools = {kPool}, .since = 8};
  ledger.released[kPool] = 1;
  ledger.Gain(kPool, 120, "request");
  ledger.releasing["other"] = kPool;
  EXPECT_EQ(DecodePoolLedger(Encode(ledger)), ledger);
  EXPECT_EQ(DecodePoolLedger(R"({"schema":1,"pools":{"a":2}})").uses.at("a"), 2U);
}

}  // namespace
}  // namespace cnm::docker
