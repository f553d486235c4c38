// store.h: versioned documents under hierarchical keys.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace cnm {

/// A document and the version it was read at.
struct StoredDocument {
  std::string key;
  std::string json;
  uint64_t version = 0;  ///< opaque; never 0 for an existing document
};

/// Expected version of a document that must not exist yet.
inline constexpr uint64_t kAbsent = 0;
/// No expectation: for callers that hold the object's own lock, so that nobody else can have
/// changed it.
inline constexpr uint64_t kAnyVersion = UINT64_MAX;

/// Keys are "prefix/name"; a name may hold any byte. Every change of a document gives it a new
/// version; Put and Delete compare the version first and do nothing on a mismatch.
class Store {
 public:
  virtual ~Store() = default;

  /// nullopt if there is none. @throws Error kIo
  virtual std::optional<StoredDocument> Get(std::string_view key) = 0;
  /// @returns the new version, or nullopt if the document is not at `expected`. @throws Error kIo
  virtual std::optional<uint64_t> Put(std::string_view key, std::string_view json,
                                      uint64_t expected) = 0;
  /// @returns false if it is not at `expected` or absent. @throws Error kIo
  virtual bool Delete(std::string_view key, uint64_t expected) = 0;
  /// All documents under "prefix/", by name. @throws Error kIo
  virtual std::vector<StoredDocument> List(std::string_view prefix) = 0;
  /// Moves a document that cannot be read out of the way, where a person can look at it.
  virtual void Quarantine(std::string_view key) = 0;
};

}  // namespace cnm
