// status_test.cc: failures as the REST API tells them.
#include "cnm/api/status.h"

#include <string>

#include <gtest/gtest.h>

namespace cnm::api {
namespace {

TEST(Status, IsTheKindsOfTheReference) {
  EXPECT_EQ(StatusOf(Code::kConfig), 400U);
  EXPECT_EQ(StatusOf(Code::kDecode), 400U);
  EXPECT_EQ(StatusOf(Code::kExists), 403U);
  EXPECT_EQ(StatusOf(Code::kInUse), 403U);
  EXPECT_EQ(StatusOf(Code::kNotFound), 404U);
  EXPECT_EQ(StatusOf(Code::kTryAgain), 408U);
  EXPECT_EQ(StatusOf(Code::kUnsupportedField), 501U);
  EXPECT_EQ(StatusOf(Code::kUnavailable), 503U);
  EXPECT_EQ(StatusOf(Code::kInternal), 500U);
  EXPECT_EQ(StatusOf(Code::kKernel), 500U);
  for (const unsigned status : {400U, 403U, 404U, 408U, 500U, 501U, 503U}) {
    EXPECT_EQ(StatusOf(CodeOf(status)), status);
  }
}

TEST(Status, AFailureIsPlainText) {
  const http::Response response = FailureResponse({Code::kInUse, "network blue", "by\nx"});
  EXPECT_EQ(response.status, 403U);
  EXPECT_EQ(response.body, "network blue\n");
  EXPECT_EQ(http::FindHeader(response.headers, "content-type"), "text/plain; charset=utf-8");
  EXPECT_EQ(http::FindHeader(response.headers, kDetailsField), "by x");
}

TEST(Status, EndpointsAreCalledServicesOnce) {
  const auto told = [](const std::string& text) {
    return InTermsOfServices({Code::kExists, text}).message();
  };
  EXPECT_EQ(told("service endpoint with name svc1 already exists"),
            "service with name svc1 already exists");
  EXPECT_EQ(told("endpoint with name a id b has active containers"),
            "service with name a id b has active containers");
  EXPECT_EQ(told("network blue not found"), "network blue not found");
}

}  // namespace
}  // namespace cnm::api
