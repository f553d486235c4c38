// fake_world.h: what a plugin process is given, made by a test: environment, files for the streams,
// a directory.
#pragma once

#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/atomic_file.h"
#include "common/base/fd.h"
#include "plugins/cni/environment.h"

namespace cnm::cni {

/// Variables that live as long as this object.
class FakeEnvironment {
 public:
  explicit FakeEnvironment(const std::map<std::string, std::string>& variables) {
    for (const auto& [name, value] : variables)
      text_.push_back(std::string(name).append("=").append(value));
    for (const std::string& entry : text_) entries_.push_back(entry.c_str());
    entries_.push_back(nullptr);
  }
  Environment get() const { return Environment(entries_.data()); }

 private:
  std::vector<std::string> text_;
  std::vector<const char*> entries_;
};

/// A file in memory that stands for one stream.
class FakeStream {
 public:
  explicit FakeStream(std::string_view content = "") : fd_(::memfd_create("stream", MFD_CLOEXEC)) {
    WriteAll(fd_.get(), content, "stream");
    ::lseek(fd_.get(), 0, SEEK_SET);
  }
  int fd() const { return fd_.get(); }
  /// Everything written so far.
  std::string Text() const {
    ::lseek(fd_.get(), 0, SEEK_SET);
    return ReadAll(fd_.get(), size_t{1} << 20, "stream");
  }

 private:
  Fd fd_;
};

/// A directory that is removed with all it holds.
class TemporaryDirectory {
 public:
  TemporaryDirectory() {
    std::string pattern = std::filesystem::temp_directory_path() / "cnm-test-XXXXXX";
    path_ = ::mkdtemp(pattern.data());
  }
  TemporaryDirectory(const TemporaryDirectory&) = delete;
  TemporaryDirectory& operator=(const TemporaryDirectory&) = delete;
  ~TemporaryDirectory() { std::filesystem::remove_all(path_); }

  const std::string& path() const { return path_; }
  std::string operator/(std::string_view name) const { return path_ + "/" + std::string(name); }

  /// Writes a program.
  std::string Script(std::string_view name, std::string_view text) const {
    std::string file = *this / name;
    std::ofstream(file) << "#!/bin/sh\n" << text;
    std::filesystem::permissions(file, std::filesystem::perms::owner_all);
    return file;
  }

 private:
  std::string path_;
};

}  // namespace cnm::cni
