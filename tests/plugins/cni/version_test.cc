// version_test.cc: the versions of the CNI protocol and their gates.
#include "plugins/cni/version.h"

#include <array>
#include <string>

#include <gtest/gtest.h>

#include "common/base/error.h"
#include "tests/plugins/cni/thrown.h"

namespace cnm::cni {
namespace {

constexpr std::array<std::string_view, 2> kEarly = {"0.3.0", "0.4.0"};

TEST(Version, OrdersEveryKnownVersion) {
  for (size_t i = 1; i < kVersions.size(); ++i) {
    EXPECT_LT(Version::Parse(kVersions[i - 1]), Version::Parse(kVersions[i]));
  }
  EXPECT_EQ(kVersions.back(), kCurrentVersion);
}

TEST(Version, FillsMissingPartsWithZero) {
  EXPECT_EQ(Version::Parse("1"), (Version{1, 0, 0}));
  EXPECT_EQ(Version::Parse("1.2"), (Version{1, 2, 0}));
  EXPECT_EQ(Version::Parse("10.20.30"), (Version{10, 20, 30}));
  EXPECT_EQ(Version::Parse(""), (Version{0, 1, 0}));
}

TEST(Version, RefusesWhatIsNoVersion) {
  const auto parse = [](const char* text) { return [text] { Version::Parse(text); }; };
  EXPECT_EQ(Thrown(parse("1.2.3.4")), "6 invalid version \"1.2.3.4\": too many parts");
  EXPECT_EQ(Thrown(parse("x")), "6 failed to convert major version part \"x\": invalid syntax");
  EXPECT_EQ(Thrown(parse("1.y")), "6 failed to convert minor version part \"y\": invalid syntax");
  EXPECT_EQ(Thrown(parse("1.2.")), "6 failed to convert micro version part \"\": invalid syntax");
  EXPECT_EQ(Thrown(parse("-1")), "6 failed to convert major version part \"-1\": invalid syntax");
  EXPECT_EQ(Thrown(parse("99999999999")),
            "6 failed to convert major version part \"99999999999\": value out of range");
}

TEST(Version, KnowsTheFamilyOfEachVersionsResult) {
  EXPECT_EQ(FamilyOf(""), ResultFamily::k020);
  EXPECT_EQ(FamilyOf("0.1.0"), ResultFamily::k020);
  EXPECT_EQ(FamilyOf("0.2.0"), ResultFamily::k020);
  for (const char* version : {"0.3.0", "0.3.1", "0.4.0"}) {
    EXPECT_EQ(FamilyOf(version), ResultFamily::k040) << version;
  }
  EXPECT_EQ(FamilyOf("1.0.0"), ResultFamily::k100);
  EXPECT_EQ(FamilyOf("1.1.0"), ResultFamily::k100);
  EXPECT_EQ(Thrown([] { FamilyOf("1.2.0"); }), "1 unsupported CNI result version \"1.2.0\"");
}

std::string Gate(Verb verb, std::string_view config,
                 std::span<const std::string_view> supported = kVersions) {
  return Thrown([&] { CheckVersion(verb, config, supported); });
}

TEST(VersionGate, LetsEachVerbPassFromItsFirstVersionOn) {
  for (const std::string_view version : kVersions) {
    EXPECT_EQ(Gate(Verb::kAdd, version), "") << version;
    EXPECT_EQ(Gate(Verb::kDel, version), "") << version;
    EXPECT_EQ(Gate(Verb::kVersion, version), "") << version;
    EXPECT_EQ(Gate(Verb::kCheck, version).empty(), version >= "0.4.0") << version;
    EXPECT_EQ(Gate(Verb::kGc, version).empty(), version >= "1.1.0") << version;
    EXPECT_EQ(Gate(Verb::kStatus, version).empty(), version >= "1.1.0") << version;
  }
}

TEST(VersionGate, SaysWhichSideIsTooOld) {
  EXPECT_EQ(Gate(Verb::kCheck, "0.3.1"), "1 config version does not allow CHECK");
  EXPECT_EQ(Gate(Verb::kGc, "1.0.0"), "1 config version does not allow GC");
  EXPECT_EQ(Gate(Verb::kStatus, ""), "1 config version does not allow STATUS");
  EXPECT_EQ(Gate(Verb::kCheck, "1.0.0", kEarly), "1 plugin version does not allow CHECK");
  EXPECT_EQ(Gate(Verb::kGc, "1.1.0", kEarly), "1 plugin version does not allow GC");
  EXPECT_EQ(Gate(Verb::kStatus, "1.1.0", kEarly), "1 plugin version does not allow STATUS");
  EXPECT_EQ(Gate(Verb::kStatus, "1.2.0"), "1 plugin version does not allow STATUS");
}

TEST(VersionGate, ComparesForEqualityAndListsWhatThePluginSpeaks) {
  EXPECT_EQ(Gate(Verb::kAdd, "0.3.1", kEarly),
            "1 incompatible CNI versions | config is \"0.3.1\", plugin supports [\"0.3.0\" "
            "\"0.4.0\"]");
  EXPECT_EQ(Gate(Verb::kAdd, "", kEarly).substr(0, 55),
            "1 incompatible CNI versions | config is \"0.1.0\", plugin");
  EXPECT_EQ(Gate(Verb::kDel, "nonsense", kEarly).substr(0, 27), "1 incompatible CNI versions");
}

TEST(VersionGate, ReportsAVersionThatDoesNotParseAsADecodingFailure) {
  EXPECT_EQ(Gate(Verb::kCheck, "1.x"),
            "6 failed to convert minor version part \"x\": invalid syntax");
}

TEST(Verb, ParsesItsOwnNamesOnly) {
  for (const Verb verb :
       {Verb::kAdd, Verb::kDel, Verb::kCheck, Verb::kGc, Verb::kStatus, Verb::kVersion}) {
    EXPECT_EQ(ParseVerb(VerbName(verb)), verb);
  }
  EXPECT_EQ(ParseVerb("add"), Verb::kUnknown);
  EXPECT_EQ(ParseVerb(""), Verb::kUnknown);
}

}  // namespace
}  // namespace cnm::cni
