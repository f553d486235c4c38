// query_test.cc: routes and list filters of the REST API.
#include "cnm/api/query.h"

#include <string>

#include <gtest/gtest.h>

#include "common/base/error.h"

namespace cnm::api {
namespace {

std::optional<Action> ActionOf(std::string_view method, std::string_view target) {
  const std::optional<Route> route = FindRoute(method, target);
  return route ? std::optional(route->action) : std::nullopt;
}

std::optional<Filter> FilterOf(std::string_view target) {
  const std::optional<Route> route = FindRoute("GET", target);
  EXPECT_TRUE(route) << target;
  return route ? route->filter : std::nullopt;
}

TEST(Route, EveryRouteExistsBareAndBehindOneSegment) {
  struct Row {
    std::string method;
    std::string path;
    Route route;
  };
  const Row rows[] = {
      {"GET", "/networks", {Action::kListNetworks}},
      {"GET", "/networks/n-1", {Action::kGetNetwork, "n-1"}},
      {"GET", "/networks/n/endpoints", {Action::kListEndpoints, "n"}},
      {"GET", "/networks/n/endpoints/e", {Action::kGetEndpoint, "n", "e"}},
      {"GET", "/services", {Action::kListServices}},
      {"GET", "/services/e", {Action::kGetService, "", "e"}},
      {"GET", "/services/e/backend", {Action::kGetBackend, "", "e"}},
      {"GET", "/sandboxes", {Action::kListSandboxes}},
      {"GET", "/sandboxes/s_2", {Action::kGetSandbox, "", "", "s_2"}},
      {"POST", "/networks", {Action::kCreateNetwork}},
      {"POST", "/networks/n/endpoints", {Action::kCreateEndpoint, "n"}},
      {"POST", "/networks/n/endpoints/e/sandboxes", {Action::kJoin, "n", "e"}},
      {"POST", "/services", {Action::kPublish}},
      {"POST", "/services/e/backend", {Action::kAttach, "", "e"}},
      {"POST", "/sandboxes", {Action::kCreateSandbox}},
      {"DELETE", "/networks/n", {Action::kDeleteNetwork, "n"}},
      {"DELETE", "/networks/n/endpoints/e", {Action::kDeleteEndpoint, "n", "e"}},
      {"DELETE", "/networks/n/endpoints/e/sandboxes/s", {Action::kLeave, "n", "e", "s"}},
      {"DELETE", "/services/e", {Action::kUnpublish, "", "e"}},
      {"DELETE", "/services/e/backend/s", {Action::kDetach, "", "e", "s"}},
      {"DELETE", "/sandboxes/s", {Action::kDeleteSandbox, "", "", "s"}},
  };
  for (const Row& row : rows) {
    EXPECT_EQ(FindRoute(row.method, row.path), row.route) << row.path;
    EXPECT_EQ(FindRoute(row.method, "/v1.19" + row.path), row.route) << row.path;
    EXPECT_EQ(FindRoute(row.method, "/any thing" + row.path + "?x=y"), row.route) << row.path;
    EXPECT_EQ(FindRoute(row.method, "/v1/v2" + row.path), std::nullopt) << row.path;
    EXPECT_EQ(FindRoute(row.method, row.path + "/"), std::nullopt) << row.path;
    EXPECT_EQ(FindRoute("PUT", row.path), std::nullopt) << row.path;
    EXPECT_EQ(FindRoute("get", row.path), std::nullopt) << row.path;
  }
}

TEST(Route, OtherPathsHaveNone) {
  for (const char* path :
       {"", "/", "networks", "*", "/v1", "//networks", "/network", "/networks/a/b", "/Networks",
        "/services/e/backend/s", "/networks/n/endpoints/e/sandboxes"}) {
    EXPECT_EQ(ActionOf("GET", path), std::nullopt) << path;
  }
}

TEST(Route, AnIdHasOnlyLettersDigitsUnderscoreAndHyphen) {
  EXPECT_EQ(FindRoute("GET", "/networks/aZ09_-")->network, "aZ09_-");
  EXPECT_EQ(FindRoute("GET", "/networks/%61b")->network, "ab");
  for (const char* id : {"a.b", "a:b", "a%2Fb", "a%00", "%", "a b", "\xc3\xa4"}) {
    EXPECT_EQ(ActionOf("GET", std::string("/networks/") + id), std::nullopt) << id;
  }
}

TEST(Route, TheBareMeaningComesFirst) {
  EXPECT_EQ(FindRoute("GET", "/networks/networks"), (Route{Action::kGetNetwork, "networks"}));
  EXPECT_EQ(FindRoute("GET", "/services/networks/n"), (Route{Action::kGetNetwork, "n"}));
}

TEST(Query, NarrowsAListByItsOwnKeys) {
  EXPECT_EQ(FilterOf("/networks"), std::nullopt);
  EXPECT_EQ(FilterOf("/networks?"), std::nullopt);
  EXPECT_EQ(FilterOf("/networks?name=blue"), (Filter{FilterKey::kName, "blue"}));
  EXPECT_EQ(FilterOf("/v1/networks?x=y&partial-id=ab"), (Filter{FilterKey::kPartialId, "ab"}));
  EXPECT_EQ(FilterOf("/networks/n/endpoints?name=web"), (Filter{FilterKey::kName, "web"}));
  EXPECT_EQ(FilterOf("/services?network=blue"), (Filter{FilterKey::kNetwork, "blue"}));
  EXPECT_EQ(FilterOf("/sandboxes?container-id=c"), (Filter{FilterKey::kContainerId, "c"}));
  EXPECT_EQ(FilterOf("/sandboxes?partial-container-id=c"),
            (Filter{FilterKey::kPartialContainerId, "c"}));
  EXPECT_EQ(FilterOf("/sandboxes?name=c"), std::nullopt) << "no key of this list";
  EXPECT_EQ(FilterOf("/networks?nickname=c"), std::nullopt) << "a longer key";
  EXPECT_EQ(FilterOf("/networks/n?name=c"), std::nullopt) << "no list";
}

TEST(Query, TakesTheWholeValueDecoded) {
  EXPECT_EQ(FilterOf("/networks?name=bri.dge"), (Filter{FilterKey::kName, "bri.dge"}));
  EXPECT_EQ(FilterOf("/networks?na%6de=a%20b+c%"), (Filter{FilterKey::kName, "a b c%"}));
  EXPECT_EQ(FilterOf("/networks?name="), (Filter{FilterKey::kName, ""}));
  EXPECT_EQ(FilterOf("/networks?name=&x"), (Filter{FilterKey::kName, ""}));
  EXPECT_EQ(FilterOf("/networks?name"), std::nullopt);
  EXPECT_EQ(FilterOf("/networks?name=a&name=b"), (Filter{FilterKey::kName, "a"}));
}

TEST(Query, TwoFiltersAtOnceAreUnsupported) {
  for (const char* target :
       {"/networks?name=a&partial-id=b",
        "/networks/n/endpoints?partial-id=b&name=", "/services?network=a&name=b",
        "/services?name=a&partial-id=b", "/sandboxes?container-id=a&partial-container-id=b"}) {
    try {
      FindRoute("GET", target);
      ADD_FAILURE() << target;
    } catch (const Error& e) {
      EXPECT_EQ(e.code(), Code::kConfig);
      EXPECT_EQ(e.message(), "Unsupported query");
    }
  }
  // To another method a query means nothing.
  EXPECT_EQ(ActionOf("POST", "/networks?name=a&partial-id=b"), Action::kCreateNetwork);
}

TEST(CleanTarget, SendsAClientToTheCleanPath) {
  for (const char* clean : {"/", "/networks", "/networks/", "/v1.19/networks?name=..//", "/a..b"}) {
    EXPECT_EQ(CleanTarget(clean), std::nullopt) << clean;
  }
  EXPECT_EQ(CleanTarget("//networks"), "/networks");
  EXPECT_EQ(CleanTarget("/v1//networks/?name=a"), "/v1/networks/?name=a");
  EXPECT_EQ(CleanTarget("/v1/../networks/./n"), "/networks/n");
  EXPECT_EQ(CleanTarget("/../../networks"), "/networks");
  EXPECT_EQ(CleanTarget("/networks/.."), "/");
  EXPECT_EQ(CleanTarget("//evil.example/x"), "/evil.example/x") << "would be another server";
  EXPECT_EQ(CleanTarget(""), "/");
}

TEST(Selects, ComparesTheNamedProperty) {
  const Subject subject{.name = "web", .id = "abcdef", .network = "blue", .container_id = "c0ffee"};
  const auto selects = [&](FilterKey key, const char* value) {
    return Selects(Filter{key, value}, subject);
  };
  EXPECT_TRUE(Selects(std::nullopt, subject));
  EXPECT_TRUE(selects(FilterKey::kName, "web"));
  EXPECT_FALSE(selects(FilterKey::kName, "we"));
  EXPECT_TRUE(selects(FilterKey::kPartialId, "abc"));
  EXPECT_TRUE(selects(FilterKey::kPartialId, ""));
  EXPECT_FALSE(selects(FilterKey::kPartialId, "bcd"));
  EXPECT_TRUE(selects(FilterKey::kNetwork, "blue"));
  EXPECT_FALSE(selects(FilterKey::kNetwork, "blu"));
  EXPECT_TRUE(selects(FilterKey::kContainerId, "c0ffee"));
  EXPECT_FALSE(selects(FilterKey::kContainerId, "c0"));
  EXPECT_TRUE(selects(FilterKey::kPartialContainerId, "c0"));
  EXPECT_FALSE(selects(FilterKey::kPartialContainerId, "ff"));
}

}  // namespace
}  // namespace cnm::api
