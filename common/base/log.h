// log.h: warnings for people (stderr) and the flight recorder for operators (a ring file).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace cnm {

/// Writes "cnm: <text>\n" to stderr in one write. Never fails.
void Warn(std::string_view text) noexcept;

/// The flight recorder: a file of kSlots slots of kSlotBytes, each one line of JSON, the oldest
/// overwritten. Writers of different processes claim slots by an atomic counter in the mapped first
/// page, so no lock is held and a killed writer leaves at most one torn slot, which readers skip.
class RingLog {
 public:
  static constexpr uint32_t kSlots = 2048;
  static constexpr uint32_t kSlotBytes = 1024;
  static constexpr uint32_t kHeaderBytes = 4096;

  /// `path` is created at the first Append.
  explicit RingLog(std::string path) : path_(std::move(path)) {}

  /// Appends one line (no newline inside; cut to kSlotBytes - 1 bytes). Never throws: a log that
  /// cannot be written must not fail the work; returns false then.
  bool Append(std::string_view line) noexcept;

  /// All whole lines, oldest first. An absent file is an empty log.
  /// @throws Error kIo
  std::vector<std::string> Read() const;

 private:
  std::string path_;
};

}  // namespace cnm
