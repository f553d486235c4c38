// result_test.cc: results of every version, both ways.
#include "plugins/cni/result.h"

#include <string>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "plugins/cni/version.h"
#include "tests/plugins/cni/result_samples.h"
#include "tests/plugins/cni/thrown.h"

namespace cnm::cni {
namespace {

Result Decode(std::string_view text, std::string_view assumed = "1.1.0") {
  return DecodeResult(json::Parse(text, "result"), assumed);
}

TEST(Result, PrintsEveryVersionsShape) {
  for (const std::string_view version : kVersions) {
    EXPECT_EQ(PrintResult(Full(), version), Golden(version));
  }
}

TEST(Result, ReadsEveryVersionsShape) {
  for (const std::string_view version : kVersions) {
    EXPECT_EQ(Decode(Golden(version), "9.9.9"), Kept(version)) << version;
  }
}

TEST(Result, ConvertsBetweenAnyTwoVersions) {
  for (const std::string_view from : kVersions) {
    for (const std::string_view to : kVersions) {
      const std::string converted = PrintResult(Decode(Golden(from)), to);
      EXPECT_EQ(Decode(converted), Decode(PrintResult(Kept(from), to))) << from << " to " << to;
      if (FamilyOf(from) == FamilyOf(to)) {
        EXPECT_EQ(converted, Golden(to));
      }
    }
  }
}

TEST(Result, LeavesOutWhatIsEmpty) {
  EXPECT_EQ(PrintResult({}, "1.1.0"), "{\n    \"cniVersion\": \"1.1.0\"\n}");
  EXPECT_EQ(PrintResult({}, "0.3.1"), "{\n    \"cniVersion\": \"0.3.1\",\n    \"dns\": {}\n}");
  EXPECT_EQ(PrintResult({.interfaces = {{}}}, "1.0.0"),
            "{\n    \"cniVersion\": \"1.0.0\",\n    \"interfaces\": [\n        {\n"
            "            \"name\": \"\"\n        }\n    ]\n}");
}

TEST(Result, CallsAnAbsentVersionByItsName) {
  const Result r{.ips = {{P("192.0.2.1/32"), {}, {}}}};
  EXPECT_EQ(PrintResult(r, ""), PrintResult(r, "0.1.0"));
}

TEST(Result, NeedsAnAddressBefore030) {
  EXPECT_EQ(Thrown([] { PrintResult({}, "0.2.0"); }), "7 cannot convert: no valid IP addresses");
}

TEST(Result, DropsRoutesOfAFamilyWithoutAddressBefore030) {
  Result r = Full();
  r.ips.resize(1);
  const Result kept = Decode(PrintResult(r, "0.2.0"));
  ASSERT_EQ(kept.routes.size(), 2U);
  EXPECT_TRUE(kept.routes[1].destination.address.is_v4());
}

TEST(Result, RefusesVersionsItDoesNotKnow) {
  const std::string text = "1 unsupported CNI result version \"1.2.0\"";
  EXPECT_EQ(Thrown([] { PrintResult({}, "1.2.0"); }), text);
  EXPECT_EQ(Thrown([] { Decode(R"({"cniVersion":"1.2.0"})"); }), text);
  EXPECT_EQ(Thrown([] { Decode("{}", "1.2.0"); }), text);
}

TEST(Result, AssumesAVersionOnlyWhereNoneIsGiven) {
  const char* body = R"("ip4":{"ip":"192.0.2.1/24"}})";
  for (const char* head : {"{", R"({"cniVersion":"",)", R"({"cniVersion":null,)"}) {
    EXPECT_EQ(Decode(std::string(head) + body, "0.2.0").ips.size(), 1U) << head;
    EXPECT_EQ(Decode(std::string(head) + body, "1.0.0").ips.size(), 0U) << head;
  }
  EXPECT_EQ(Decode(std::string(R"({"cniVersion":"0.1.0",)") + body, "1.0.0").ips.size(), 1U);
}

TEST(Result, TakesEmptyTextAsNoGateway) {
  const Result r = Decode(R"({"ips":[{"address":"192.0.2.1/24","gateway":""}]})");
  EXPECT_EQ(r.ips.at(0).gateway, std::nullopt);
}

TEST(Result, NamesThePathOfWhatIsWrong) {
  const std::pair<const char*, const char*> table[] = {
      {R"({"ips":[{"address":"192.0.2.1"}]})", "$.ips[0].address"},
      {R"({"ips":[{"address":"192.0.2.300/24"}]})", "$.ips[0].address"},
      {R"({"ips":[{"gateway":"192.0.2.1"}]})", "$.ips[0].address"},
      {R"({"ips":[{"address":"192.0.2.1/24","gateway":"x"}]})", "$.ips[0].gateway"},
      {R"({"ips":[{"address":"192.0.2.1/24","interface":"1"}]})", "$.ips[0].interface"},
      {R"({"ips":{}})", "$.ips"},
      {R"({"routes":[{"dst":"default"}]})", "$.routes[0].dst"},
      {R"({"routes":[{"dst":"0.0.0.0/0","scope":256}]})", "$.routes[0].scope"},
      {R"({"routes":[{"dst":"0.0.0.0/0","mtu":-1}]})", "$.routes[0].mtu"},
      {R"({"interfaces":[7]})", "$.interfaces[0]"},
      {R"({"dns":{"search":["a",1]}})", "$.dns.search[1]"},
      {R"({"cniVersion":1})", "$.cniVersion"}};
  for (const auto& [text, path] : table) {
    const std::string thrown = Thrown([t = text] { Decode(t); });
    EXPECT_NE(thrown.find(path), std::string::npos) << text << ": " << thrown;
  }
}

TEST(Result, SurvivesEveryTruncationOfAResult) {
  const std::string whole = kFull110;
  for (size_t length = 0; length < whole.size(); ++length) {
    EXPECT_NE(Thrown([&] { Decode(whole.substr(0, length)); }), "") << length;
  }
}

TEST(Result, NeverCrashesOnADamagedByte) {
  for (const std::string_view version : {"0.2.0", "0.4.0", "1.1.0"}) {
    const std::string whole = Golden(version);
    for (size_t at = 0; at < whole.size(); ++at) {
      for (const char damage : {'0', '"', '}', '[', '\\', '\0', '\xff'}) {
        std::string text = whole;
        text[at] = damage;
        Thrown([&] { PrintResult(Decode(text), version); });
      }
    }
  }
}

}  // namespace
}  // namespace cnm::cni
