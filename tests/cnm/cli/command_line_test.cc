// command_line_test.cc: reading a cnmctl command's words; its tables.
#include "cnm/cli/command_line.h"

#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "cnm/cli/table.h"

namespace cnm::cli {
namespace {

using Words = std::vector<std::string>;

Command Taking(const char* arguments, const char* takes) {
  return {.words = "thing do",
          .arguments = arguments,
          .summary = "",
          .takes = takes,
          .run = nullptr,
          .explanation = ""};
}

Options Parse(const Words& words, const char* takes) {
  Options options;
  bool help = false;
  ParseWords(words, OptionsOf(Taking("NAME", takes), options, help), options);
  return options;
}

TEST(CommandLine, OptionsAndArgumentsMayBeMixed) {
  const Options options = Parse({"--subnet", "a", "blue", "--subnet=b", "--json"}, "subnet json");
  EXPECT_EQ(options.subnets, Words({"a", "b"}));
  EXPECT_EQ(options.arguments, Words({"blue"}));
  EXPECT_TRUE(options.json);
  EXPECT_EQ(Parse({"--tail", "7"}, "tail").tail, 7U);
}

TEST(CommandLine, TlsGoesWithTheSocket) {
  const Options options =
      Parse({"--socket", "tcp://h:1", "--tlsverify", "--tlskey", "/k"}, "socket");
  EXPECT_TRUE(options.tls.verify);
  EXPECT_EQ(options.tls.files.key, "/k");
  EXPECT_THROW(Parse({"--tlsverify"}, "json"), std::exception);
}

TEST(CommandLine, AnOptionOfOthersIsRefused) {
  EXPECT_THROW(Parse({"--json"}, "subnet"), std::exception);
  EXPECT_THROW(Parse({"--tail", "x"}, "tail"), std::exception);
  EXPECT_THROW(Parse({"--subnet"}, "subnet"), std::exception);
}

std::string Complaint(const char* wanted, const Words& arguments) {
  try {
    CheckArguments(Taking(wanted, ""), arguments);
    return "";
  } catch (const std::exception& error) {
    return error.what();
  }
}

TEST(CommandLine, ArgumentsAreCounted) {
  EXPECT_EQ(Complaint("", {}), "");
  EXPECT_EQ(Complaint("", {"x"}), "thing do: takes no argument, got x");
  EXPECT_EQ(Complaint("NETWORK NAME", {"a", "b"}), "");
  EXPECT_EQ(Complaint("NETWORK NAME", {"a"}),
            "thing do: want NETWORK NAME (cnmctl thing do --help)");
  EXPECT_EQ(Complaint("NETWORK...", {"a", "b", "c"}), "");
  EXPECT_NE(Complaint("NETWORK...", {}), "");
}

TEST(Table, ColumnsAreAsWideAsTheirWidestCell) {
  Table table({"A", "LONG", "Z"});
  EXPECT_TRUE(table.empty());
  table.Add({"wide", "", "end"});
  EXPECT_EQ(table.ToString(),
            "A     LONG  Z\n"
            "wide  -     end\n");
}

}  // namespace
}  // namespace cnm::cli
