// sysctl.cc: the /proc/sys/net values of the current network namespace.
#include "common/netns/sysctl.h"

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <cerrno>

#include <fmt/format.h>

#include "common/base/error.h"
#include "common/base/fd.h"

namespace cnm::netns {
namespace {

/// A part of the key is a link's name, which a caller may have chosen: it must not lead elsewhere.
std::string PathOf(std::string_view key) {
  const std::string around = fmt::format("/{}/", key);
  const bool leaves = around.find("/../") != around.npos || around.find("/./") != around.npos ||
                      around.find("//") != around.npos || around.find('\0') != around.npos;
  if (leaves || !key.starts_with("net/")) {
    throw Error(Code::kInternal, fmt::format("sysctl {}: not a key below net/", key));
  }
  return fmt::format("/proc/sys/{}", key);
}

std::string ReadValue(const Fd& fd, std::string_view key) {
  std::array<char, 4096> buffer;
  const ssize_t bytes = ::pread(fd.get(), buffer.data(), buffer.size(), 0);
  // addrconf_sysctl_stable_secret: EIO while none is set.
  if (bytes < 0 && errno == EIO && key.ends_with("/stable_secret")) return "";
  if (bytes < 0) throw SystemError(Code::kKernel, fmt::format("read sysctl {}", key), errno);
  std::string value(buffer.data(), static_cast<size_t>(bytes));
  if (value.ends_with('\n')) value.pop_back();
  return value;
}

void WriteValue(const Fd& fd, std::string_view key, std::string_view value) {
  if (::pwrite(fd.get(), value.data(), value.size(), 0) != static_cast<ssize_t>(value.size())) {
    throw SystemError(Code::kKernel, fmt::format("write sysctl {}={}", key, value), errno);
  }
}

}  // namespace

std::optional<std::string> ReadSysctl(std::string_view key) {
  const Fd fd(::open(PathOf(key).c_str(), O_RDONLY | O_CLOEXEC));
  if (fd) return ReadValue(fd, key);
  if (errno == ENOENT) return {};
  if (errno == EACCES) return "";
  throw SystemError(Code::kKernel, fmt::format("read sysctl {}", key), errno);
}

bool WriteSysctl(std::string_view key, std::string_view value) {
  const Fd fd(::open(PathOf(key).c_str(), O_WRONLY | O_CLOEXEC));
  if (!fd && errno == ENOENT) return false;
  if (!fd) throw SystemError(Code::kKernel, fmt::format("write sysctl {}={}", key, value), errno);
  WriteValue(fd, key, value);
  return true;
}

bool EnsureSysctl(std::string_view key, std::string_view value) {
  // Read first: where /proc/sys is read-only (a container), a value that is right already must do.
  if (ReadSysctl(key) == value) return false;
  return WriteSysctl(key, value);
}

}  // namespace cnm::netns
