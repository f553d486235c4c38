// handler_test.cc: the REST API over an engine without kernel: statuses, texts, bodies.
#include "cnm/api/handler.h"

#include <string>
#include <string_view>
#include <vector>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "cnm/api/client_body.h"
#include "tests/cnm/api/plain_engine.h"

namespace cnm::api {
namespace {

/// An answer as a line: "200 body" without the final newline.
using Line = std::string;

class ApiTest : public testing::Test {
 protected:
  http::Response Ask(const std::string& method, const std::string& target,
                     const std::string& body = "") {
    return api_.Handle({.method = method, .target = target, .body = body});
  }
  Line Get(const std::string& target) { return LineOf(Ask("GET", target)); }
  Line Post(const std::string& target, const std::string& body) {
    return LineOf(Ask("POST", target, body));
  }
  Line Delete(const std::string& target, const std::string& body = "") {
    return LineOf(Ask("DELETE", target, body));
  }
  std::string Made(const std::string& target, const std::string& body) {
    const http::Response response = Ask("POST", target, body);
    EXPECT_TRUE(response.status == 200 || response.status == 201) << response.body;
    return DecodeText(response.body);
  }
  std::string MadeNetwork(const std::string& name) {
    return Made("/networks", fmt::format(R"({{"name":"{}"}})", name));
  }
  std::string MadeService(const std::string& name, const std::string& network) {
    return Made("/services", fmt::format(R"({{"name":"{}","network_name":"{}"}})", name, network));
  }
  /// A sandbox whose namespace never comes: joining it changes no kernel.
  std::string MadeSandbox(const std::string& container) {
    return Made("/sandboxes",
                fmt::format(R"({{"container_id":"{}","use_external_key":true}})", container));
  }

  static Line LineOf(const http::Response& response) {
    std::string body = response.body;
    const bool text = http::FindHeader(response.headers, "content-type").has_value();
    EXPECT_EQ(text, !body.empty());
    if (!body.empty()) {
      EXPECT_EQ(body.back(), '\n');
      body.pop_back();
    }
    return body.empty() ? fmt::to_string(response.status)
                        : fmt::format("{} {}", response.status, body);
  }

  PlainEngine plain_;
  const Api api_{&plain_.engine()};
};

TEST(Api, WithoutAnEngineIsNotAvailable) {
  const http::Response response = Api(nullptr).Handle({.target = "/networks"});
  EXPECT_EQ(response.status, 503U);
  EXPECT_EQ(response.body, "NetworkController is not available\n");
}

TEST_F(ApiTest, ListsAreEmptyAndNeverNull) {
  for (const char* path :
       {"/networks", "/services", "/sandboxes", "/v1.19/networks", "/networks?name=x",
        "/services?network=x", "/services?partial-id=x", "/sandboxes?container-id=x"}) {
    EXPECT_EQ(Get(path), "200 []") << path;
  }
}

TEST_F(ApiTest, WhatIsNoRouteIsNotFoundOrMoved) {
  EXPECT_EQ(Get("/"), "404 404 page not found");
  EXPECT_EQ(Get("/networks/"), "404 404 page not found");
  EXPECT_EQ(LineOf(Ask("PUT", "/networks")), "404 404 page not found");
  EXPECT_EQ(Get("/a/b/networks"), "404 404 page not found");
  const http::Response moved = Ask("GET", "//networks?name=x");
  EXPECT_EQ(moved.status, 301U);
  EXPECT_EQ(http::FindHeader(moved.headers, "location"), "/networks?name=x");
}

TEST_F(ApiTest, ANetworkFromItsCreationToItsEnd) {
  const std::string id = MadeNetwork("blue");
  EXPECT_EQ(id.size(), 64U);
  const std::string body =
      fmt::format(R"({{"name":"blue","id":"{}","type":"bridge","endpoints":[]}})", id);
  EXPECT_EQ(Get("/networks/" + id), "200 " + body);
  for (const std::string& query :
       {std::string(), std::string("?name=blue"), "?partial-id=" + id.substr(0, 5)}) {
    EXPECT_EQ(Get("/networks" + query), "200 [" + body + "]");
  }
  EXPECT_EQ(Post("/networks", R"({"name":"blue"})"), "403 network with name blue already exists");
  EXPECT_EQ(Delete("/networks/" + id), "200");
  EXPECT_EQ(Delete("/networks/" + id), "404 Resource not found: Network");
  EXPECT_EQ(Get("/networks/" + id), "404 Resource not found: Network");
}

TEST_F(ApiTest, NetworksThatCannotBe) {
  EXPECT_EQ(Post("/networks", ""), "400 Invalid body: unexpected end of JSON input");
  EXPECT_EQ(Post("/networks", R"({"name":""})"), "400 invalid name: ");
  EXPECT_EQ(Post("/networks", R"({"name":"a.b"})"), "400 invalid name: a.b");
  EXPECT_EQ(Post("/networks", R"({"name":"n","network_type":"none-such"})"),
            "404 Plugin not found");
}

TEST_F(ApiTest, TheEmptyNameIsTheDefaultNetworks) {
  const std::string id = MadeNetwork("standard");
  EXPECT_NE(Get("/networks?name=").find(id), std::string::npos);
  const std::string service = MadeService("web", "");
  EXPECT_NE(Get("/services?network=").find(service), std::string::npos);
  EXPECT_EQ(Get("/networks/" + id + "/endpoints"),
            fmt::format(R"(200 [{{"name":"web","id":"{}","network":"standard"}}])", service));
}

TEST_F(ApiTest, AnEndpointFromItsCreationToItsEnd) {
  const std::string network = MadeNetwork("blue");
  const std::string path = "/networks/" + network + "/endpoints";
  const std::string id = Made(path, R"({"name":"web","port_mapping":[{"Proto":6,"Port":80}]})");
  const std::string body = fmt::format(R"({{"name":"web","id":"{}","network":"blue"}})", id);
  EXPECT_EQ(Get(path + "/" + id), "200 " + body);
  EXPECT_EQ(Get(path + "?name=web"), "200 [" + body + "]");
  EXPECT_EQ(Get("/services/" + id), "200 " + body);
  EXPECT_EQ(Get("/services?name=web"), "200 [" + body + "]");
  EXPECT_EQ(Post(path, R"({"name":"web"})"), "403 service endpoint with name web already exists");
  EXPECT_EQ(Delete("/networks/" + network),
            fmt::format("403 network with name blue id {} has active endpoints", network));
  EXPECT_EQ(Get(path + "/0000"), "404 Resource not found: Endpoint");
  EXPECT_EQ(Get("/networks/0000/endpoints/" + id), "404 Resource not found: Network");
  EXPECT_EQ(Get("/networks/0000/endpoints"), "404 Resource not found: Network");
  EXPECT_EQ(Delete(path + "/" + id), "200");
  EXPECT_EQ(Delete(path + "/" + id), "404 Resource not found: Endpoint");
}

TEST_F(ApiTest, AServiceIsToldAsAService) {
  MadeNetwork("blue");
  const std::string id = MadeService("web", "blue");
  EXPECT_EQ(Post("/services", R"({"name":"web","network_name":"blue"})"),
            "403 service with name web already exists");
  EXPECT_EQ(Post("/services", R"({"name":"x","network_name":"red"})"),
            "404 Resource not found: Network");
  EXPECT_EQ(Get("/services/0000"), "404 Service not found");
  EXPECT_EQ(Get("/services/" + id + "/backend"), R"(200 {"id":"","key":"","container_id":""})");
  EXPECT_EQ(Delete("/services/" + id), "200");
  EXPECT_EQ(Delete("/services/" + id), "404 Service not found");
}

TEST_F(ApiTest, ASandboxJoinsAndLeaves) {
  const std::string network = MadeNetwork("blue");
  const std::string id = MadeService("web", "blue");
  const std::string sandbox = MadeSandbox("c1");
  const std::string backend = "/services/" + id + "/backend";
  const std::string join = fmt::format(R"({{"sandbox_id":"{}"}})", sandbox);
  EXPECT_EQ(Post(backend, R"({"sandbox_id":"0000"})"), "404 Resource not found: Sandbox");
  EXPECT_EQ(Post(backend, "{}").substr(0, 4), "400 ");
  EXPECT_EQ(Delete(backend + "/" + sandbox), "403 cannot leave service with no attached sandbox");
  EXPECT_EQ(Ask("POST", backend, join).status, 200U);
  EXPECT_NE(Get(backend).find(R"("container_id":"c1")"), std::string::npos);
  EXPECT_EQ(Post(backend, join), "403 a sandbox has already joined the service");
  EXPECT_EQ(Delete("/services/" + id),
            fmt::format("403 service with name web id {} has active containers", id));
  EXPECT_EQ(Delete(backend + "/" + sandbox), "200");
  EXPECT_EQ(Delete(backend + "/" + sandbox), "403 cannot leave service with no attached sandbox");
  const std::string path = "/networks/" + network + "/endpoints/" + id + "/sandboxes";
  EXPECT_EQ(Ask("POST", path, join).status, 200U);
  EXPECT_EQ(Delete("/services/" + id, R"({"name":"web","force":true})"), "200");
  EXPECT_EQ(Delete("/sandboxes/" + sandbox), "200");
  EXPECT_EQ(Delete("/sandboxes/" + sandbox), "404 Resource not found: Sandbox");
}

TEST_F(ApiTest, SandboxesAreFoundByEveryFilter) {
  const std::string id = MadeSandbox("container-1");
  MadeSandbox("other");
  for (const std::string& query :
       {std::string("?container-id=container-1"), std::string("?partial-container-id=cont"),
        "?partial-id=" + id.substr(0, 8)}) {
    const std::string list = Get("/v5.22/sandboxes" + query);
    EXPECT_NE(list.find(id), std::string::npos) << query;
    EXPECT_EQ(list.find("other"), std::string::npos) << query;
  }
  EXPECT_EQ(Get("/sandboxes?container-id=container"), "200 []");
  EXPECT_EQ(Get("/networks?name=a&partial-id=b"), "400 Unsupported query");
  EXPECT_EQ(Ask("POST", "/sandboxes", R"({"container_id":""})").status, 400U);
  EXPECT_EQ(Ask("POST", "/sandboxes", R"({"container_id":"other"})").status, 400U);
}

TEST_F(ApiTest, DetailsTellWhatTheOtherAnswersDoNot) {
  const std::string network = MadeNetwork("blue");
  const std::string id = MadeService("web", "blue");
  const std::string sandbox = MadeSandbox("c1");
  Made("/services/" + id + "/backend", fmt::format(R"({{"sandbox_id":"{}"}})", sandbox));
  EXPECT_NE(Get("/networks/" + network + "/details").find(R"("created":"20)"), std::string::npos);
  EXPECT_NE(Get("/networks/" + network + "/details").find(R"("pool":"192.0.2.0/24")"),
            std::string::npos);
  const std::string details = Get("/services/" + id + "/details");
  EXPECT_NE(details.find(R"("container_id":"c1")"), std::string::npos) << details;
  EXPECT_NE(details.find(R"("driver_info":{"plain":true})"), std::string::npos) << details;
  EXPECT_EQ(Get("/networks/" + network + "/endpoints/" + id + "/details"), details);
}

TEST_F(ApiTest, EveryRouteWithABodyRefusesWhatIsNone) {
  const std::string network = MadeNetwork("blue");
  const std::string id = MadeService("web", "blue");
  const std::string endpoints = fmt::format("/networks/{}/endpoints", network);
  const std::vector<std::string> paths = {"/networks",
                                          endpoints,
                                          fmt::format("{}/{}/sandboxes", endpoints, id),
                                          "/services",
                                          fmt::format("/services/{}/backend", id),
                                          "/sandboxes"};
  const char* const wrong_types = R"({"name":1,"sandbox_id":1,"container_id":1})";
  for (const std::string& path : paths) {
    for (const char* body :
         {"", "null", "[]", "\"x\"", "1", "true", wrong_types, "{", "{\"name\":\"\xff\"}", "{}x"}) {
      const http::Response response = Ask("POST", path, body);
      EXPECT_EQ(response.status, 400U) << path << " " << body;
      EXPECT_TRUE(response.body.starts_with("Invalid body: ")) << response.body;
    }
  }
  EXPECT_EQ(Ask("DELETE", "/services/" + id, "[]").status, 400U);
}

}  // namespace
}  // namespace cnm::api
