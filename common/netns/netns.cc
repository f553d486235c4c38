// netns.cc: network namespaces as values.
#include "common/netns/netns.h"

#include <fcntl.h>
#include <linux/magic.h>
#include <linux/nsfs.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/vfs.h>

#include <cctype>
#include <cerrno>

#include <fmt/format.h>

#include "common/base/error.h"

namespace cnm::netns {
namespace {

constexpr const char* kOwnPath = "/proc/thread-self/ns/net";

/// The texts of the reference come from Go, which writes the same words in lower case.
std::string GoText(int err) {
  std::string text(ErrnoText(err));
  text.front() = static_cast<char>(std::tolower(static_cast<unsigned char>(text.front())));
  return text;
}

struct Opened {
  Fd fd;
  Identity identity;
  std::string problem;  // why it is not a network namespace; "" = it is one
};

Opened MakeProblem(std::string problem) {
  Opened opened;
  opened.problem = std::move(problem);
  return opened;
}

/// @throws Error kNetns for what says nothing about the path (out of descriptors, no permission)
Opened TryPath(const std::string& path) {
  // Before opening: open(2) of a pipe would wait, of a device do who knows what.
  struct statfs file_system {};
  if (::statfs(path.c_str(), &file_system) != 0) {
    const int err = errno;
    std::string text = fmt::format("failed to Statfs \"{}\": {}", path, GoText(err));
    if (err == ENOENT || err == ENOTDIR) return MakeProblem(std::move(text));
    throw Error(Code::kNetns, std::move(text));
  }
  const auto magic = static_cast<uint64_t>(file_system.f_type);
  if (magic != NSFS_MAGIC && magic != PROC_SUPER_MAGIC) {
    return MakeProblem(fmt::format("unknown FS magic on \"{}\": {:x}", path, magic));
  }
  Opened opened;
  opened.fd = Fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (!opened.fd) {
    const int err = errno;
    std::string text = fmt::format("failed to open \"{}\": {}", path, GoText(err));
    if (err == ENOENT || err == ENOTDIR) return MakeProblem(std::move(text));
    throw Error(Code::kNetns, std::move(text));
  }
  if (::ioctl(opened.fd.get(), NS_GET_NSTYPE) != CLONE_NEWNET) {
    return MakeProblem(fmt::format("\"{}\" is not a network namespace", path));
  }
  struct stat file {};
  if (::fstat(opened.fd.get(), &file) != 0) {
    throw SystemError(Code::kNetns, fmt::format("stat \"{}\"", path), errno);
  }
  opened.identity = {file.st_dev, file.st_ino};
  return opened;
}

}  // namespace

NetNs NetNs::Open(const std::string& path) {
  Opened opened = TryPath(path);
  if (!opened.problem.empty()) throw Error(Code::kNetns, std::move(opened.problem));
  return {std::move(opened.fd), opened.identity};
}

std::optional<NetNs> NetNs::TryOpen(const std::string& path) {
  Opened opened = TryPath(path);
  if (!opened.problem.empty()) return {};
  return NetNs(std::move(opened.fd), opened.identity);
}

NetNs NetNs::Current() {
  // No doubt about what this path is, so none of Open's questions.
  Fd fd(::open(kOwnPath, O_RDONLY | O_CLOEXEC));
  struct stat file {};
  if (!fd || ::fstat(fd.get(), &file) != 0) {
    throw SystemError(Code::kNetns, "open our own network namespace", errno);
  }
  return {std::move(fd), {file.st_dev, file.st_ino}};
}

Identity CurrentIdentity() {
  struct stat file {};
  if (::stat(kOwnPath, &file) != 0) {
    throw SystemError(Code::kNetns, "stat our own network namespace", errno);
  }
  return {file.st_dev, file.st_ino};
}

void NetNs::Enter() const {
  if (::setns(fd_.get(), CLONE_NEWNET) != 0) {
    throw SystemError(Code::kNetns, "enter network namespace", errno);
  }
}

}  // namespace cnm::netns
