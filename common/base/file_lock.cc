// file_lock.cc: locks between processes, with deadlines.
//
// Theory of operation: the lock is first tried without waiting, which is the normal case and one
// system call. Only when it is held does the waiter arm a timer whose signal, sent to the waiting
// thread alone, interrupts the blocking call at the deadline and every 200 ms after it: a single
// alarm that fires just before the call blocks would be lost and the wait would never end. The
// handler is the process's, so the first of several waiting threads sets it and the last puts back
// what was there.
#include "common/base/file_lock.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstring>
#include <ctime>
#include <mutex>

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

/// The handler that lets SIGALRM interrupt, shared by all waiting threads.
class Handler {
 public:
  void Install() {
    const std::lock_guard guard(mutex_);
    if (users_++ > 0) return;
    struct sigaction action {};
    action.sa_handler = [](int) {};  // no SA_RESTART: the call must return EINTR
    ::sigaction(SIGALRM, &action, &old_);
  }
  void Uninstall() {
    const std::lock_guard guard(mutex_);
    if (--users_ == 0) ::sigaction(SIGALRM, &old_, nullptr);
  }

 private:
  std::mutex mutex_;
  int users_ = 0;
  struct sigaction old_ {};
};

constinit Handler handler;  // NOLINT: signal handlers are the process's

/// While it lives, SIGALRM interrupts this thread's blocking calls from the deadline on.
class Interrupter {
 public:
  explicit Interrupter(Clock::duration until_deadline) {
    struct sigevent event {};
    event.sigev_notify = SIGEV_THREAD_ID;
    event.sigev_signo = SIGALRM;
    event._sigev_un._tid = ::gettid();  // glibc 2.36 has no other name for it
    if (::timer_create(CLOCK_MONOTONIC, &event, &timer_) != 0) {
      throw SystemError(Code::kIo, "arm the timer of a lock wait", errno);
    }
    handler.Install();
    sigset_t alarm;
    sigemptyset(&alarm);
    sigaddset(&alarm, SIGALRM);
    ::pthread_sigmask(SIG_UNBLOCK, &alarm, &old_mask_);  // a daemon's threads block signals
    const auto ns = std::max(std::chrono::nanoseconds(until_deadline), std::chrono::nanoseconds(1));
    const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(ns);
    const itimerspec times{
        .it_interval = {.tv_sec = 0, .tv_nsec = 200'000'000},
        .it_value = {.tv_sec = seconds.count(), .tv_nsec = (ns - seconds).count()}};
    ::timer_settime(timer_, 0, &times, nullptr);
  }
  Interrupter(const Interrupter&) = delete;
  Interrupter& operator=(const Interrupter&) = delete;
  ~Interrupter() {
    ::timer_delete(timer_);  // a signal already sent is taken before this returns
    ::pthread_sigmask(SIG_SETMASK, &old_mask_, nullptr);
    handler.Uninstall();
  }

 private:
  timer_t timer_{};
  sigset_t old_mask_{};
};

/// Repeats the blocking `lock` until it succeeds. @returns false at the deadline
template <class Lock>
bool WaitFor(Lock lock, unsigned seconds) {
  const auto deadline = std::min(Clock::now() + std::chrono::seconds(seconds), process_deadline);
  const auto wait = deadline - Clock::now();
  if (wait > Clock::duration::zero()) {
    const Interrupter interrupter(wait);
    do {
      if (lock() == 0) return true;
      if (errno != EINTR) return false;
    } while (Clock::now() < deadline);
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
