// Starts the processes of a plan and measures each with wait4: the same small cost for every
// contender.
#pragma once

#include <string>

namespace cnm::bench {

/// Runs the plan in the file `path`, one process after the other, or all of them at once if
/// `parallel`.
///
/// A line of the plan is one process; its fields are separated by tabs:
///   the network namespace to start it in (a path, `-` = the launcher's) · the file that is its
///   stdin · the file that takes its stdout and stderr · any number of NAME=VALUE (its whole
///   environment) · `--` · the program's path and its arguments.
///
/// Prints one line per process, in the plan's order, when all are done: wall time (ns, from before
/// posix_spawn until it is reaped), CPU time (µs, user and system), largest resident set (KiB, its
/// children's included, never below the launcher's own: see setmax_mm_hiwater_rss in the kernel's
/// exec), exit status (128 + signal if killed). Then `wall NS`: the time from the first start to
/// the last end.
/// @returns the exit status of the launcher: 0, or 1 if the plan cannot be read.
int RunPlan(const std::string& path, bool parallel);

}  // namespace cnm::bench
