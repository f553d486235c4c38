// atomic_file.cc: whole-file reads and atomic replacement.
#include "common/base/atomic_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>

#include <fmt/format.h>

#include "common/base/error.h"
#include "common/base/fd.h"

namespace cnm {
namespace {

std::string DirectoryOf(const std::string& path) {
  const size_t slash = path.rfind('/');
  if (slash == std::string::npos) return ".";
  return slash == 0 ? "/" : path.substr(0, slash);
}

void SyncDirectory(const std::string& directory) {
  const Fd fd(::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!fd || ::fsync(fd.get()) != 0) {
    throw SystemError(Code::kIo, fmt::format("sync directory {}", directory), errno);
  }
}

}  // namespace

std::string ReadAll(int fd, size_t limit, std::string_view what) {
  std::string bytes;
  std::array<char, 8192> chunk;  // NOLINT(cppcoreguidelines-pro-type-member-init): filled by read
  for (;;) {
    const ssize_t n = ::read(fd, chunk.data(), chunk.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) throw SystemError(Code::kIo, fmt::format("read {}", what), errno);
    if (n == 0) break;
    if (bytes.size() + static_cast<size_t>(n) > limit) {
      throw Error(Code::kDecode, fmt::format("{} is larger than {} bytes", what, limit));
    }
    bytes.append(chunk.data(), static_cast<size_t>(n));
  }
  if (bytes.capacity() > bytes.size() + chunk.size()) bytes.shrink_to_fit();  // it grew by doubling
  return bytes;
}

std::optional<std::string> ReadFile(const std::string& path, size_t limit) {
  const Fd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd) {
    if (errno == ENOENT) return std::nullopt;
    throw SystemError(Code::kIo, fmt::format("read {}", path), errno);
  }
  std::string bytes;
  size_t room = 4096;
  for (;;) {
    const size_t had = bytes.size();
    bytes.resize(had + room);
    const ssize_t n = ::read(fd.get(), bytes.data() + had, room);
    if (n < 0 && errno != EINTR) throw SystemError(Code::kIo, fmt::format("read {}", path), errno);
    bytes.resize(had + static_cast<size_t>(std::max<ssize_t>(n, 0)));
    if (bytes.size() > limit) {
      throw Error(Code::kIo, fmt::format("read {}: larger than {} bytes", path, limit));
    }
    // A read with room to spare tells a short file's end without a second system call.
    if (n >= 0 && static_cast<size_t>(n) < room) return bytes;
    room = std::min<size_t>(2 * room, size_t{1} << 20);
  }
}

void WriteAll(int fd, std::string_view bytes, std::string_view what) {
  while (!bytes.empty()) {
    const ssize_t n = ::write(fd, bytes.data(), bytes.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) throw SystemError(Code::kIo, fmt::format("write {}", what), errno);
    bytes.remove_prefix(static_cast<size_t>(n));
  }
}

void WriteFileAtomic(const std::string& path, std::string_view bytes, Durability durability,
                     unsigned mode) {
  const std::string directory = DirectoryOf(path);
  const size_t slash = path.rfind('/');
  const std::string name = slash == std::string::npos ? path : path.substr(slash + 1);
  const std::string temporary = fmt::format("{}/.tmp-{}", directory, name);
  try {
    Fd fd(::open(temporary.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600));
    if (!fd) throw SystemError(Code::kIo, fmt::format("write {}", path), errno);
    WriteAll(fd.get(), bytes, path);
    // Also what a killed writer left may have another mode.
    if (mode != 0600 && ::fchmod(fd.get(), mode) != 0) {
      throw SystemError(Code::kIo, fmt::format("write {}", path), errno);
    }
    if (durability == Durability::kDurable && ::fsync(fd.get()) != 0) {
      throw SystemError(Code::kIo, fmt::format("write {}", path), errno);
    }
    fd.Close();
    if (::rename(temporary.c_str(), path.c_str()) != 0) {
      throw SystemError(Code::kIo, fmt::format("write {}", path), errno);
    }
  } catch (const Error&) {
    ::unlink(temporary.c_str());
    throw;
  }
  if (durability == Durability::kDurable) SyncDirectory(directory);
}

void MakeDirectories(const std::string& path, unsigned mode) {
  if (path.size() > 1 && path.back() == '/') {
    MakeDirectories(path.substr(0, path.size() - 1), mode);
    return;
  }
  if (::mkdir(path.c_str(), mode) == 0 || errno == EEXIST) return;
  if (errno != ENOENT)
    throw SystemError(Code::kIo, fmt::format("create directory {}", path), errno);
  const std::string parent = DirectoryOf(path);
  if (parent == path)
    throw SystemError(Code::kIo, fmt::format("create directory {}", path), ENOENT);
  MakeDirectories(parent);
  if (::mkdir(path.c_str(), mode) != 0 && errno != EEXIST) {
    throw SystemError(Code::kIo, fmt::format("create directory {}", path), errno);
  }
}

bool RemoveFile(const std::string& path) {
  if (::unlink(path.c_str()) == 0) return true;
  // A name that is too long cannot be there.
  if (errno == ENOENT || errno == ENOTDIR || errno == ENAMETOOLONG) return false;
  throw SystemError(Code::kIo, fmt::format("remove {}", path), errno);
}

}  // namespace cnm
