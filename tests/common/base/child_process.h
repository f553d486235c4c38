// child_process.h: a forked process that a test tells when to go on, and temporary directories for
// its files.
#pragma once

#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <string>

#include <gtest/gtest.h>

#include "common/base/fd.h"

namespace cnm {

/// Runs `work` in a forked process, which exits 0 when it returns and 1 when it throws. The two
/// talk in single bytes. Killed when destroyed.
class ChildProcess {
 public:
  /// The child's end of the conversation.
  struct Parent {
    int from;
    int to;
    void Tell() const { EXPECT_EQ(::write(to, "!", 1), 1); }
    /// Blocks until told, or until the parent is gone.
    void Await() const {
      char byte = 0;
      EXPECT_GE(::read(from, &byte, 1), 0);
    }
  };

  explicit ChildProcess(const std::function<void(const Parent&)>& work) {
    std::array<int, 2> down{};
    std::array<int, 2> up{};
    if (::pipe(down.data()) != 0 || ::pipe(up.data()) != 0) std::abort();
    pid_ = ::fork();
    if (pid_ == 0) {
      ::close(down[1]);
      ::close(up[0]);
      int status = 0;
      try {
        work({down[0], up[1]});
      } catch (const std::exception&) {
        status = 1;
      }
      ::_exit(status);
    }
    ::close(down[0]);
    ::close(up[1]);
    to_ = Fd(down[1]);
    from_ = Fd(up[0]);
  }
  ChildProcess(const ChildProcess&) = delete;
  ChildProcess& operator=(const ChildProcess&) = delete;
  ~ChildProcess() { Kill(); }

  void Tell() { EXPECT_EQ(::write(to_.get(), "!", 1), 1); }
  /// Whether the child tells within the time; consumes what it told.
  bool Told(int milliseconds = 10'000) {
    pollfd readable{from_.get(), POLLIN, 0};
    char byte = 0;
    return ::poll(&readable, 1, milliseconds) == 1 && ::read(from_.get(), &byte, 1) == 1;
  }
  /// Its exit status; 128 + signal when killed.
  int Wait() {
    int status = 0;
    if (::waitpid(pid_, &status, 0) != pid_) return -1;
    pid_ = -1;
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  }
  void Kill() {
    if (pid_ <= 0) return;
    ::kill(pid_, SIGKILL);
    Wait();
  }

 private:
  pid_t pid_ = -1;
  Fd to_;
  Fd from_;
};

/// A test with a directory of its own, removed afterwards.
class DirectoryTest : public ::testing::Test {
 protected:
  DirectoryTest() {
    directory_ = ::testing::TempDir() + "cnm-XXXXXX";
    if (::mkdtemp(directory_.data()) == nullptr) std::abort();
  }
  ~DirectoryTest() override { std::filesystem::remove_all(directory_); }
  std::string Path(const std::string& name) const { return directory_ + "/" + name; }

 private:
  std::string directory_;
};

}  // namespace cnm
