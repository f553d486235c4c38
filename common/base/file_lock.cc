// file_lock.cc: locks between processes, with deadlines.
//
// Theory of operation: the lock is first tried without waiting, which is the normal case and one
// system call. Only when it is held does the waiter arm an interval timer of 200 ms whose signal
// interrupts the blocking call; a repeating timer, because a single alarm that fires just before
// the call blocks would be lost and the wait would never end.
#include "common/base/file_lock.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/time.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstring>

#include <fmt/format.h>

#include "common/base/error.h"

namespace cnm {
namespace {

using Clock = std::chrono::steady_clock;

constexpr off_t kHintSlots = 4096;
constexpr off_t kHintBytes = 64;
constexpr off_t kFirstLockByte = off_t{1}
                                 << 40;  // beyond every hint slot; locks need no bytes behind them
constexpr uint64_t kLockBytes = (uint64_t{1} << 62) - 1;

Clock::time_point process_deadline =
    Clock::time_point::max();  // NOLINT: set once by LimitProcessWait

/// While it lives, SIGALRM arrives every 200 ms and interrupts blocking calls.
class Interrupter {
 public:
  Interrupter() {
    struct sigaction action {};
    action.sa_handler = [](int) {};  // no SA_RESTART: the call must return EINTR
    ::sigaction(SIGALRM, &action, &old_action_);
    const itimerval interval{.it_interval = {0, 200'000}, .it_value = {0, 200'000}};
    ::setitimer(ITIMER_REAL, &interval, nullptr);
  }
  Interrupter(const Interrupter&) = delete;
  Interrupter& operator=(const Interrupter&) = delete;
  ~Interrupter() {
    const itimerval off{};
    ::setitimer(ITIMER_REAL, &off, nullptr);
    ::sigaction(SIGALRM, &old_action_, nullptr);
  }

 private:
  struct sigaction old_action_ {};
};

/// Repeats the blocking `lock` until it succeeds. @returns false at the deadline
template <class Lock>
bool WaitFor(Lock lock, unsigned seconds) {
  const auto deadline = std::min(Clock::now() + std::chrono::seconds(seconds), process_deadline);
  const Interrupter interrupter;
  while (Clock::now() < deadline) {
    if (lock() == 0) return true;
    if (errno != EINTR) return false;
  }
  errno = ETIMEDOUT;
  return false;
}

struct flock ByteRange(uint64_t key) {
  struct flock range {};
  range.l_type = F_WRLCK;
  range.l_whence = SEEK_SET;
  range.l_start = kFirstLockByte + static_cast<off_t>(key & kLockBytes);  // stays a positive off_t
  range.l_len = 1;
  return range;
}

off_t HintOffset(uint64_t key) {
  return static_cast<off_t>(key % static_cast<uint64_t>(kHintSlots)) * kHintBytes;
}

std::string ReadHint(int fd, uint64_t key) {
  std::array<char, kHintBytes> hint{};
  const ssize_t n = ::pread(fd, hint.data(), hint.size() - 1, HintOffset(key));
  return n <= 0 || hint[0] == '\0' ? "somebody unknown" : hint.data();
}

}  // namespace

void LimitProcessWait(unsigned seconds) {
  process_deadline = Clock::now() + std::chrono::seconds(seconds);
}

FileLock FileLock::Acquire(const std::string& path, LockWait wait) {
  // O_RDONLY suffices for flock and works on a lock file that another program made 0444.
  Fd fd(::open(path.c_str(), O_RDONLY | O_CREAT | O_CLOEXEC, 0600));
  if (!fd) throw SystemError(Code::kIo, fmt::format("open lock {}", path), errno);
  if (::flock(fd.get(), LOCK_EX | LOCK_NB) == 0) return FileLock(std::move(fd));
  if (errno == EWOULDBLOCK && WaitFor([&] { return ::flock(fd.get(), LOCK_EX); }, wait.seconds)) {
    return FileLock(std::move(fd));
  }
  if (errno != ETIMEDOUT) throw SystemError(Code::kIo, fmt::format("lock {}", path), errno);
  throw Error(
      Code::kTryAgain,
      fmt::format("lock {}: held by {} for more than {} s", path,
                  wait.holder != nullptr ? wait.holder(path) : "another process", wait.seconds));
}

LockTable::Held LockTable::Acquire(uint64_t key, std::string_view what, std::string_view holder,
                                   unsigned seconds) {
  Fd fd(::open(path_.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
  if (!fd) throw SystemError(Code::kIo, fmt::format("open lock {}", path_), errno);
  struct flock range = ByteRange(key);
  if (::fcntl(fd.get(), F_OFD_SETLK, &range) != 0) {
    const bool held = errno == EAGAIN || errno == EACCES;
    if (!held || !WaitFor([&] { return ::fcntl(fd.get(), F_OFD_SETLKW, &range); }, seconds)) {
      if (errno != ETIMEDOUT) throw SystemError(Code::kIo, fmt::format("lock {}", what), errno);
      throw Error(Code::kTryAgain, fmt::format("lock {}: held by {} for more than {} s", what,
                                               ReadHint(fd.get(), key), seconds));
    }
  }
  std::array<char, kHintBytes> hint{};
  std::memcpy(hint.data(), holder.data(), std::min<size_t>(holder.size(), kHintBytes - 1));
  // A hint only: a full disk must not stop the work.
  [[maybe_unused]] const ssize_t n = ::pwrite(fd.get(), hint.data(), hint.size(), HintOffset(key));
  return Held(std::move(fd));
}

bool LockTable::IsHeld(uint64_t key) const {
  const Fd fd(::open(path_.c_str(), O_RDWR | O_CLOEXEC));
  if (!fd) return false;
  struct flock range = ByteRange(key);
  return ::fcntl(fd.get(), F_OFD_GETLK, &range) == 0 && range.l_type != F_UNLCK;
}

}  // namespace cnm
