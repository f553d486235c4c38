// file_store.h: a Store of one JSON file a document.
#pragma once

#include <memory>
#include <string>

#include "cnm/store/store.h"
#include "common/base/atomic_file.h"
#include "common/base/fd.h"

namespace cnm {

/// `<directory>/<prefix>/<name, percent-encoded>.json`; operators read it with ls and cat. A change
/// is a temporary file and a rename under an flock on
/// `<directory>/<prefix>/.lock`, which is never renamed (no flock with kAnyVersion: the caller's
/// own lock serialises). The version is made of the file's inode, time and size: every rename
/// changes it, and comparing it costs one stat instead of a read. Unreadable documents go to
/// `<directory>/quarantine/`.
class FileStore : public Store {
 public:
  /// Creates the directory (0700) when something is first put. Reading an absent directory finds
  /// nothing.
  FileStore(std::string directory, Durability durability)
      : directory_(std::move(directory)), durability_(durability) {}

  std::optional<StoredDocument> Get(std::string_view key) override;
  std::optional<uint64_t> Put(std::string_view key, std::string_view json,
                              uint64_t expected) override;
  bool Delete(std::string_view key, uint64_t expected) override;
  std::vector<StoredDocument> List(std::string_view prefix) override;
  void Quarantine(std::string_view key) override;

 private:
  std::string PathOf(std::string_view key) const;
  std::string DirectoryOf(std::string_view key) const;
  void EnsureDirectory(std::string_view key);

  std::string directory_;
  Durability durability_;
  std::string ensured_;  ///< the prefix directory last seen to exist
};

/// A key's name as a file name: letters, digits, '_', '-' and '.' (not first) stay, other bytes
/// become %XX.
std::string PercentEncode(std::string_view name);
std::string PercentDecode(std::string_view text);

}  // namespace cnm
