// nearest_key.cc: which known word a misspelt one was probably meant to be.
#include "common/json/nearest_key.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>

namespace cnm::json {
namespace {

constexpr size_t kLongest = 48;  // no key of ours is longer; bounds the work on hostile input
using Row = std::array<uint8_t, kLongest + 1>;

char Lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

/// Edits that turn `a` into `b`: insert, remove, replace, or swap two neighbours (optimal string
/// alignment).
size_t EditDistance(std::string_view a, std::string_view b) {
  std::array<Row, 3> rows;  // NOLINT(cppcoreguidelines-pro-type-member-init): written before read
  for (size_t j = 0; j <= b.size(); ++j) rows[0][j] = static_cast<uint8_t>(j);
  for (size_t i = 1; i <= a.size(); ++i) {
    Row& row = rows[i % 3];
    const Row& last = rows[(i + 2) % 3];
    const Row& before_last = rows[(i + 1) % 3];
    row[0] = static_cast<uint8_t>(i);
    for (size_t j = 1; j <= b.size(); ++j) {
      const bool same = Lower(a[i - 1]) == Lower(b[j - 1]);
      int edits = std::min({last[j] + 1, row[j - 1] + 1, last[j - 1] + (same ? 0 : 1)});
      const bool swapped = i > 1 && j > 1 && Lower(a[i - 1]) == Lower(b[j - 2]) &&
                           Lower(a[i - 2]) == Lower(b[j - 1]);
      if (swapped) edits = std::min(edits, before_last[j - 2] + 1);
      row[j] = static_cast<uint8_t>(edits);
    }
  }
  return rows[a.size() % 3][b.size()];
}

}  // namespace

std::string NearestKey(std::string_view word, std::span<const std::string> candidates) {
  if (word.size() > kLongest) return "";
  const std::string* nearest = nullptr;
  size_t smallest = kLongest;
  for (const std::string& candidate : candidates) {
    const auto [shorter, longer] = std::minmax({word.size(), candidate.size()});
    if (longer > kLongest || 3 * (longer - shorter) > longer) continue;
    const size_t distance = EditDistance(word, candidate);
    if (3 * distance > longer || distance >= smallest) continue;
    smallest = distance;
    nearest = &candidate;
  }
  return nearest == nullptr ? "" : *nearest;
}

}  // namespace cnm::json
