// atomic_file.h: reading whole files, and replacing them so that a reader or a crash sees the old
// or the new, never a part.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace cnm {

/// Whether a replaced file must survive a power loss.
enum class Durability {
  kVolatile,  ///< no fsync: for /run, which does not survive a reboot anyway
  kDurable,   ///< fsync of the file and of its directory
};

/// The file's bytes, at most `limit`; nullopt if there is none. A read that returns less than asked
/// for ends it: right for regular files and what the kernel shows in /proc/sys, not for the long
/// lists in /proc.
/// @throws Error kIo "read PATH: reason", also when the file is larger than `limit`
std::optional<std::string> ReadFile(const std::string& path, size_t limit = size_t{16} << 20);

/// Reads a file descriptor to its end.
/// @throws Error kIo "read WHAT: reason"; kDecode "WHAT is larger than N bytes" when more than
/// `limit` bytes come: it stops reading there
std::string ReadAll(int fd, size_t limit, std::string_view what);

/// Writes `bytes` to `path` (with that `mode`, whatever the umask) by a temporary file beside it
/// and rename(2). The temporary name starts with ".tmp-" followed by the file's own name, so that
/// the next writer replaces what a killed one left.
/// @throws Error kIo "write PATH: reason"
void WriteFileAtomic(const std::string& path, std::string_view bytes, Durability durability,
                     unsigned mode = 0600);

/// Creates the directory and its parents (mode 0755 for parents, `mode` for the last). Existing
/// ones are left as they are.
/// @throws Error kIo "create directory PATH: reason"
void MakeDirectories(const std::string& path, unsigned mode = 0755);

/// Removes a file. @returns false if there was none. @throws Error kIo "remove PATH: reason"
bool RemoveFile(const std::string& path);

/// Writes all of `bytes` to `fd`. @throws Error kIo "write WHAT: reason"
void WriteAll(int fd, std::string_view bytes, std::string_view what);

}  // namespace cnm
