// subprocess.cc: running a program with text on its standard input.
#include "common/base/subprocess.h"

#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "common/base/error.h"
#include "common/base/fd.h"

namespace cnm {
namespace {

using Clock = std::chrono::steady_clock;

struct Pipe {
  Fd read;
  Fd write;
};

Pipe MakePipe(const std::string& path) {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) {
    throw SystemError(Code::kIo, fmt::format("run {}", path), errno);
  }
  return {Fd(ends[0]), Fd(ends[1])};
}

std::vector<char*> Pointers(const std::vector<std::string>& strings) {
  std::vector<char*> pointers;
  pointers.reserve(strings.size() + 1);
  for (const std::string& s : strings) pointers.push_back(const_cast<char*>(s.c_str()));
  pointers.push_back(nullptr);
  return pointers;
}

/// Repeats `spawn` while the program is still being written (ETXTBSY): somebody is installing it.
/// The kernel announces nothing when it is done, so we ask again.
template <class SpawnFunction>
int RetryWhileBusy(SpawnFunction spawn) {
  constexpr std::chrono::seconds kInstallTime(5);
  constexpr int kAskAgainMilliseconds = 20;
  const auto give_up = Clock::now() + kInstallTime;
  int rc = spawn();
  while (rc == ETXTBSY && Clock::now() < give_up) {
    ::poll(nullptr, 0, kAskAgainMilliseconds);
    rc = spawn();
  }
  return rc;
}

pid_t Spawn(const Command& command, int in, int out) {
  posix_spawn_file_actions_t actions;
  ::posix_spawn_file_actions_init(&actions);
  ::posix_spawn_file_actions_adddup2(&actions, in, STDIN_FILENO);
  ::posix_spawn_file_actions_adddup2(&actions, out, STDOUT_FILENO);
  posix_spawnattr_t attributes;
  ::posix_spawnattr_init(&attributes);
  sigset_t defaults;
  sigemptyset(&defaults);
  sigaddset(&defaults, SIGPIPE);  // ignored here while feeding it; the program gets the default
  ::posix_spawnattr_setsigdefault(&attributes, &defaults);
  ::posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGDEF);
  const std::vector<char*> arguments = Pointers(command.arguments);
  const std::vector<char*> environment = Pointers(command.environment);
  pid_t pid = -1;
  const int rc = RetryWhileBusy([&] {
    return ::posix_spawn(&pid, command.path.c_str(), &actions, &attributes, arguments.data(),
                         environment.data());
  });
  ::posix_spawnattr_destroy(&attributes);
  ::posix_spawn_file_actions_destroy(&actions);
  if (rc != 0) throw SystemError(Code::kIo, fmt::format("run {}", command.path), rc);
  return pid;
}

/// poll(2) until something happens. @throws Error kTryAgain at the deadline
void PollUntil(Clock::time_point deadline, std::span<pollfd> fds, const Command& command) {
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - Clock::now());
  if (left.count() <= 0 || ::poll(fds.data(), fds.size(), static_cast<int>(left.count())) == 0) {
    throw Error(Code::kTryAgain,
                fmt::format("run {}: no answer after {} s", command.path, command.seconds));
  }
}

/// Feeds stdin and drains stdout together, so that neither side can block the other.
class Conversation {
 public:
  Conversation(const Command& command, Fd in, Fd out)
      : command_(command), rest_(command.input), in_(std::move(in)), out_(std::move(out)) {
    ::fcntl(in_.get(), F_SETFL, O_NONBLOCK);
    if (rest_.empty()) in_.Close();
  }

  /// The program's output, complete when it closes its stdout.
  /// @throws Error kTryAgain at the deadline, kIo when the output is too large
  std::string Hold(Clock::time_point deadline) {
    while (out_) {
      std::array<pollfd, 2> fds{{{out_.get(), POLLIN, 0}, {in_.get(), POLLOUT, 0}}};
      PollUntil(deadline, fds, command_);
      if (fds[1].revents != 0) Feed();
      if (fds[0].revents != 0) Drain();
    }
    return std::move(output_);
  }

 private:
  void Feed() {
    const ssize_t n = ::write(in_.get(), rest_.data(), rest_.size());
    if (n > 0) rest_.remove_prefix(static_cast<size_t>(n));
    if (rest_.empty() || (n < 0 && errno != EAGAIN && errno != EINTR)) in_.Close();
  }

  void Drain() {
    std::array<char, 8192> chunk;  // NOLINT(cppcoreguidelines-pro-type-member-init)
    const ssize_t n = ::read(out_.get(), chunk.data(), chunk.size());
    if (n < 0 && errno == EINTR) return;
    if (n <= 0) {
      out_.Close();
      return;
    }
    output_.append(chunk.data(), static_cast<size_t>(n));
    if (output_.size() > command_.output_limit) {
      throw Error(Code::kIo, fmt::format("run {}: printed more than {} bytes", command_.path,
                                         command_.output_limit));
    }
  }

  const Command& command_;
  std::string_view rest_;
  std::string output_;
  Fd in_;
  Fd out_;
};

/// A program may close its stdout and go on; it gets no longer than the deadline for both.
void AwaitEnd(pid_t pid, Clock::time_point deadline, const Command& command) {
  const Fd process(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)));
  if (!process) return;  // Linux < 5.3: the wait that follows has no deadline
  pollfd ended{process.get(), POLLIN, 0};
  while (ended.revents == 0) PollUntil(deadline, {&ended, 1}, command);
}

int Wait(pid_t pid) {
  int status = 0;
  while (::waitpid(pid, &status, 0) < 0 && errno == EINTR) continue;
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

}  // namespace

CommandResult Run(const Command& command) {
  ::signal(SIGPIPE, SIG_IGN);  // a program that does not read its stdin must not kill us
  Pipe in = MakePipe(command.path);
  Pipe out = MakePipe(command.path);
  const pid_t pid = Spawn(command, in.read.get(), out.write.get());
  in.read.Close();
  out.write.Close();
  const auto deadline = Clock::now() + std::chrono::seconds(command.seconds);
  CommandResult result;
  try {
    result.output = Conversation(command, std::move(in.write), std::move(out.read)).Hold(deadline);
    AwaitEnd(pid, deadline, command);
  } catch (const Error&) {
    ::kill(pid, SIGKILL);
    Wait(pid);
    throw;
  }
  result.exit_status = Wait(pid);
  return result;
}

}  // namespace cnm
