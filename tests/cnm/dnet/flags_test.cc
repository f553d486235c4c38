// flags_test.cc: command lines as dnet always understood them.
#include "cnm/dnet/flags.h"

#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "common/base/error.h"

namespace cnm::dnet {
namespace {

using Words = std::vector<std::string>;

struct Given {
  std::string driver = "default";
  bool quiet = false;
  Words list;
  Words arguments;
};

Given Parsed(const Words& words, bool leading = false) {
  Given given;
  Flags flags;
  flags.Text("-d --driver", given.driver, "driver");
  flags.Bool("-q --quiet #--silent", given.quiet, "quiet");
  flags.List("-opt --opt", given.list, "options");
  given.arguments = flags.Parse(words, leading);
  return given;
}

std::string Failure(const Words& words) {
  try {
    Parsed(words);
  } catch (const Error& error) {
    return error.message();
  }
  return "none";
}

TEST(Flags, EveryFormOfAValue) {
  for (const Words& words : {Words{"-d", "x", "a"}, Words{"-d=x", "a"}, Words{"--driver", "x", "a"},
                             Words{"a", "--driver=x"}}) {
    EXPECT_EQ(Parsed(words).driver, "x");
    EXPECT_EQ(Parsed(words).arguments, Words{"a"});
  }
  EXPECT_EQ(Parsed({"-d="}).driver, "");
  EXPECT_EQ(Parsed({}).driver, "default");
  EXPECT_EQ(Parsed({"--opt", "a=b", "-opt=c"}).list, (Words{"a=b", "c"}));
}

TEST(Flags, BooleansAndHiddenNames) {
  EXPECT_TRUE(Parsed({"-q"}).quiet);
  EXPECT_TRUE(Parsed({"--silent"}).quiet);
  EXPECT_FALSE(Parsed({"-q", "--quiet=false"}).quiet);
}

TEST(Flags, ArgumentsBehindTwoDashesAndBehindTheFirst) {
  EXPECT_EQ(Parsed({"--", "-q", "x"}).arguments, (Words{"-q", "x"}));
  EXPECT_EQ(Parsed({"-q", "ls", "-d", "x"}, true).arguments, (Words{"ls", "-d", "x"}));
  EXPECT_EQ(Parsed({"-"}).arguments, Words{"-"});
}

TEST(Flags, WhatIsWrongIsSaid) {
  EXPECT_EQ(Failure({"-f="}), "flag provided but not defined: -f");
  EXPECT_EQ(Failure({"a", "-d"}), "flag needs an argument: -d");
  EXPECT_EQ(Failure({"-q=maybe"}), "invalid boolean value \"maybe\" for -q");
}

}  // namespace
}  // namespace cnm::dnet
