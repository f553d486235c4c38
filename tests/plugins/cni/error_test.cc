// error_test.cc: errors as the CNI protocol writes them.
#include "plugins/cni/error.h"

#include <utility>

#include <gtest/gtest.h>

namespace cnm::cni {
namespace {

TEST(CniNumber, FollowsTheSpecificationBelow100) {
  const std::pair<Code, int> table[] = {{Code::kIncompatibleVersion, 1},
                                        {Code::kUnsupportedField, 2},
                                        {Code::kUnknownContainer, 3},
                                        {Code::kEnvironment, 4},
                                        {Code::kIo, 5},
                                        {Code::kDecode, 6},
                                        {Code::kConfig, 7},
                                        {Code::kNetns, 8},
                                        {Code::kTryAgain, 11},
                                        {Code::kUnavailable, 50},
                                        {Code::kLimited, 51},
                                        {Code::kExhausted, 100},
                                        {Code::kInUse, 101},
                                        {Code::kOverlap, 102},
                                        {Code::kExists, 103},
                                        {Code::kNotFound, 104},
                                        {Code::kKernel, 105},
                                        {Code::kInternal, 999}};
  for (const auto& [code, number] : table) EXPECT_EQ(CniNumber(code), number);
}

TEST(PrintError, WritesTheDocumentOfTheSpecification) {
  EXPECT_EQ(PrintError(Error(Code::kConfig, "missing network name"), "0.4.0"),
            "{\n"
            "    \"cniVersion\": \"0.4.0\",\n"
            "    \"code\": 7,\n"
            "    \"msg\": \"missing network name\"\n"
            "}");
  EXPECT_EQ(PrintError(Error(Code::kTryAgain, "a <b>", "d"), "1.1.0"),
            "{\n"
            "    \"cniVersion\": \"1.1.0\",\n"
            "    \"code\": 11,\n"
            "    \"msg\": \"a \\u003cb\\u003e\",\n"
            "    \"details\": \"d\"\n"
            "}");
}

TEST(ForeignError, KeepsItsNumberAndWords) {
  const ForeignError error = DecodeError(
      R"({"cniVersion":"1.0.0","code":123,"msg":"out of ponies","details":"ask again"})", 1);
  EXPECT_EQ(error.number(), 123);
  EXPECT_EQ(NumberOf(error), 123);
  EXPECT_EQ(error.code(), Code::kInternal);
  EXPECT_EQ(error.message(), "out of ponies");
  EXPECT_EQ(error.details(), "ask again");
}

TEST(ForeignError, HasOurCodeWhereTheNumberMeansTheSame) {
  EXPECT_EQ(DecodeError(R"({"code":11,"msg":"busy"})", 1).code(), Code::kTryAgain);
  EXPECT_EQ(DecodeError(R"({"code":50,"msg":"away"})", 1).code(), Code::kUnavailable);
  EXPECT_EQ(DecodeError(R"({"code":104,"msg":"theirs"})", 1).code(), Code::kInternal);
}

TEST(ForeignError, ExplainsOutputThatIsNoError) {
  const ForeignError silent = DecodeError("", 2);
  EXPECT_EQ(silent.number(), 999);
  EXPECT_EQ(silent.message(), "netplugin failed with no error message: exit status 2");
  const ForeignError noise = DecodeError("segmentation \"fault\"", 139);
  EXPECT_EQ(noise.number(), 999);
  EXPECT_EQ(noise.message().substr(0, 90),
            "netplugin failed but error parsing its diagnostic message \"segmentation "
            "\\\"fault\\\"\": error:");
  EXPECT_EQ(DecodeError(R"({"code":"seven"})", 1).number(), 999);
  EXPECT_EQ(DecodeError(R"({"msg":"no code"})", 1).number(), 999);
}

}  // namespace
}  // namespace cnm::cni
