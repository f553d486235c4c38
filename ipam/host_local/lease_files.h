// lease_files.h: the file operations of a lease directory, all relative to one descriptor, under
// its lock.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/fd.h"
#include "common/base/file_lock.h"

namespace cnm::host_local {

/// What tells one incarnation of a file from another, and the file's text when it was read.
struct FileState {
  uint64_t inode = 0;
  int64_t mtime_ns = 0;
  bool regular = false;
  std::string bytes;  ///< at most 4 KiB; "" when it was not read or is not a regular file
};

/// last_reserved_ip.N: the address given last from range set N. The reference writes it at every
/// reservation.
struct Cursor {
  uint32_t index = 0;
  uint64_t inode = 0;  ///< 0: there is none
  std::string text;
  bool operator==(const Cursor&) const = default;
};

/// An open, locked lease directory. Methods throw Error kIo with the path.
class LeaseFiles {
 public:
  /// Opens and locks an existing directory; nullopt if there is none. @throws Error kIo, kTryAgain
  static std::optional<LeaseFiles> Open(const std::string& path);
  /// The same, making it (0755) and its parents.
  static LeaseFiles Create(const std::string& path);

  const std::string& path() const { return path_; }
  int64_t ModifiedAt() const;
  /// Sets the directory's mtime some seconds into the past and returns it. Whoever changes the
  /// directory later gives it the time of that moment, so that even a change in the same tick of a
  /// coarse clock is seen.
  int64_t StampModified() const;
  std::vector<std::string> Names() const;

  /// nullopt when absent. Neither follows links nor waits for pipes.
  std::optional<FileState> Stat(const std::string& name) const;
  std::optional<FileState> Read(const std::string& name) const;
  std::optional<std::string> ReadLink(const std::string& name) const;
  void MakeLink(const std::string& name, const std::string& target) const;
  /// Replaces a link of that name. @returns false when it cannot be made
  bool TryMakeLink(const std::string& name, const std::string& target) const noexcept;
  /// @returns false if there was none
  bool Remove(const std::string& name) const;
  /// @returns false when it is still there
  bool TryRemove(const std::string& name) const noexcept;

  /// Writes kTemporaryName, replacing what a killed call left.
  FileState WriteTemporary(std::string_view bytes) const;
  /// Gives the temporary file its name if that is free. @returns false, the temporary file still
  /// there, when it is taken
  bool Publish(const std::string& name) const;
  /// Puts the temporary file in the place of the file of that name.
  void Replace(const std::string& name) const;

  Cursor ReadCursor(uint32_t index);
  /// Writes it in place, as the reference does. @returns its new state
  Cursor WriteCursor(uint32_t index, const std::string& text);

  /// The hints' bytes, "" if there are none. `writable`: the file is made, so that saving does not
  /// change the directory.
  std::string ReadHints(bool writable);
  /// Overwrites them in place; a failure is ignored, since hints decide nothing.
  void WriteHints(std::string_view bytes) const noexcept;

 private:
  LeaseFiles(std::string path, Fd directory, FileLock lock)
      : path_(std::move(path)), directory_(std::move(directory)), lock_(std::move(lock)) {}
  [[noreturn]] void Fail(std::string_view verb, std::string_view name, int err) const;

  std::string path_;
  Fd directory_;
  FileLock lock_;
  Fd hints_;
  struct OpenCursor {
    Cursor state;
    Fd fd;
  };
  std::vector<OpenCursor> cursors_;  ///< kept between ReadCursor and WriteCursor
};

}  // namespace cnm::host_local
