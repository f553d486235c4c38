// command_table.h: what cnmctl's commands are called, take and tell about themselves.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "cnm/cli/commands.h"

namespace cnm::cli {

/// One command: the words that name it, the arguments and options it takes, and what it tells the
/// reader.
struct Command {
  const char* words;
  const char* arguments;  ///< "NETWORK NAME"; "NETWORK..." is one or more; "" = none
  const char* summary;
  const char* takes;  ///< names of its options, separated by spaces
  int (*run)(const Options&);
  const char* explanation;
};

/// In the order they are shown.
std::span<const Command> Commands();

/// What "cnmctl --help" prints; of the commands of one noun only ("network") if it is not "".
std::string Overview(std::string_view noun = {});

/// Whether there are commands that begin with this word and go on.
bool IsNoun(std::string_view word);

}  // namespace cnm::cli
