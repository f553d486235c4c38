// object_test.cc: decoding a JSON document.
#include "common/json/object.h"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "common/base/error.h"

namespace cnm::json {
namespace {

using Strings = std::vector<std::string>;

/// The message of the Error that `work` throws, with its code in front; "" if it throws none.
template <class Work>
std::string Failure(Work work) {
  try {
    work();
  } catch (const Error& e) {
    const char* kind = e.code() == Code::kDecode   ? "decode"
                       : e.code() == Code::kConfig ? "config"
                                                   : "other";
    return fmt::format("{}: {}", kind, e.message());
  }
  return "";
}

std::string ParseFailure(std::string_view text) {
  return Failure([&] { Parse(text, "conf"); });
}

TEST(Object, ReadsEachType) {
  const Object o = Parse(R"({"s":"text","b":true,"i":-5,"u":4294967295,"big":18446744073709551615,
                             "list":["a","b"],"o":{"x":"y"},"n":null})",
                         "conf");
  std::string s;
  bool b = false;
  int64_t i = 0;
  uint32_t u = 0;
  uint64_t big = 0;
  Strings list;
  EXPECT_TRUE(o.Optional("s", s));
  EXPECT_TRUE(o.Optional("b", b));
  EXPECT_TRUE(o.Optional("i", i));
  EXPECT_TRUE(o.Optional("u", u));
  EXPECT_TRUE(o.Optional("big", big));
  EXPECT_TRUE(o.Optional("list", list));
  EXPECT_EQ(s, "text");
  EXPECT_TRUE(b);
  EXPECT_EQ(i, -5);
  EXPECT_EQ(u, UINT32_MAX);
  EXPECT_EQ(big, UINT64_MAX);
  EXPECT_EQ(list, (Strings{"a", "b"}));
  o.RequiredObject("o").Required("x", s);
  EXPECT_EQ(s, "y");
}

TEST(Object, OutlivesTheTextItWasParsedFrom) {
  std::optional<Object> child;
  {
    std::string text = R"({"ipam":{"type":"host-local"}})";
    child = Parse(text, "conf").OptionalObject("ipam");
    text.assign(text.size(), 'x');
  }
  std::string type;
  child->Required("type", type);
  EXPECT_EQ(type, "host-local");
}

TEST(Object, AbsentAndNullLeaveTheDefaultAlone) {
  const Object o = Parse(R"({"a":null})", "conf");
  for (const char* key : {"a", "b"}) {
    std::string s = "default";
    bool b = true;
    uint32_t u = 7;
    Strings list{"x"};
    EXPECT_FALSE(o.Optional(key, s) || o.Optional(key, b) || o.Optional(key, u));
    EXPECT_FALSE(o.Optional(key, list) || o.Has(key));
    EXPECT_FALSE(o.OptionalObject(key) || o.OptionalArray(key));
    EXPECT_TRUE(o.Objects(key).empty());
    EXPECT_EQ(s, "default");
    EXPECT_EQ(list, Strings{"x"});
    EXPECT_TRUE(b && u == 7);
    EXPECT_EQ(Failure([&] { o.Required(key, s); }),
              fmt::format("config: $.{}: missing, want a string", key));
    EXPECT_EQ(Failure([&] { o.RequiredObject(key); }),
              fmt::format("config: $.{}: missing, want an object", key));
  }
}

TEST(Object, MembersAreAllThereInOrderAndKnown) {
  const Object o = Parse(R"({"b":"x","a":null,"b":{"n":1.50}})", "conf");
  std::string text;
  for (const auto& [key, value] : o.Members()) text += fmt::format("{}={} ", key, value.Text());
  EXPECT_EQ(text, "b=\"x\" a=null b={\"n\":1.50} ");
  EXPECT_EQ(o.Warnings(), Strings{"$.b: given 2 times, the last is used"});
  EXPECT_EQ(Failure([&] { o.Members()[1].second.AsObject(); }),
            "decode: $.a: want an object, got null");
}

TEST(Object, WrongTypesNameThePathAndBothTypes) {
  const Object o = Parse(R"({"s":"x","n":1,"b":true,"o":{},"a":[{"l":["x",2,null]}]})", "conf");
  std::string s;
  bool b = false;
  uint32_t u = 0;
  Strings list;
  EXPECT_EQ(Failure([&] { o.Optional("n", s); }), "decode: $.n: want a string, got a number");
  EXPECT_EQ(Failure([&] { o.Optional("o", b); }), "decode: $.o: want true or false, got an object");
  EXPECT_EQ(Failure([&] { o.Optional("s", u); }), "decode: $.s: want a whole number, got a string");
  EXPECT_EQ(Failure([&] { o.Optional("b", list); }), "decode: $.b: want an array, got a boolean");
  EXPECT_EQ(Failure([&] { o.OptionalObject("a"); }), "decode: $.a: want an object, got an array");
  EXPECT_EQ(Failure([&] { o.Objects("a").at(0).Optional("l", list); }),
            "decode: $.a[0].l[1]: want a string, got a number");
  EXPECT_EQ(Failure([&] { o.Objects("a").at(0).OptionalArray("l")->at(2).AsObject(); }),
            "decode: $.a[0].l[2]: want an object, got null");
  EXPECT_TRUE(list.empty());
}

TEST(Object, NumbersAreWholeAsInGo) {
  for (const char* number : {"5.0", "1e3", "0.5", "-1E+2"}) {
    const Object o = Parse(fmt::format(R"({{"mtu":{}}})", number), "conf");
    int64_t i = 0;
    EXPECT_EQ(Failure([&] { o.Optional("mtu", i); }),
              fmt::format("decode: $.mtu: want a whole number, got {}", number));
  }
}

TEST(Object, NumbersOutOfRangeNameTheRange) {
  const auto failure = [](const char* number, auto value, auto... range) {
    const Object o = Parse(fmt::format(R"({{"n":{}}})", number), "conf");
    return Failure([&] { o.Optional("n", value, range...); });
  };
  EXPECT_EQ(failure("20", uint32_t{}, Between{68, 65535}), "config: $.n: 20 is not in 68..65535");
  EXPECT_EQ(failure("65536", int64_t{}, Between{68, 65535}),
            "config: $.n: 65536 is not in 68..65535");
  EXPECT_EQ(failure("68", uint32_t{}, Between{68, 65535}), "");
  EXPECT_EQ(failure("65535", uint32_t{}, Between{68, 65535}), "");
  EXPECT_EQ(failure("-1", uint32_t{}), "config: $.n: -1 is not in 0..4294967295");
  EXPECT_EQ(failure("4294967296", uint32_t{}), "config: $.n: 4294967296 is not in 0..4294967295");
  EXPECT_EQ(failure("18446744073709551616", uint64_t{}),
            "config: $.n: 18446744073709551616 is not in 0..18446744073709551615");
  EXPECT_EQ(
      failure("-9223372036854775809", int64_t{}),
      "config: $.n: -9223372036854775809 is not in -9223372036854775808..9223372036854775807");
  EXPECT_EQ(failure("-9223372036854775808", int64_t{}), "");
}

TEST(Object, ExactCaseWinsOverAnyOrderElseCaseIsIgnored) {
  std::string s;
  Parse(R"({"hostport":"a","HostPort":"b","HOSTPORT":"c"})", "conf").Required("HostPort", s);
  EXPECT_EQ(s, "b");
  Parse(R"({"hostport":"a","HOSTPORT":"c"})", "conf").Required("HostPort", s);
  EXPECT_EQ(s, "c");
  EXPECT_FALSE(Parse(R"({"k@y":"a"})", "conf").Has("k`y"));  // differ in the bit that makes case
}

TEST(Object, TheLastOfDuplicatesWins) {
  std::string s;
  const Object o = Parse(R"({"a":"1","a":"2","b":0})", "conf");
  o.Required("a", s);
  EXPECT_EQ(s, "2");
  EXPECT_EQ(o.Keys(), (Strings{"a", "b"}));
  EXPECT_EQ(o.RepeatedKeys(), (Strings{"a"}));
  EXPECT_FALSE(Parse(R"({"a":"1","a":null})", "conf").Has("a"));
}

TEST(Object, WarnsOfUnknownKeysWithTheNearestAskedFor) {
  const Object o =
      Parse(R"({"bridgee":"x","MTU":1,"zzz":2,"cniVersion":"1.0.0","ipam":{"tpye":1}})", "conf");
  std::string s;
  uint32_t u = 0;
  o.Optional("bridge", s);
  o.Optional("mtu", u);
  o.Ignore("cniVersion");
  const Object ipam = o.RequiredObject("ipam");
  EXPECT_EQ(o.Warnings(), (Strings{"$.bridgee: unknown, did you mean bridge?", "$.zzz: unknown"}));
  ipam.Optional("type", s);
  EXPECT_EQ(ipam.Warnings(), Strings{"$.ipam.tpye: unknown, did you mean type?"});
}

TEST(Object, DoesNotSuggestTheKeysOfAnotherObject) {
  const Object o = Parse(R"({"bridgee":1,"ipam":{}})", "conf");
  o.RequiredObject("ipam").Has("bridge");
  EXPECT_EQ(o.Warnings(), Strings{"$.bridgee: unknown"});
}

TEST(Object, WarnsOfADuplicateOnce) {
  const Object o = Parse(R"({"a":1,"b":2,"a":3,"a":4})", "conf");
  EXPECT_TRUE(o.Has("a") && o.Has("b"));
  EXPECT_EQ(o.Warnings(), Strings{"$.a: given 3 times, the last is used"});
}

TEST(Object, WarnsOfManyKeysBriefly) {
  std::string text = "{";
  for (int i = 0; i < 20'000; ++i) text += fmt::format("\"k{}\":0,", i);
  text.back() = '}';
  const Object o = Parse(text, "conf");
  const Strings warnings = o.Warnings();
  ASSERT_EQ(warnings.size(), 17U);
  EXPECT_EQ(warnings.back(), "$: 19984 more odd keys");
}

TEST(Object, ViewsOfOneObjectShareWhatWasAskedFor) {
  const Object o = Parse(R"({"ipam":{"type":"x"}})", "conf");
  std::string s;
  o.RequiredObject("ipam").Required("type", s);
  EXPECT_TRUE(o.RequiredObject("ipam").Warnings().empty());
}

TEST(Object, QuotesOddKeysInPathsAndCutsLongOnes) {
  const Object o = Parse(
      fmt::format(R"({{"cni.dev/x":1,"a\nb":2,"":3,"{}":4}})", std::string(1000, 'k')), "conf");
  EXPECT_EQ(o.Warnings(),
            (Strings{R"($["cni.dev/x"]: unknown)", R"($["a\nb"]: unknown)", R"($[""]: unknown)",
                     fmt::format(R"($["{}..."]: unknown)", std::string(64, 'k'))}));
}

TEST(Object, FailsWithThePathOfTheKey) {
  const Object o = Parse(R"({"a":[[{"x":1}]]})", "conf");
  const Object inner = o.OptionalArray("a")->at(0).Array().at(0).AsObject();
  EXPECT_EQ(inner.path(), "$.a[0][0]");
  EXPECT_EQ(Failure([&] { inner.Fail("x", "excludes y"); }), "config: $.a[0][0].x: excludes y");
}

TEST(Object, TextKeepsOrderDuplicatesAndEveryDigit) {
  const std::string text =
      R"({"z":[1.50,1e3,-0,123456789012345678901234567890],"a":{"b":null,"c":[true,false,"é\n"]},"a":{}})";
  EXPECT_EQ(Parse(text, "conf").Text(), text);
  EXPECT_EQ(Parse(R"( { "a" : [ { "b" : "\u0041\u00e9" } , 2 ] } )", "conf").Text(),
            R"({"a":[{"b":"Aé"},2]})");
  EXPECT_EQ(Parse(R"({"a":[{"b":1}]})", "conf").OptionalArray("a")->at(0).Text(), R"({"b":1})");
}

TEST(Object, StringsKeepEscapesAndZeroBytes) {
  std::string s;
  Parse(R"({"s":"a\u0000b\ud83d\ude00\/\"\\\t"})", "conf").Required("s", s);
  EXPECT_EQ(s, std::string("a\0b😀/\"\\\t", 11));
}

TEST(Parse, NamesWhatIsWrongAndWhere) {
  const struct {
    std::string_view text;
    std::string_view failure;
  } cases[] = {
      {"", "empty, want a JSON document"},
      {" \r\n\t", "empty, want a JSON document"},
      {"[]", "want an object, got an array"},
      {"null", "want an object, got null"},
      {"\"x\"", "want an object, got a string"},
      {"5", "want an object, got a number"},
      {"\xef\xbb\xbf{}", "a byte order mark at byte 0"},
      {"{\"a\":1", "want ',' or '}' at byte 6, where the text ends"},
      {"{\"a\":[1", "want ',' or ']' at byte 7, where the text ends"},
      {"{\"a\":", "want a value at byte 5, where the text ends"},
      {"{\"a\"", "want ':' after the key at byte 4, where the text ends"},
      {"{", "want a key in quotes or '}' at byte 1, where the text ends"},
      {"{\"a\":1,}", "want a key in quotes or '}' at byte 7"},
      {"{'a':1}", "want a key in quotes or '}' at byte 1"},
      {"{\"a\":1} x", "something follows the document at byte 8"},
      {"{}{}", "something follows the document at byte 2"},
      {"{\"a\":01}", "want ',' or '}' at byte 6"},
      {"{\"a\":+1}", "want a value at byte 5"},
      {"{\"a\":NaN}", "want a value at byte 5"},
      {"{\"a\":1.}", "want a digit after the decimal point at byte 7"},
      {"{\"a\":1e}", "want a digit in the exponent at byte 7"},
      {"{\"a\":1e999}", "number too big at byte 5"},
      {"{\"a\":\"\\x\"}", "an unknown escape or a bare control character at byte 6"},
      {"{\"a\":\"\x01\"}", "an unknown escape or a bare control character at byte 6"},
      {"{\"a\":\"\xff\"}", "a string that is not UTF-8 at byte 8"},
      {"{/**/}", "want a key in quotes or '}' at byte 1"},
  };
  for (const auto& c : cases) {
    EXPECT_EQ(ParseFailure(c.text), fmt::format("decode: conf: {}", c.failure)) << c.text;
  }
}

TEST(Parse, RejectsWhatIsNotUtf8) {
  for (const char* bad : {"\xff", "\xc0\xaf", "\xed\xa0\x80", "\xf4\x90\x80\x80", "\xc3", "a\nb",
                          "\\ud800", "\\udc00x", "\\x", "\\u12g4"}) {
    EXPECT_NE(ParseFailure(fmt::format("{{\"k\":\"{}\"}}", bad)), "") << bad;
    EXPECT_NE(ParseFailure(fmt::format("{{\"{}\":1}}", bad)), "") << bad;
  }
}

TEST(Parse, DoesNotReadBehindATextThatEndsWithinACharacter) {
  for (const char* bad : {"\xc3", "\xe2\x82", "\xf4", "\xf4\xf4", "\xf0\x9f\x98"}) {
    // Held by the heap without spare room, so that ASan sees the byte behind it.
    const std::string text = std::string(100, ' ') + "{\"" + bad;
    EXPECT_NE(ParseFailure(text), "") << bad;
  }
}

TEST(Parse, RejectsNulBytesAnywhere) {
  for (std::string text :
       {"{}#", "#{}", "{#}", "{\"a#\":1}", "{\"a\":1#}", "{}  #{}", "{\"a\":\"#\"}"}) {
    text[text.find('#')] = '\0';
    EXPECT_NE(ParseFailure(text), "") << text;
  }
  EXPECT_EQ(ParseFailure(std::string_view("{}\0x", 4)), "decode: conf: a NUL byte at byte 2");
}

TEST(Parse, RejectsEveryTruncationOfAGoodDocument) {
  const std::string text = R"({"name":"n","l":[1,{"a":null}],"é":"\u00e9","t":true,"f":-1.5e-3})";
  EXPECT_EQ(ParseFailure(text), "");
  for (size_t length = 0; length < text.size(); ++length) {
    EXPECT_NE(ParseFailure(text.substr(0, length)), "") << length;
  }
}

TEST(Parse, LimitsDepthTo64) {
  const auto nested = [](size_t arrays) {
    return "{\"a\":" + std::string(arrays, '[') + std::string(arrays, ']') + "}";
  };
  EXPECT_EQ(ParseFailure(nested(63)), "");
  EXPECT_EQ(ParseFailure(nested(64)), "decode: conf: nested deeper than 64 levels at byte 68");
}

TEST(Parse, SurvivesFourMebibytesOfNesting) {
  for (const char* unit : {"[", "{\"a\":", "[{\"a\":"}) {
    std::string text = "{\"a\":";
    while (text.size() < (size_t{4} << 20)) text += unit;
    EXPECT_NE(ParseFailure(text).find("nested deeper"), std::string::npos);
  }
}

}  // namespace
}  // namespace cnm::json
