// lease_files.cc: the file operations of a lease directory.
#include "ipam/host_local/lease_files.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <memory>

#include <fmt/format.h>

#include "common/base/atomic_file.h"
#include "common/base/error.h"
#include "ipam/host_local/lease_text.h"

namespace cnm::host_local {
namespace {

/// Seconds. More than any file system's granularity, little enough to look plausible in ls -l.
constexpr time_t kStampAge = 10;

constexpr size_t kMaxFileBytes = 4096;
constexpr size_t kMaxHintBytes = size_t{64} << 20;

struct CloseDirectory {
  void operator()(DIR* directory) const noexcept { ::closedir(directory); }
};

FileState ToState(const struct stat& status) {
  return {.inode = status.st_ino,
          .mtime_ns = int64_t{status.st_mtim.tv_sec} * 1'000'000'000 + status.st_mtim.tv_nsec,
          .regular = S_ISREG(status.st_mode),
          .bytes = ""};
}

Fd OpenDirectory(const std::string& path) {
  return Fd(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
}

std::string LockPath(const std::string& path) {
  return fmt::format("{}/{}", path, kLockName);
}

}  // namespace

std::optional<LeaseFiles> LeaseFiles::Open(const std::string& path) {
  Fd directory = OpenDirectory(path);
  if (!directory && (errno == ENOENT || errno == ENOTDIR)) return std::nullopt;
  if (!directory) throw SystemError(Code::kIo, fmt::format("open {}", path), errno);
  return LeaseFiles(path, std::move(directory), FileLock::Acquire(LockPath(path)));
}

LeaseFiles LeaseFiles::Create(const std::string& path) {
  Fd directory = OpenDirectory(path);
  if (!directory && errno == ENOENT) {
    MakeDirectories(path);
    directory = OpenDirectory(path);
  }
  if (!directory) throw SystemError(Code::kIo, fmt::format("open {}", path), errno);
  return LeaseFiles(path, std::move(directory), FileLock::Acquire(LockPath(path)));
}

int64_t LeaseFiles::StampModified() const {
  timespec past{};
  ::clock_gettime(CLOCK_REALTIME, &past);
  past.tv_sec -= kStampAge;
  const std::array<timespec, 2> times{timespec{0, UTIME_OMIT}, past};
  if (::futimens(directory_.get(), times.data()) != 0) Fail("set the time of", ".", errno);
  return ModifiedAt();  // as the file system rounded it
}

int64_t LeaseFiles::ModifiedAt() const {
  struct stat status {};
  if (::fstat(directory_.get(), &status) != 0) Fail("stat", ".", errno);
  return ToState(status).mtime_ns;
}

std::vector<std::string> LeaseFiles::Names() const {
  // A descriptor of its own: reading moves a directory's offset.
  const int fd = ::openat(directory_.get(), ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  const std::unique_ptr<DIR, CloseDirectory> stream(fd < 0 ? nullptr : ::fdopendir(fd));
  if (!stream) Fail("read directory", ".", errno);
  std::vector<std::string> names;
  errno = 0;
  while (const dirent* entry = ::readdir(stream.get())) names.emplace_back(entry->d_name);
  if (errno != 0) Fail("read directory", ".", errno);
  return names;
}

std::optional<FileState> LeaseFiles::Stat(const std::string& name) const {
  struct stat status {};
  if (::fstatat(directory_.get(), name.c_str(), &status, AT_SYMLINK_NOFOLLOW) == 0) {
    return ToState(status);
  }
  if (errno != ENOENT) Fail("stat", name, errno);
  return std::nullopt;
}

std::optional<FileState> LeaseFiles::Read(const std::string& name) const {
  const Fd fd(
      ::openat(directory_.get(), name.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
  if (!fd) {
    if (errno == ENOENT) return std::nullopt;
    // A link, a socket or a file without permission in a lease's place holds the address all the
    // same.
    if (errno == ELOOP || errno == ENXIO || errno == EACCES) return Stat(name);
    Fail("read", name, errno);
  }
  struct stat status {};
  if (::fstat(fd.get(), &status) != 0) Fail("stat", name, errno);
  FileState state = ToState(status);
  if (!state.regular) return state;
  state.bytes.resize(kMaxFileBytes);
  const ssize_t n = ::read(fd.get(), state.bytes.data(), state.bytes.size());
  if (n < 0) Fail("read", name, errno);
  state.bytes.resize(static_cast<size_t>(n));
  return state;
}

std::optional<std::string> LeaseFiles::ReadLink(const std::string& name) const {
  std::array<char, 256>
      target;  // NOLINT(cppcoreguidelines-pro-type-member-init): filled by the call
  const ssize_t n = ::readlinkat(directory_.get(), name.c_str(), target.data(), target.size());
  if (n >= 0) return std::string(target.data(), static_cast<size_t>(n));
  if (errno == ENOENT) return std::nullopt;
  if (errno == EINVAL) return "";  // no link at all: says nothing
  Fail("read link", name, errno);
}

bool LeaseFiles::TryMakeLink(const std::string& name, const std::string& target) const noexcept {
  const auto make = [&] { return ::symlinkat(target.c_str(), directory_.get(), name.c_str()); };
  if (make() == 0) return true;
  return errno == EEXIST && ::unlinkat(directory_.get(), name.c_str(), 0) == 0 && make() == 0;
}

void LeaseFiles::MakeLink(const std::string& name, const std::string& target) const {
  if (!TryMakeLink(name, target)) Fail("create", name, errno);
}

bool LeaseFiles::TryRemove(const std::string& name) const noexcept {
  return ::unlinkat(directory_.get(), name.c_str(), 0) == 0 || errno == ENOENT;
}

bool LeaseFiles::Remove(const std::string& name) const {
  if (::unlinkat(directory_.get(), name.c_str(), 0) == 0) return true;
  if (errno != ENOENT) Fail("remove", name, errno);
  return false;
}

FileState LeaseFiles::WriteTemporary(std::string_view bytes) const {
  constexpr int kFlags = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC;
  Fd fd(::openat(directory_.get(), kTemporaryName, kFlags, 0600));
  if (!fd && errno == EEXIST) {
    Remove(kTemporaryName);
    fd = Fd(::openat(directory_.get(), kTemporaryName, kFlags, 0600));
  }
  if (!fd) Fail("create", kTemporaryName, errno);
  WriteAll(fd.get(), bytes, fmt::format("{}/{}", path_, kTemporaryName));
  struct stat status {};
  if (::fstat(fd.get(), &status) != 0) Fail("stat", kTemporaryName, errno);
  return ToState(status);
}

bool LeaseFiles::Publish(const std::string& name) const {
  const int directory = directory_.get();
  if (::renameat2(directory, kTemporaryName, directory, name.c_str(), RENAME_NOREPLACE) == 0) {
    return true;
  }
  if (errno == EINVAL || errno == ENOSYS) {  // a file system without the flag
    if (::linkat(directory, kTemporaryName, directory, name.c_str(), 0) == 0) {
      Remove(kTemporaryName);
      return true;
    }
  }
  if (errno != EEXIST) Fail("create", name, errno);
  return false;
}

void LeaseFiles::Replace(const std::string& name) const {
  const int directory = directory_.get();
  if (::renameat(directory, kTemporaryName, directory, name.c_str()) != 0) {
    Fail("replace", name, errno);
  }
}

Cursor LeaseFiles::ReadCursor(uint32_t index) {
  std::erase_if(cursors_, [&](const OpenCursor& open) { return open.state.index == index; });
  const std::string name = CursorName(index);
  Fd fd(::openat(directory_.get(), name.c_str(), O_RDWR | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
  if (!fd && (errno == EACCES || errno == EROFS)) {  // readers need no more
    fd = Fd(::openat(directory_.get(), name.c_str(), O_RDONLY | O_NOFOLLOW | O_CLOEXEC));
  }
  Cursor none{.index = index, .inode = 0, .text = ""};
  if (!fd) return none;
  struct stat status {};
  std::array<char, 64> text;  // NOLINT(cppcoreguidelines-pro-type-member-init): filled by read
  const ssize_t n = ::read(fd.get(), text.data(), text.size());
  if (n < 0 || ::fstat(fd.get(), &status) != 0) return none;
  Cursor cursor{index, status.st_ino, std::string(text.data(), static_cast<size_t>(n))};
  cursors_.push_back({cursor, std::move(fd)});
  return cursor;
}

Cursor LeaseFiles::WriteCursor(uint32_t index, const std::string& text) {
  const std::string name = CursorName(index);
  auto open = std::ranges::find(cursors_, index, [](const OpenCursor& c) { return c.state.index; });
  if (open == cursors_.end()) {
    Fd fd(::openat(directory_.get(), name.c_str(),
                   O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0600));
    struct stat status {};
    if (!fd || ::fstat(fd.get(), &status) != 0) Fail("write", name, errno);
    open = cursors_.insert(open, {{index, status.st_ino, ""}, std::move(fd)});
  }
  Cursor& cursor = open->state;
  const auto size = static_cast<ssize_t>(text.size());
  if (::pwrite(open->fd.get(), text.data(), text.size(), 0) != size) Fail("write", name, errno);
  if (cursor.text.size() > text.size() && ::ftruncate(open->fd.get(), size) != 0) {
    Fail("write", name, errno);
  }
  cursor.text = text;
  return cursor;
}

std::string LeaseFiles::ReadHints(bool writable) {
  const int flags = O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC | (writable ? O_RDWR | O_CREAT : O_RDONLY);
  hints_ = Fd(::openat(directory_.get(), kHintsName, flags, 0600));
  std::string bytes;
  if (!hints_) return bytes;
  for (size_t size = 4096; size <= kMaxHintBytes; size *= 4) {
    bytes.resize(size);
    const ssize_t n = ::pread(hints_.get(), bytes.data(), size, 0);
    if (n < 0) return "";
    bytes.resize(static_cast<size_t>(n));
    if (bytes.size() < size) return bytes;
  }
  return "";
}

void LeaseFiles::WriteHints(std::string_view bytes) const noexcept {
  if (!hints_) return;
  [[maybe_unused]] const ssize_t n = ::pwrite(hints_.get(), bytes.data(), bytes.size(), 0);
}

void LeaseFiles::Fail(std::string_view verb, std::string_view name, int err) const {
  throw SystemError(Code::kIo, fmt::format("{} {}/{}", verb, path_, name), err);
}

}  // namespace cnm::host_local
