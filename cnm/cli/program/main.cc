// main.cc: cnmctl, the operator's window into cnm.
#include <algorithm>
#include <cstdio>
#include <exception>
#include <sstream>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <boost/program_options.hpp>

#include "cnm/cli/command_line.h"
#include "cnm/cli/command_table.h"
#include "cnm/cli/commands.h"
#include "common/base/error.h"

namespace {

namespace po = boost::program_options;
using cnm::cli::Command;
using cnm::cli::Options;

void PrintHelp(const Command& command, const po::options_description& options) {
  std::ostringstream described;
  described << options;
  std::fputs(fmt::format("cnmctl {}{}{} [OPTIONS]: {}\n\n{}\n{}", command.words,
                         *command.arguments == 0 ? "" : " ", command.arguments, command.summary,
                         command.explanation, described.str())
                 .c_str(),
             stdout);
}

/// The command whose words the arguments begin with; nullptr if none. Those words are taken off.
const Command* TakeCommand(std::vector<std::string>& arguments) {
  for (const Command& command : cnm::cli::Commands()) {
    const std::string words = command.words;
    const size_t count = words.find(' ') == std::string::npos ? 1 : 2;
    if (arguments.size() < count) continue;
    std::string given = arguments[0];
    if (count == 2) given += " " + arguments[1];
    if (given != words) continue;
    arguments.erase(arguments.begin(), arguments.begin() + static_cast<std::ptrdiff_t>(count));
    return &command;
  }
  return nullptr;
}

bool IsHelp(const std::string& word) {
  return word == "--help" || word == "-h" || word == "help";
}

/// What to do about words that are no command: of "network" the commands are shown.
/// @returns the exit code
int Guide(const std::vector<std::string>& arguments) {
  const bool noun = cnm::cli::IsNoun(arguments[0]);
  const std::string overview = cnm::cli::Overview(noun ? arguments[0] : "");
  if (noun && arguments.size() > 1 && IsHelp(arguments[1])) {
    std::fputs(overview.c_str(), stdout);
    return 0;
  }
  std::fputs(
      fmt::format("cnmctl: no such command: {}\n\n{}", fmt::join(arguments, " "), overview).c_str(),
      stderr);
  return 2;
}

int Run(std::vector<std::string> arguments) {
  // "help network create" is "network create --help".
  if (arguments.size() > 1 && arguments[0] == "help") {
    std::rotate(arguments.begin(), arguments.begin() + 1, arguments.end());
    arguments.back() = "--help";
  }
  if (arguments.empty() || IsHelp(arguments[0])) {
    std::fputs(cnm::cli::Overview().c_str(), stdout);
    return 0;
  }
  if (arguments[0] == "--version") {
    std::puts("cnmctl " CNM_VERSION);
    return 0;
  }
  const Command* command = TakeCommand(arguments);
  if (command == nullptr) return Guide(arguments);
  Options options;
  bool help = false;
  const po::options_description described = cnm::cli::OptionsOf(*command, options, help);
  cnm::cli::ParseWords(arguments, described, options);
  if (help) {
    PrintHelp(*command, described);
    return 0;
  }
  cnm::cli::CheckArguments(*command, options.arguments);
  return command->run(options);
}

}  // namespace

int main(int argc, char** argv) {
  try {
    return Run({argv + 1, argv + argc});
  } catch (const cnm::Error& e) {
    std::fputs(
        fmt::format("cnmctl: {}{}{}\n", e.message(), e.details().empty() ? "" : "; ", e.details())
            .c_str(),
        stderr);
    return 1;
  } catch (const std::exception& e) {
    std::fputs(fmt::format("cnmctl: {}\n", e.what()).c_str(), stderr);
    return 2;
  }
}
