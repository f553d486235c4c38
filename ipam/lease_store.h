// lease_store.h: where pools and their addresses are kept; implemented over the stores of cnm/.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace cnm::ipam {

/// A value and the version that a change of it must name. Versions are never 0.
struct Versioned {
  std::string value;
  uint64_t version = 0;
};

/// A map from keys ("ipam/config/LocalDefault") to JSON documents, changed by compare-and-swap,
/// shared by processes or hosts.
class LeaseStore {
 public:
  virtual ~LeaseStore() = default;
  /// @throws Error kIo
  virtual std::optional<Versioned> Get(std::string_view key) = 0;
  /// Writes if the key's version is still `expected` (0: if there is no such key). @returns false
  /// when it is not. @throws Error kIo
  virtual bool Put(std::string_view key, std::string_view value, uint64_t expected) = 0;
  /// Removes if the version is still `expected`. @returns false when it is not, or there is no such
  /// key. @throws Error kIo
  virtual bool Delete(std::string_view key, uint64_t expected) = 0;
};

}  // namespace cnm::ipam
