// command_table_test.cc: that cnmctl's commands and what they tell about themselves agree.
#include "cnm/cli/command_table.h"

#include <set>
#include <sstream>
#include <string>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "cnm/cli/command_line.h"

namespace cnm::cli {
namespace {

TEST(CommandTable, EveryCommandIsInTheOverviewOnceAndHasAnExample) {
  std::set<std::string> seen;
  for (const Command& command : Commands()) {
    EXPECT_TRUE(seen.insert(command.words).second) << command.words;
    const std::string line = fmt::format("\n  cnmctl {:<17}  {}\n", command.words, command.summary);
    EXPECT_NE(Overview().find(line), std::string::npos) << line;
    const std::string example = fmt::format("  cnmctl {}", command.words);
    EXPECT_NE(std::string(command.explanation).find(example), std::string::npos) << command.words;
  }
}

TEST(CommandTable, NoLineIsTooLongForATerminal) {
  for (const Command& command : Commands()) {
    std::istringstream lines(command.explanation);
    for (std::string line; std::getline(lines, line);) EXPECT_LE(line.size(), 100U) << line;
  }
}

TEST(CommandTable, EveryOptionItNamesIsOne) {
  for (const Command& command : Commands()) {
    Options options;
    bool help = false;
    const auto described = OptionsOf(command, options, help);
    std::istringstream names(command.takes);
    for (std::string name; names >> name;) {
      EXPECT_NE(described.find_nothrow(name, false), nullptr) << command.words << " " << name;
    }
  }
}

TEST(CommandTable, WhatAsksTheDaemonMayBeToldWhereItIsAndHow) {
  for (const Command& command : Commands()) {
    Options options;
    bool help = false;
    const auto described = OptionsOf(command, options, help);
    const bool asks = described.find_nothrow("socket", false) != nullptr;
    EXPECT_EQ(asks, described.find_nothrow("tlsverify", false) != nullptr) << command.words;
    EXPECT_TRUE(asks || described.find_nothrow("run-dir", false) != nullptr) << command.words;
  }
}

TEST(Overview, OfANounHasItsCommandsOnly) {
  EXPECT_TRUE(IsNoun("network"));
  EXPECT_FALSE(IsNoun("gc"));
  EXPECT_FALSE(IsNoun("net"));
  const std::string text = Overview("network");
  EXPECT_NE(text.find("cnmctl network ls "), std::string::npos) << text;
  EXPECT_NE(text.find("cnmctl network create "), std::string::npos) << text;
  EXPECT_EQ(text.find("cnmctl service"), std::string::npos) << text;
}

}  // namespace
}  // namespace cnm::cli
