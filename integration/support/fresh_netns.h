// fresh_netns.h: what a GoogleTest binary of the netns tier stands on: namespaces of its own, and
// strangers' tools to judge by.
#pragma once

#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <fstream>
#include <functional>
#include <string>
#include <thread>

#include <gtest/gtest.h>

namespace cnm::testing {

/// Runs a shell command in the calling thread's netns. @returns its standard output without the
/// last newline; a failing command fails the test
inline std::string Shell(const std::string& command) {
  FILE* const pipe = ::popen(command.c_str(), "r");
  if (pipe == nullptr) {
    ADD_FAILURE() << "cannot run " << command;
    return "";
  }
  std::string output;
  for (int c = std::fgetc(pipe); c != EOF; c = std::fgetc(pipe)) {
    output.push_back(static_cast<char>(c));
  }
  EXPECT_EQ(::pclose(pipe), 0) << command << "\n" << output;
  while (output.ends_with('\n')) output.pop_back();
  return output;
}

/// Whether a shell command succeeds.
inline bool Succeeds(const std::string& command) {
  const int status =
      std::system((command + " >/dev/null 2>&1").c_str());  // NOLINT: tests judge by tools
  return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

/// A network namespace besides the test's own; lives as long as this object.
class OtherNetns {
 public:
  OtherNetns() {
    std::thread maker([this] {
      if (::unshare(CLONE_NEWNET) == 0) fd_ = ::open("/proc/thread-self/ns/net", O_RDONLY);
    });
    maker.join();
    EXPECT_GE(fd_, 0) << "cannot make a network namespace";
    Shell(Inside("ip link set lo up"));
  }
  ~OtherNetns() { ::close(fd_); }
  OtherNetns(const OtherNetns&) = delete;
  OtherNetns& operator=(const OtherNetns&) = delete;

  int fd() const { return fd_; }
  std::string path() const {
    return "/proc/" + std::to_string(::getpid()) + "/fd/" + std::to_string(fd_);
  }
  /// The command that runs `command` in here.
  std::string Inside(const std::string& command) const {
    return "nsenter --net=" + path() + " " + command;
  }
  /// Runs `work` in here, on a thread of its own.
  void Run(const std::function<void()>& work) const {
    std::thread thread([&] {
      ASSERT_EQ(::setns(fd_, CLONE_NEWNET), 0);
      work();
    });
    thread.join();
  }

 private:
  int fd_ = -1;
};

/// A test in network and mount namespaces of its own, as root or, without root, in a user
/// namespace.
class NetnsTest : public ::testing::Test {
 protected:
  void SetUp() override {
    const uid_t uid = ::geteuid();
    const gid_t gid = ::getegid();
    if (uid != 0) {
      if (::unshare(CLONE_NEWUSER) != 0)
        GTEST_SKIP() << "no user namespaces for unprivileged users";
      std::ofstream("/proc/self/setgroups") << "deny";
      std::ofstream("/proc/self/uid_map") << "0 " << uid << " 1";
      std::ofstream("/proc/self/gid_map") << "0 " << gid << " 1";
    }
    ASSERT_EQ(::unshare(CLONE_NEWNET | CLONE_NEWNS), 0);
    ASSERT_EQ(::mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr), 0);
    ASSERT_EQ(::mount("sysfs", "/sys", "sysfs", 0, nullptr), 0);
    Shell("ip link set lo up");
  }
};

}  // namespace cnm::testing
