// mounted_file.h: text files that a container sees through a bind mount of the file.
//
// Theory of operation: the mount holds on to the inode. A file replaced by rename(2) would change
// on the host and stay as it was in the container, so these files are made once, atomically, and
// from then on written in place: one write of the new text, filled up with empty lines to the old
// length, then a truncation. A reader in between sees empty lines at the end, which both hosts(5)
// and resolv.conf(5) skip. Writers exclude each other by an flock on PATH.lock; not on the file
// itself, which the container can lock for as long as it likes.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "common/base/file_lock.h"

namespace cnm {

/// Such a file, locked against all other holders while it lives; reading and writing it is one
/// step for them. The file itself may be missing.
class MountedFile {
 public:
  /// Whether there is such a file; without making a lock beside a missing one.
  static bool Exists(const std::string& path);

  /// Makes the directory (0755) if it is missing. @throws Error kIo, kTryAgain
  explicit MountedFile(std::string path);

  /// What is in it now, up to 1 MiB: any text, as it may be the container's; nullopt without a
  /// file. @throws Error kIo
  std::optional<std::string> Read() const;

  /// Gives it this text, making it (mode 0644) if it is missing. @throws Error kIo
  void Write(std::string_view text);

  /// Removes `path` and its lock. @returns false if there was no file. @throws Error kIo
  static bool Remove(const std::string& path);

 private:
  std::string path_;
  FileLock lock_;
};

}  // namespace cnm
