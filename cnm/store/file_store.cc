// file_store.cc: a Store of one JSON file a document.
#include "cnm/store/file_store.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstdio>

#include <fmt/format.h>

#include "common/base/error.h"
#include "common/base/file_lock.h"
#include "common/base/log.h"

namespace cnm {
namespace {

constexpr std::string_view kSuffix = ".json";

/// Never 0: FNV-1a over what a rename changes.
uint64_t VersionOf(const struct stat& st) {
  uint64_t hash = 14695981039346656037U;
  for (const auto value :
       {static_cast<uint64_t>(st.st_ino), static_cast<uint64_t>(st.st_mtim.tv_sec),
        static_cast<uint64_t>(st.st_mtim.tv_nsec), static_cast<uint64_t>(st.st_size)}) {
    hash = (hash ^ value) * 1099511628211U;
  }
  return hash == kAbsent || hash == kAnyVersion ? 1 : hash;
}

uint64_t CurrentVersion(const std::string& path) {
  struct stat st {};
  if (::stat(path.c_str(), &st) == 0) return VersionOf(st);
  if (errno == ENOENT) return kAbsent;
  throw SystemError(Code::kIo, fmt::format("stat {}", path), errno);
}

bool IsPlain(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
         c == '-' || c == '.';
}

}  // namespace

std::string PercentEncode(std::string_view name) {
  std::string text;
  for (const char c : name) {
    if (IsPlain(c) && (c != '.' || !text.empty())) {
      text += c;
    } else {
      text += fmt::format("%{:02X}", static_cast<unsigned char>(c));
    }
  }
  return text;
}

std::string PercentDecode(std::string_view text) {
  std::string name;
  for (size_t i = 0; i < text.size(); ++i) {
    unsigned char byte = 0;
    if (text[i] == '%' && i + 2 < text.size() &&
        std::from_chars(&text[i + 1], &text[i + 1] + 2, byte, 16).ptr == &text[i + 1] + 2) {
      name += static_cast<char>(byte);
      i += 2;
    } else {
      name += text[i];
    }
  }
  return name;
}

std::string FileStore::DirectoryOf(std::string_view key) const {
  return fmt::format("{}/{}", directory_, key.substr(0, key.find('/')));
}

std::string FileStore::PathOf(std::string_view key) const {
  return fmt::format("{}/{}{}", DirectoryOf(key), PercentEncode(key.substr(key.find('/') + 1)),
                     kSuffix);
}

std::optional<StoredDocument> FileStore::Get(std::string_view key) {
  const std::string path = PathOf(key);
  const Fd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd) {
    if (errno == ENOENT) return std::nullopt;
    throw SystemError(Code::kIo, fmt::format("read {}", path), errno);
  }
  struct stat st {};
  if (::fstat(fd.get(), &st) != 0) {
    throw SystemError(Code::kIo, fmt::format("read {}", path), errno);
  }
  std::string json(static_cast<size_t>(st.st_size), '\0');
  const ssize_t n = ::pread(fd.get(), json.data(), json.size(), 0);
  if (n != static_cast<ssize_t>(json.size())) {
    throw SystemError(Code::kIo, fmt::format("read {}", path), n < 0 ? errno : EIO);
  }
  return StoredDocument{std::string(key), std::move(json), VersionOf(st)};
}

void FileStore::EnsureDirectory(std::string_view key) {
  const std::string directory = DirectoryOf(key);
  if (directory == ensured_) return;
  if (::access(directory.c_str(), F_OK) != 0) {
    MakeDirectories(directory_, 0700);
    MakeDirectories(directory, 0700);
  }
  ensured_ = directory;
}

std::optional<uint64_t> FileStore::Put(std::string_view key, std::string_view json,
                                       uint64_t expected) {
  const std::string path = PathOf(key);
  EnsureDirectory(key);
  if (expected == kAnyVersion) {  // the caller holds the object's lock, and a rename is atomic
    WriteFileAtomic(path, json, durability_);
    return kAnyVersion;
  }
  const FileLock lock = FileLock::Acquire(DirectoryOf(key) + "/.lock");
  if (CurrentVersion(path) != expected) return std::nullopt;
  WriteFileAtomic(path, json, durability_);
  return CurrentVersion(path);
}

bool FileStore::Delete(std::string_view key, uint64_t expected) {
  const std::string path = PathOf(key);
  if (expected == kAnyVersion) return RemoveFile(path);  // unlink is atomic by itself
  const FileLock lock = FileLock::Acquire(DirectoryOf(key) + "/.lock");
  if (CurrentVersion(path) != expected) return false;
  return RemoveFile(path);
}

std::vector<StoredDocument> FileStore::List(std::string_view prefix) {
  std::vector<StoredDocument> documents;
  const std::string directory = fmt::format("{}/{}", directory_, prefix);
  const std::unique_ptr<DIR, decltype([](DIR* d) { ::closedir(d); })> dir(
      ::opendir(directory.c_str()));
  if (!dir) {
    if (errno == ENOENT) return documents;
    throw SystemError(Code::kIo, fmt::format("list {}", directory), errno);
  }
  while (const dirent* entry = ::readdir(dir.get())) {
    const std::string_view file = entry->d_name;
    if (file.front() == '.' || !file.ends_with(kSuffix)) continue;
    const std::string name = PercentDecode(file.substr(0, file.size() - kSuffix.size()));
    // Gone between readdir and open: deleted meanwhile, so not listed.
    if (auto document = Get(fmt::format("{}/{}", prefix, name))) {
      documents.push_back(*std::move(document));
    }
  }
  std::sort(documents.begin(), documents.end(),
            [](const auto& a, const auto& b) { return a.key < b.key; });
  return documents;
}

void FileStore::Quarantine(std::string_view key) {
  const std::string from = PathOf(key);
  const std::string to = fmt::format("{}/quarantine/{}{}", directory_, PercentEncode(key), kSuffix);
  MakeDirectories(directory_ + "/quarantine", 0700);
  if (::rename(from.c_str(), to.c_str()) == 0) {
    Warn(fmt::format("{} is not readable, moved to {}", from, to));
  } else if (errno != ENOENT) {
    throw SystemError(Code::kIo, fmt::format("move {} to {}", from, to), errno);
  }
}

}  // namespace cnm
