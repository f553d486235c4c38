// kin_test.cc: endpoints that ask to be linked.
#include "cnm/drivers/local/kin.h"

#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "cnm/drivers/local/endpoint_details.h"
#include "common/base/error.h"

namespace cnm::local {
namespace {

Endpoint MakeEndpoint(const std::string& id, const std::vector<std::string>& addresses,
                      const std::vector<engine::ExposedPort>& exposed = {}) {
  Endpoint endpoint;
  endpoint.key = {"blue", id, ""};
  endpoint.details = Encode(EndpointDetails{.network_id = "n1", .exposed = exposed});
  for (const std::string& address : addresses) {
    endpoint.addressing.addresses.push_back({*net::Prefix::Parse(address), {}});
  }
  return endpoint;
}

TEST(Kin, IsReadFromTheGenericLabel) {
  const Kin kin = DecodeKin(
      R"({"com.docker.network.generic":{"ParentEndpoints":["a","b"],"ChildEndpoints":["c"]}})");
  EXPECT_EQ(kin.parents, (std::vector<std::string>{"a", "b"}));
  EXPECT_EQ(kin.children, std::vector<std::string>{"c"});
  for (const char* const none :
       {"", "{}", R"({"com.docker.network.generic":null})", R"({"com.docker.network.generic":[1]})",
        R"({"com.docker.network.generic":{"other":1}})",
        R"({"com.docker.network.endpoint.exposedports":[],"com.docker.network.portmap":[]})"}) {
    EXPECT_TRUE(DecodeKin(none).empty()) << none;
  }
  EXPECT_THROW(DecodeKin(R"({"com.docker.network.generic":{"ParentEndpoints":"a"}})"), Error);
}

TEST(Kin, ReachesExposedPortsInTheFamiliesOfBoth) {
  const Endpoint parent = MakeEndpoint("p", {"192.0.2.3/24", "2001:db8::3/64"});
  const Endpoint child =
      MakeEndpoint("c", {"192.0.2.2/24", "2001:db8::2/64"},
                   {{.port = 80}, {.protocol = 1}, {.protocol = 132, .port = 9}});
  std::vector<std::string> texts;
  for (const auto& passage : MakePassages(parent, child, "br0")) {
    texts.push_back(firewall::Describe(passage));
  }
  EXPECT_EQ(texts, (std::vector<std::string>{
                       "192.0.2.3 -> 192.0.2.2:80/tcp", "2001:db8::3 -> [2001:db8::2]:80/tcp",
                       "192.0.2.3 -> 192.0.2.2:9/sctp", "2001:db8::3 -> [2001:db8::2]:9/sctp"}));
  EXPECT_EQ(MakePassages(MakeEndpoint("q", {"192.0.2.3/24"}), child, "br0").size(), 2U);
  EXPECT_TRUE(MakePassages(child, parent, "br0").empty());
}

TEST(Kin, IsKnownByWhoAskedForIt) {
  Endpoint parent = MakeEndpoint("p", {});
  for (const char* const peer : {"c", "d"}) {
    parent.attachments.push_back({.plugin = KinPlugin(peer)});
  }
  parent.attachments.push_back({.plugin = kPortsPlugin});
  EXPECT_EQ(KinOf(parent), (std::vector<std::string>{"c", "d"}));
  KinBook book;
  book.Note(parent);
  book.Note(parent);
  EXPECT_EQ(book.AskersFor("c"), std::vector<EndpointKey>{parent.key});
  book.Forget("c");
  EXPECT_TRUE(book.AskersFor("c").empty());
  EXPECT_FALSE(book.AskersFor("d").empty());
  book.ForgetAsker(parent.key);
  EXPECT_TRUE(book.AskersFor("d").empty());
}

}  // namespace
}  // namespace cnm::local
