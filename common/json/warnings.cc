// warnings.cc: an object's keys, and what is odd about them.
#include <algorithm>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include <fmt/format.h>

#include "common/json/document.h"
#include "common/json/nearest_key.h"
#include "common/json/object.h"

namespace cnm::json {
namespace {

using internal::Cell;
using internal::Document;

constexpr size_t kMostWarnings = 16;

/// A key as written, and what became of it.
struct Member {
  std::string_view key;
  size_t times = 1;
  bool known = false;
};

/// The distinct keys of an object in order of appearance; O(n log n), for a hostile object may have
/// a million.
std::vector<Member> MembersOf(const Document& document, uint32_t object) {
  std::vector<Member> members;
  std::map<std::string_view, size_t> positions;
  for (uint32_t i = object + 1; i < document.cells[object].end; i = document.cells[i].end) {
    const Cell& cell = document.cells[i];
    const auto [position, first] = positions.emplace(document.Key(cell), members.size());
    if (first) {
      members.push_back({.key = document.Key(cell), .known = cell.known});
    } else {
      ++members[position->second].times;
    }
  }
  return members;
}

std::vector<std::string> KnownKeys(const Document& document, uint32_t object,
                                   const std::vector<Member>& members) {
  std::vector<std::string> known;
  for (const internal::Absent& absent : document.absent) {
    if (absent.object == object) known.push_back(absent.key);
  }
  for (const Member& member : members) {
    if (member.known) known.emplace_back(member.key);
  }
  return known;
}

}  // namespace

std::vector<std::string> Object::Keys() const {
  std::vector<std::string> keys;
  for (const Member& member : MembersOf(*document_, cell_)) keys.emplace_back(member.key);
  return keys;
}

std::vector<std::string> Object::RepeatedKeys() const {
  std::vector<std::string> keys;
  for (const Member& member : MembersOf(*document_, cell_)) {
    if (member.times > 1) keys.emplace_back(member.key);
  }
  return keys;
}

std::vector<std::string> Object::Warnings() const {
  const std::vector<Member> members = MembersOf(*document_, cell_);
  const auto odd = [](const Member& m) { return !m.known || m.times > 1; };
  if (std::none_of(members.begin(), members.end(), odd)) return {};
  const std::vector<std::string> known = KnownKeys(*document_, cell_, members);
  const std::string here = path();
  std::vector<std::string> warnings;
  size_t untold = 0;
  for (const Member& member : members) {
    if (!odd(member)) continue;
    if (warnings.size() >= kMostWarnings) {
      ++untold;
      continue;
    }
    const std::string where = here + internal::PathStep(member.key);
    if (member.times > 1) {
      warnings.push_back(fmt::format("{}: given {} times, the last is used", where, member.times));
    }
    if (member.known) continue;
    const std::string nearest = NearestKey(member.key, known);
    warnings.push_back(nearest.empty()
                           ? fmt::format("{}: unknown", where)
                           : fmt::format("{}: unknown, did you mean {}?", where, nearest));
  }
  if (untold > 0) warnings.push_back(fmt::format("{}: {} more odd keys", here, untold));
  return warnings;
}

}  // namespace cnm::json
