// The launcher: see launcher.h. Everything but posix_spawn and wait4 happens outside the measured
// time.
#include "integration/bench/launcher.h"

#include <fcntl.h>
#include <sched.h>
#include <spawn.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <deque>
#include <memory>
#include <string_view>
#include <vector>

#include <fmt/format.h>

#include "integration/bench/raw_netlink.h"

namespace cnm::bench {
namespace {

using Clock = std::chrono::steady_clock;

struct Closer {
  void operator()(std::FILE* file) const noexcept { std::fclose(file); }
};

std::string ReadAll(const std::string& path) {
  const std::unique_ptr<std::FILE, Closer> file(std::fopen(path.c_str(), "re"));
  if (!file) Die(path, errno);
  std::string text;
  for (int c = std::getc(file.get()); c != EOF; c = std::getc(file.get()))
    text += static_cast<char>(c);
  return text;
}

std::vector<std::string> Split(std::string_view text, char separator) {
  std::vector<std::string> parts;
  while (!text.empty()) {
    const std::size_t end = text.find(separator);
    parts.emplace_back(text.substr(0, end));
    if (end == std::string_view::npos) break;
    text.remove_prefix(end + 1);
  }
  return parts;
}

/// One process of the plan and, once it has ended, what it took.
struct Process {
  std::vector<std::string> fields;
  std::vector<char*> environment;
  std::vector<char*> arguments;
  posix_spawn_file_actions_t files;

  pid_t pid = -1;
  Clock::time_point start;
  std::int64_t wall_ns = 0;
  std::int64_t cpu_us = 0;
  long resident_kib = 0;
  int status = 0;
};

void Prepare(Process& process) {
  std::size_t i = 3;
  for (; i < process.fields.size() && process.fields[i] != "--"; ++i) {
    process.environment.push_back(process.fields[i].data());
  }
  for (++i; i < process.fields.size(); ++i) process.arguments.push_back(process.fields[i].data());
  if (process.arguments.empty()) Die("plan", EINVAL);
  process.environment.push_back(nullptr);
  process.arguments.push_back(nullptr);
  posix_spawn_file_actions_init(&process.files);
  posix_spawn_file_actions_addopen(&process.files, 0, process.fields[1].c_str(), O_RDONLY, 0);
  posix_spawn_file_actions_addopen(&process.files, 1, process.fields[2].c_str(),
                                   O_WRONLY | O_CREAT | O_TRUNC, 0600);
  posix_spawn_file_actions_adddup2(&process.files, 1, 2);
}

// A deque: the argument vectors point into the processes' own strings.
std::deque<Process> ReadPlan(const std::string& path) {
  std::deque<Process> plan;
  for (const std::string& line : Split(ReadAll(path), '\n')) {
    Process& process = plan.emplace_back();
    process.fields = Split(line, '\t');
    if (process.fields.size() < 5) Die(fmt::format("plan line {}", plan.size()), EINVAL);
    Prepare(process);
  }
  return plan;
}

void EnterHost(const std::string& path) {
  static std::string current = "-";
  if (path == current) return;
  const int fd = ::open(path == "-" ? "/proc/1/ns/net" : path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0 || ::setns(fd, CLONE_NEWNET) != 0) Die(path, errno);
  ::close(fd);
  current = path;
}

void Start(Process& process) {
  EnterHost(process.fields[0]);
  process.start = Clock::now();
  const int error = ::posix_spawn(&process.pid, process.arguments[0], &process.files, nullptr,
                                  process.arguments.data(), process.environment.data());
  if (error != 0) Die(process.arguments[0], error);
}

std::int64_t Microseconds(const timeval& time) {
  return time.tv_sec * 1000000L + time.tv_usec;
}

void Reap(Process& process, int status, const rusage& usage) {
  process.wall_ns = std::chrono::nanoseconds(Clock::now() - process.start).count();
  process.cpu_us = Microseconds(usage.ru_utime) + Microseconds(usage.ru_stime);
  process.resident_kib = usage.ru_maxrss;
  process.status = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

void RunInTurn(std::deque<Process>& plan) {
  for (Process& process : plan) {
    Start(process);
    int status = 0;
    rusage usage{};
    if (::wait4(process.pid, &status, 0, &usage) < 0) Die("wait4", errno);
    Reap(process, status, usage);
  }
}

void RunAtOnce(std::deque<Process>& plan) {
  for (Process& process : plan) Start(process);
  for (std::size_t left = plan.size(); left > 0;) {
    int status = 0;
    rusage usage{};
    const pid_t pid = ::wait4(-1, &status, 0, &usage);
    if (pid < 0) Die("wait4", errno);
    for (Process& process : plan) {
      if (process.pid != pid) continue;
      Reap(process, status, usage);
      --left;
    }
  }
}

}  // namespace

int RunPlan(const std::string& path, bool parallel) {
  std::deque<Process> plan = ReadPlan(path);
  const Clock::time_point start = Clock::now();
  if (parallel) {
    RunAtOnce(plan);
  } else {
    RunInTurn(plan);
  }
  const std::int64_t wall = std::chrono::nanoseconds(Clock::now() - start).count();
  for (const Process& process : plan) {
    fmt::print("{} {} {} {}\n", process.wall_ns, process.cpu_us, process.resident_kib,
               process.status);
  }
  fmt::print("wall {}\n", wall);
  return 0;
}

}  // namespace cnm::bench
