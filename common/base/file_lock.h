// file_lock.h: locks between processes, with deadlines.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "common/base/fd.h"

namespace cnm {

/// How long a wait may take, in whole seconds, and the text that says who holds the lock ("" if
/// unknown).
struct LockWait {
  unsigned seconds = 20;
  std::string (*holder)(const std::string& path) = nullptr;
};

/// An flock(2) on a file that is never renamed; compatible with other programs' flock on it.
/// Released when destroyed.
class FileLock {
 public:
  /// Opens (creating, mode 0600) and locks `path`. @throws Error kIo; kTryAgain "lock PATH: ..."
  /// after the deadline
  static FileLock Acquire(const std::string& path, LockWait wait = {});

  /// The locked file. Valid while the lock is held.
  int fd() const { return fd_.get(); }

 private:
  explicit FileLock(Fd fd) : fd_(std::move(fd)) {}
  Fd fd_;
};

/// A file of many locks: an open-file-description write lock (fcntl F_OFD_SETLK) on one byte for
/// each name, at an offset its hash gives. Beside the lock bytes the file holds hint slots in which
/// a holder writes who it is, so that a waiter can name it.
class LockTable {
 public:
  /// A held lock; released when destroyed.
  class Held {
   public:
    Held(Held&&) noexcept = default;
    Held& operator=(Held&&) noexcept = default;

   private:
    friend class LockTable;
    explicit Held(Fd fd) : fd_(std::move(fd)) {}
    Fd fd_;
  };

  /// `path` is created (0600) at the first lock; its directory must exist.
  explicit LockTable(std::string path) : path_(std::move(path)) {}

  /// Locks the byte of `key` (a 64-bit hash); `holder` (≤ 63 bytes: verb, pid, PID namespace) is
  /// the hint others see.
  /// @throws Error kTryAgain "lock WHAT: held by HOLDER for more than 20 s"; kIo
  Held Acquire(uint64_t key, std::string_view what, std::string_view holder, unsigned seconds = 20);

  /// Whether somebody else holds the byte of `key` now.
  bool IsHeld(uint64_t key) const;

 private:
  std::string path_;
};

/// Ends the process's waits: after `seconds` a pending or later lock wait fails. Called once by a
/// short-lived program.
void LimitProcessWait(unsigned seconds);

}  // namespace cnm
