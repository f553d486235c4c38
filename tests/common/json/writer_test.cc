// writer_test.cc: writing JSON text.
#include "common/json/writer.h"

#include <cstdint>
#include <string>

#include <gtest/gtest.h>

#include "common/base/error.h"

namespace cnm::json {
namespace {

std::string Quoted(std::string_view text) {
  return Writer().String(text).Take();
}

TEST(Writer, WritesCompactText) {
  Writer w;
  w.BeginObject().Member("s", "x").Member("b", true).Member("i", int64_t{-5});
  w.Member("u", UINT64_MAX).Member("small", 7).MemberUnlessEmpty("none", "");
  w.Key("n").Null().Key("a").BeginArray().Int(1).BeginArray().EndArray().String("y").EndArray();
  w.Key("o").BeginObject().EndObject().EndObject();
  EXPECT_EQ(w.Take(), R"({"s":"x","b":true,"i":-5,"u":18446744073709551615,"small":7,"n":null,)"
                      R"("a":[1,[],"y"],"o":{}})");
}

TEST(Writer, IndentsAsGoDoes) {
  Writer w(Style::kIndented);
  w.BeginObject().Member("code", 7).Key("ips").BeginArray();
  w.BeginObject().Member("address", "192.0.2.2/24").EndObject().Int(1).EndArray();
  w.Key("dns").BeginObject().EndObject().Key("routes").BeginArray().EndArray().EndObject();
  // What json.MarshalIndent(v, "", "    ") prints.
  EXPECT_EQ(w.Take(), R"({
    "code": 7,
    "ips": [
        {
            "address": "192.0.2.2/24"
        },
        1
    ],
    "dns": {},
    "routes": []
})");
}

TEST(Writer, IsEmptyAfterTake) {
  Writer w(Style::kIndented);
  w.BeginObject().EndObject();
  EXPECT_EQ(w.Take(), "{}");
  EXPECT_EQ(w.BeginArray().Bool(false).EndArray().Take(), "[\n    false\n]");
}

TEST(Writer, EscapesAsGoDoes) {
  EXPECT_EQ(Quoted("a\"b\\c/\n\r\t\b\f\x01\x1f\x7f"),
            "\"a\\\"b\\\\c/\\n\\r\\t\\b\\f\\u0001\\u001f\x7f\"");
  EXPECT_EQ(Quoted("<a>&"), R"("\u003ca\u003e\u0026")");
  EXPECT_EQ(Quoted("é€😀"), "\"é€😀\"");
  EXPECT_EQ(Quoted("\u2028\u2029\u202a"), "\"\\u2028\\u2029\u202a\"");
  EXPECT_EQ(Quoted(std::string_view("\0", 1)), R"("\u0000")");
}

TEST(Writer, ReplacesEachByteThatIsNotUtf8) {
  EXPECT_EQ(Quoted("a\xff\xfe!"), R"("a\ufffd\ufffd!")");
  EXPECT_EQ(Quoted("\xc0\xaf"), R"("\ufffd\ufffd")");                      // overlong
  EXPECT_EQ(Quoted("\xed\xa0\x80"), R"("\ufffd\ufffd\ufffd")");            // a surrogate
  EXPECT_EQ(Quoted("\xf4\x90\x80\x80"), R"("\ufffd\ufffd\ufffd\ufffd")");  // beyond U+10FFFF
  EXPECT_EQ(Quoted("\xe2\x82"), R"("\ufffd\ufffd")");                      // cut short
}

TEST(Writer, LaysRawTextOutAnew) {
  Writer w(Style::kIndented);
  w.BeginObject().Key("r").Raw(R"( {"a":[1.50, "<"],"b":{}} )").EndObject();
  EXPECT_EQ(w.Take(), R"({
    "r": {
        "a": [
            1.50,
            "\u003c"
        ],
        "b": {}
    }
})");
  EXPECT_EQ(Writer().Raw("\"scalar\"").Take(), "\"scalar\"");
}

TEST(Writer, RejectsRawTextThatIsNotJson) {
  for (const char* bad : {"", "{", "{} {}", "nul"}) {
    try {
      Writer().Raw(bad);
      ADD_FAILURE() << bad;
    } catch (const Error& e) {
      EXPECT_EQ(e.code(), Code::kInternal);
    }
  }
}

TEST(Writer, RejectsAnUnfinishedDocument) {
  EXPECT_THROW(Writer().BeginObject().Take(), Error);
  EXPECT_THROW(Writer().BeginArray().BeginObject().EndObject().Take(), Error);
  EXPECT_THROW(Writer().EndObject(), Error);
}

}  // namespace
}  // namespace cnm::json
