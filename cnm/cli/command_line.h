// command_line.h: a cnmctl command's options and arguments.
#pragma once

#include <string>
#include <vector>

#include <boost/program_options.hpp>

#include "cnm/cli/command_table.h"
#include "cnm/cli/commands.h"

namespace cnm::cli {

/// The options that a command takes, and --help, which sets `help`.
boost::program_options::options_description OptionsOf(const Command& command, Options& options,
                                                      bool& help);

/// Reads the words into what `described` describes, and the other words into options.arguments.
/// @throws std::exception that says what is wrong with them
void ParseWords(const std::vector<std::string>& words,
                const boost::program_options::options_description& described, Options& options);

/// @throws std::invalid_argument "want NETWORK NAME" when the command takes other arguments
void CheckArguments(const Command& command, const std::vector<std::string>& arguments);

}  // namespace cnm::cli
