// xtables_lock.cc: the lock that programs which change iptables' rules share.
#include "common/firewall/iptables/xtables_lock.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include <algorithm>
#include <string>
#include <string_view>

#include <fmt/format.h>

#include "common/base/atomic_file.h"
#include "common/base/fd.h"

namespace cnm::firewall::iptables {
namespace {

constexpr const char* kLock = "/run/xtables.lock";
constexpr size_t kLocksLimit = size_t{4} << 20;

/// The word before `place` in the line.
std::string_view WordBefore(std::string_view line, size_t place) {
  const size_t end = line.find_last_not_of(' ', place - 1) + 1;
  const size_t start = line.find_last_of(' ', end - 1) + 1;
  return line.substr(start, end - start);
}

/// "iptables (pid 123)"; "" when /proc/locks does not tell. Its lines are
/// "1: FLOCK  ADVISORY  WRITE 123 08:01:4567 0 EOF" (proc(5)).
std::string HolderOf(const std::string& path) {
  struct stat file {};
  const Fd locks(::open("/proc/locks", O_RDONLY | O_CLOEXEC));
  if (!locks || ::stat(path.c_str(), &file) != 0) return "";
  const std::string inode =
      fmt::format(" {:02x}:{:02x}:{} ", major(file.st_dev), minor(file.st_dev), file.st_ino);
  const std::string text = ReadAll(locks.get(), kLocksLimit, "/proc/locks");
  for (size_t start = 0; start < text.size();) {
    const size_t end = std::min(text.find('\n', start), text.size());
    const std::string_view line = std::string_view(text).substr(start, end - start);
    start = end + 1;
    const size_t place = line.find(inode);
    const bool waiting = line.find("->") != std::string_view::npos;
    if (place == std::string_view::npos || place == 0 || waiting) continue;
    const std::string_view pid = WordBefore(line, place);
    std::string name = ReadFile(fmt::format("/proc/{}/comm", pid)).value_or("?");
    while (name.ends_with('\n')) name.pop_back();
    return fmt::format("{} (pid {})", name, pid);
  }
  return "";
}

}  // namespace

FileLock AcquireXtablesLock() {
  return FileLock::Acquire(kLock, {.holder = HolderOf});
}

}  // namespace cnm::firewall::iptables
