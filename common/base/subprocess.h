// subprocess.h: running a program with text on its standard input.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace cnm {

/// What to run. `environment` is complete: nothing is inherited. stderr is the caller's.
struct Command {
  std::string path;                       ///< of the program; PATH is not searched
  std::vector<std::string> arguments;     ///< argv[0] included
  std::vector<std::string> environment;   ///< "NAME=value"
  std::string_view input;                 ///< its stdin
  size_t output_limit = size_t{4} << 20;  ///< bytes of stdout; more is an error
  unsigned seconds = 50;                  ///< killed after this
};

struct CommandResult {
  int exit_status = 0;  ///< 128 + signal if it was killed
  std::string output;   ///< its stdout
};

/// Runs the command to its end. From then on this process ignores SIGPIPE, as a reader that went
/// away must be an error, not death.
/// A program that is still being written (ETXTBSY) is tried again for 5 s.
/// @throws Error kIo "run PATH: reason"; kTryAgain "run PATH: no answer after 50 s" when it took
/// longer: it is killed then
CommandResult Run(const Command& command);

}  // namespace cnm
