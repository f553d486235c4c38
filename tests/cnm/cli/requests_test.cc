// requests_test.cc: what the commands of networks.cc and services.cc ask cnmd for, and what they
// print.
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "cnm/cli/commands.h"
#include "common/base/error.h"
#include "tests/common/http/http_test_server.h"

namespace cnm::cli {
namespace {

/// A cnmd that writes down what it is asked, and knows the service web of the network blue.
class RequestsTest : public http::HttpTest {
 protected:
  /// Runs the command. @returns what it changed: method, path and body of each request but GET
  std::vector<std::string> Run(int (*command)(const Options&), Options options) {
    std::mutex mutex;
    std::vector<std::string> asked;
    const http::TestServer server(Socket(), [&](const http::Request& request) {
      if (request.method != "GET") {
        const std::lock_guard lock(mutex);
        asked.push_back(fmt::format("{} {} {}", request.method, request.target, request.body));
      }
      return Answer(request);
    });
    options.socket = "unix://" + Socket();
    testing::internal::CaptureStdout();
    EXPECT_EQ(command(options), 0);
    printed_ = testing::internal::GetCapturedStdout();
    const std::lock_guard lock(mutex);
    return asked;
  }
  const std::string& printed() const { return printed_; }

 protected:
  static http::Response Answer(const http::Request& asked) {
    const std::string& target = asked.target;
    const std::string network = R"({"name":"blue","id":"n1","type":"bridge"})";
    const std::string service = R"({"name":"web","id":"e1","network":"blue"})";
    if (asked.method == "DELETE") return {};
    if (asked.method == "POST") return {.body = "\"new\""};
    if (target == "/networks/n1") return {.body = network};
    if (target == "/inventory") {
      return {.body =
                  R"({"networks":[{"name":"blue","doors":[{"door":"cni","id":"aa","name":"blue"},)"
                  R"({"door":"api","id":"n1","name":"blue"}]},{"name":"red","doors":)"
                  R"([{"door":"cni","id":"bb","name":"red"}]},{"name":"docker-77","doors":)"
                  R"([{"door":"docker","id":"777777777777777","name":""}]}]})"};
    }
    if (target == "/services/e1/backend") return {.body = R"({"id":"s1","container_id":"c1"})"};
    if (target.starts_with("/networks?name=")) return {.body = fmt::format("[{}]", network)};
    if (target.starts_with("/services")) return {.body = fmt::format("[{}]", service)};
    return {.body = R"([{"id":"s1","key":"/n/s1","container_id":"c1"}])"};
  }

 private:
  std::string printed_;
};

using Asked = std::vector<std::string>;

TEST_F(RequestsTest, ANetworkIsCreatedWithAllThatWasSaid) {
  Options options;
  options.arguments = {"blue"};
  options.driver = "bridge";
  options.driver_options = {"a=b"};
  options.internal = options.ipv6 = true;
  options.subnets = {"192.0.2.0/24", "2001:db8::/64"};
  options.ip_range = "192.0.2.128/25";
  options.gateway = "192.0.2.1";
  options.ipam = "default";
  options.ipam_options = {"cnm.network=blue"};
  const Asked asked = Run(CreateNetwork, options);
  ASSERT_EQ(asked.size(), 1U);
  EXPECT_EQ(printed(), "new\n");
  for (const char* part :
       {"POST /networks {", R"("name":"blue")", R"("network_type":"bridge")", R"("a":"b")",
        "192.0.2.0/24", "2001:db8::/64", "192.0.2.128/25", "192.0.2.1\"", "cnm.network"}) {
    EXPECT_TRUE(http::Contains(asked[0], part)) << part << " in " << asked[0];
  }
}

/// What `command` says of the options before it asks anybody.
std::string Refusal(int (*command)(const Options&), Options options) {
  options.socket = "unix:///nowhere/cnmd.sock";
  try {
    command(options);
    return "accepted";
  } catch (const Error& error) {
    return error.message();
  }
}

TEST(CreateNetworkTest, WhatWouldHaveNoEffectIsRefused) {
  Options options;
  options.arguments = {"blue"};
  options.gateway = "192.0.2.1";
  EXPECT_EQ(Refusal(CreateNetwork, options), "--gateway 192.0.2.1: needs the --subnet it is in");
  options = {.arguments = {"blue"}, .ip_range = "192.0.2.0/28"};
  EXPECT_EQ(Refusal(CreateNetwork, options),
            "--ip-range 192.0.2.0/28: needs the --subnet it is in");
  options = {.arguments = {"blue"}, .subnets = {"192.0.2.0/24", "2001:db8::/64"}};
  EXPECT_EQ(Refusal(CreateNetwork, options),
            "subnet 2001:db8::/64: is IPv6, and --ipv6 is missing");
  options = {.arguments = {"blue"}, .subnets = {"192.0.2.0/24"}, .ipv6 = true};
  EXPECT_EQ(Refusal(CreateNetwork, options), "--ipv6: needs a --subnet of IPv6");
}

TEST_F(RequestsTest, NetworksAreRemovedById) {
  Options options;
  for (const char* known : {"blue", "n1", "n"}) {
    options.arguments = {known};
    EXPECT_EQ(Run(RemoveNetworks, options), Asked({"DELETE /networks/n1 "})) << known;
    EXPECT_EQ(printed(), "");
  }
}

TEST_F(RequestsTest, NetworksOfOthersAreNotOursToRemove) {
  const http::TestServer server(Socket(), Answer);
  for (const auto& [name, refusal] :
       {std::pair("red", "network red: is CNI's, not cnmd's"),
        std::pair("7777", "network docker-77: is Docker's, not cnmd's"),
        std::pair("green", "network green: there is none")}) {
    try {
      RemoveNetworks({.arguments = {name}, .socket = "unix://" + Socket()});
      ADD_FAILURE() << name;
    } catch (const Error& error) {
      EXPECT_EQ(error.message(), refusal);
      EXPECT_NE(error.details(), "");
    }
  }
}

TEST_F(RequestsTest, AnEndpointIsAServiceOfItsNetwork) {
  Options options;
  options.arguments = {"blue", "db"};
  options.address = "192.0.2.9";
  options.publish = {"8080:80"};
  options.aliases = {"database"};
  const Asked asked = Run(CreateEndpoint, options);
  ASSERT_EQ(asked.size(), 1U);
  for (const char* part : {"POST /services {", R"("name":"db")", R"("network_name":"blue")",
                           R"("address":"192.0.2.9")", R"("HostPort":8080)", "database"}) {
    EXPECT_TRUE(http::Contains(asked[0], part)) << part << " in " << asked[0];
  }
}

TEST_F(RequestsTest, AServicesNameIsSplitAtItsLastDot) {
  Options options;
  options.arguments = {"a.b.blue"};
  Asked asked = Run(PublishService, options);
  ASSERT_EQ(asked.size(), 1U);
  EXPECT_TRUE(http::Contains(asked[0], R"("name":"a.b")")) << asked[0];
  EXPECT_TRUE(http::Contains(asked[0], R"("network_name":"blue")")) << asked[0];
  options.arguments = {"alone"};
  asked = Run(PublishService, options);
  EXPECT_TRUE(http::Contains(asked.at(0), R"("name":"alone")")) << asked[0];
  EXPECT_FALSE(http::Contains(asked[0], R"("network_name":"alone")")) << asked[0];
}

TEST_F(RequestsTest, AServiceIsUnpublishedByForceOnlyIfToldSo) {
  Options options;
  options.arguments = {"web.blue"};
  EXPECT_EQ(Run(UnpublishService, options), Asked({"DELETE /services/e1 "}));
  options.force = true;
  EXPECT_EQ(Run(UnpublishService, options),
            Asked({R"(DELETE /services/e1 {"name":"web","force":true})"}));
}

TEST_F(RequestsTest, AContainerIsAttachedAndDetachedByItsSandbox) {
  Options options;
  options.arguments = {"c1", "web.blue"};
  const Asked attached = Run(AttachService, options);
  ASSERT_EQ(attached.size(), 1U);
  EXPECT_TRUE(attached[0].starts_with(R"(POST /services/e1/backend {"sandbox_id":"s1")"))
      << attached[0];
  EXPECT_EQ(Run(DetachService, options), Asked({"DELETE /services/e1/backend/s1 "}));
}

TEST_F(RequestsTest, ListsAreTablesOrJson) {
  EXPECT_EQ(Run(ListServices, {}), Asked());
  EXPECT_EQ(printed(),
            "SERVICE  NETWORK  CONTAINER  SANDBOX  ID\n"
            "web      blue     c1         s1       e1\n");
  Options json;
  json.json = true;
  Run(ListServices, json);
  EXPECT_TRUE(http::Contains(printed(), R"("containerID": "c1")")) << printed();
  Run(ListSandboxes, {});
  EXPECT_EQ(printed(),
            "CONTAINER  SANDBOX  NAMESPACE\n"
            "c1         s1       /n/s1\n");
  Options other;
  other.container = "x";
  Run(ListSandboxes, other);
  EXPECT_EQ(printed(), "CONTAINER  SANDBOX  NAMESPACE\n");
}

}  // namespace
}  // namespace cnm::cli
