// main.cc: the life of one plugin process.
#include "plugins/cni/main.h"

#include <sys/stat.h>

#include <csignal>
#include <exception>
#include <optional>

#include <fmt/format.h>

#include "common/base/atomic_file.h"
#include "common/base/error.h"
#include "common/base/log.h"
#include "common/base/step_times.h"
#include "common/netns/netns.h"
#include "plugins/cni/call.h"
#include "plugins/cni/call_log.h"
#include "plugins/cni/delegate.h"
#include "plugins/cni/error.h"
#include "plugins/cni/version.h"

namespace cnm::cni {
namespace {

using netns::NetNs;

constexpr size_t kLargestInput = size_t{4} << 20;

/// Standard output as the protocol wants it: one document and never a second, even if the first was
/// cut short.
class Output {
 public:
  explicit Output(int fd) : fd_(fd) {}
  bool used() const { return used_; }
  void Write(std::string_view document) {
    used_ = true;
    WriteAll(fd_, document, "stdout");
  }

 private:
  int fd_;
  bool used_ = false;
};

std::string Joined(std::span<const std::string_view> words, std::string_view separator) {
  return fmt::format("{}", fmt::join(words, separator));
}

int PrintAbout(const Plugin& plugin, const World& world) {
  WriteAll(
      world.err,
      fmt::format("CNI {} plugin {}\ncnm {}\nCNI protocol versions supported: {}\n", plugin.name,
                  plugin.reference, world.program_version, Joined(plugin.versions, ", ")),
      "stderr");
  return 0;
}

int PrintVersions(const Plugin& plugin, const World& world) {
  WriteAll(world.out,
           fmt::format("{{\"cniVersion\":\"{}\",\"supportedVersions\":[\"{}\"]}}\n",
                       kCurrentVersion, Joined(plugin.versions, "\",\"")),
           "stdout");
  return 0;
}

/// Fills in the call from what the process was given.
void Read(const World& world, Call& call) {
  DecodeEnvironment(world.environment, call);
  try {
    call.config = ReadAll(world.in, kLargestInput, "network configuration");
  } catch (Error& e) {
    if (e.code() == Code::kIo) e.AddContext("error reading from stdin");
    if (call.verb != Verb::kDel) throw;
    Warn(fmt::format("DEL goes on: {}", e.message()));
  }
  DecodeConfig(call);
  call.runtime = RuntimeExecutable();
  call.steps.Mark("read");
}

bool IsSame(const std::string& path, const NetNs& netns) {
  struct stat status {};
  return ::stat(path.c_str(), &status) == 0 &&
         netns::Identity{status.st_dev, status.st_ino} == netns.identity();
}

/// Refuses to work on `own`, the netns we run in. A DEL goes on as if the container's were gone:
/// the path of a dead process may have become a host process's.
void RefuseOwnNetns(const NetNs& own, Call& call) {
  if (call.netns.empty() || call.netns_override || !IsSame(call.netns, own)) return;
  constexpr std::string_view kMessage =
      "plugin's netns and netns from CNI_NETNS should not be the same";
  if (call.verb != Verb::kDel) throw Error(Code::kNetns, std::string(kMessage), call.netns);
  Warn(fmt::format("DEL goes on without it: {}: {}", kMessage, call.netns));
  call.netns.clear();
}

/// Undoes an ADD whose result nobody will read. The ADD may have entered the container's netns; DEL
/// starts in the host's.
void Undo(const Plugin& plugin, const Call& call, const NetNs& host) noexcept {
  try {
    if (netns::CurrentIdentity() != host.identity()) host.Enter();
    Call undo = call;
    undo.verb = Verb::kDel;
    Dispatch(plugin, undo);
  } catch (const std::exception& e) {
    Warn(fmt::format("undo ADD: {}", e.what()));
  }
}

void Work(const Plugin& plugin, Call& call, Output& output) {
  if (call.verb == Verb::kGc || call.verb == Verb::kStatus) {
    Dispatch(plugin, call);
    return;
  }
  const NetNs host = NetNs::Current();
  RefuseOwnNetns(host, call);
  call.own_netns = &host;
  const std::optional<Result> result = Dispatch(plugin, call);
  if (!result) return;
  try {
    output.Write(PrintResult(*result, call.version));
  } catch (const Error&) {
    Undo(plugin, call, host);
    throw;
  }
  call.steps.Mark("print");
}

/// The version an error carries: the configuration's if it is known and the plugin speaks it.
std::string_view ErrorVersion(const Plugin& plugin, const Call& call) {
  if (!call.conf) return kCurrentVersion;
  for (const std::string_view version : plugin.versions) {
    if (version == call.version) return version;
  }
  return kCurrentVersion;
}

/// Prints the error where it can still be read. @returns how the log names it
Ending Report(const Plugin& plugin, const Call& call, const Error& error, Output& output) {
  Ending ending{.number = NumberOf(error), .message = error.message()};
  try {
    if (!output.used()) {
      output.Write(PrintError(error, ErrorVersion(plugin, call)));
      return ending;
    }
    Warn(error.message());
  } catch (const Error& e) {
    Warn(fmt::format("{}; {}", error.message(), e.message()));
  }
  return ending;
}

Ending Serve(const Plugin& plugin, const World& world, Call& call) {
  Output output(world.out);
  try {
    Read(world, call);
    if (call.verb == Verb::kUnknown) {
      throw Error(Code::kEnvironment,
                  fmt::format("unknown CNI_COMMAND: {}", world.environment.Get("CNI_COMMAND")));
    }
    Work(plugin, call, output);
    return {};
  } catch (const Error& e) {
    return Report(plugin, call, e, output);
  } catch (const std::exception& e) {
    return Report(plugin, call, Error(Code::kInternal, e.what()), output);
  }
}

int ServeAndLog(const Plugin& plugin, const World& world, Verb verb) {
  ::signal(SIGPIPE, SIG_IGN);  // a reader that is gone must become an error that is undone
  StepTimes steps;
  const Delegates delegates(world.registry, world.environment);
  Call call{.verb = verb, .steps = steps, .delegates = delegates};
  Ending ending = Serve(plugin, world, call);
  ending.verb = world.environment.Get("CNI_COMMAND");
  AppendToLog(world.log_directory, LogLine(call, plugin.name, ending));
  return ending.number == 0 ? 0 : 1;
}

}  // namespace

int Main(const Plugin& plugin, const World& world) {
  const std::string_view command = world.environment.Get("CNI_COMMAND");
  const Verb verb = ParseVerb(command);
  try {
    if (command.empty()) return PrintAbout(plugin, world);
    if (verb == Verb::kVersion) return PrintVersions(plugin, world);
    return ServeAndLog(plugin, world, verb);
  } catch (const std::exception& e) {
    Warn(e.what());
    return 1;
  }
}

}  // namespace cnm::cni
