// mounted_file.cc: text files that a container sees through a bind mount of the file.
#include "cnm/sandbox/mounted_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

#include <fmt/format.h>

#include "common/base/atomic_file.h"
#include "common/base/error.h"
#include "common/base/fd.h"

namespace cnm {
namespace {

constexpr size_t kTextLimit = size_t{1} << 20;

std::string LockPath(const std::string& path) {
  return path + ".lock";
}

void WriteInPlace(const std::string& path, std::string_view text) {
  const Fd fd(::open(path.c_str(), O_WRONLY | O_CLOEXEC));
  struct stat old {};
  if (!fd || ::fstat(fd.get(), &old) != 0) {
    throw SystemError(Code::kIo, fmt::format("write {}", path), errno);
  }
  std::string filled(text);
  if (filled.size() < static_cast<size_t>(old.st_size)) {
    filled.append(static_cast<size_t>(old.st_size) - filled.size(), '\n');
  }
  WriteAll(fd.get(), filled, path);
  if (::ftruncate(fd.get(), static_cast<off_t>(text.size())) != 0) {
    throw SystemError(Code::kIo, fmt::format("write {}", path), errno);
  }
}

FileLock Lock(const std::string& path) {
  const size_t slash = path.rfind('/');
  if (slash != std::string::npos && slash > 0) MakeDirectories(path.substr(0, slash));
  return FileLock::Acquire(LockPath(path));
}

}  // namespace

bool MountedFile::Exists(const std::string& path) {
  return ::access(path.c_str(), F_OK) == 0;
}

MountedFile::MountedFile(std::string path) : path_(std::move(path)), lock_(Lock(path_)) {}

std::optional<std::string> MountedFile::Read() const {
  return ReadFile(path_, kTextLimit);
}

void MountedFile::Write(std::string_view text) {
  // By the name and not by what was read: an operator may have removed the file meanwhile.
  if (Exists(path_)) {
    WriteInPlace(path_, text);
  } else {
    WriteFileAtomic(path_, text, Durability::kVolatile, 0644);
  }
}

bool MountedFile::Remove(const std::string& path) {
  const bool removed = RemoveFile(path);
  RemoveFile(LockPath(path));
  return removed;
}

}  // namespace cnm
