// nearest_key.cc: which known word a misspelt one was probably meant to be.
#include "common/json/nearest_key.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <utility>

namespace cnm::json {
namespace {

constexpr size_t kLongest = 48;  // no key of ours is longer; bounds the work on hostile input
using Row = std::array<size_t, kLongest + 1>;

char Lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

/// Edits that turn `a` into `b`: insert, remove, replace, or swap two neighbours (optimal string
/// alignment).
size_t EditDistance(std::string_view a, std::string_view b) {
  Row before_last{};
  Row last{};
  Row row{};
  for (size_t j = 0; j <= b.size(); ++j) row[j] = j;
  for (size_t i = 1; i <= a.size(); ++i) {
    before_last = std::exchange(last, row);
    row[0] = i;
    for (size_t j = 1; j <= b.size(); ++j) {
      const bool same = Lower(a[i - 1]) == Lower(b[j - 1]);
      row[j] = std::min({last[j] + 1, row[j - 1] + 1, last[j - 1] + (same ? 0 : 1)});
      const bool swapped = i > 1 && j > 1 && Lower(a[i - 1]) == Lower(b[j - 2]) &&
                           Lower(a[i - 2]) == Lower(b[j - 1]);
      if (swapped) row[j] = std::min(row[j], before_last[j - 2] + 1);
    }
  }
  return row[b.size()];
}

}  // namespace

std::string NearestKey(std::string_view word, std::span<const std::string> candidates) {
  if (word.size() > kLongest) return "";
  const std::string* nearest = nullptr;
  size_t smallest = kLongest;
  for (const std::string& candidate : candidates) {
    if (candidate.size() > kLongest) continue;
    const size_t distance = EditDistance(word, candidate);
    if (distance * 3 > std::max(word.size(), candidate.size()) || distance >= smallest) continue;
    smallest = distance;
    nearest = &candidate;
  }
  return nearest == nullptr ? "" : *nearest;
}

}  // namespace cnm::json
