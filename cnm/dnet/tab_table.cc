// tab_table.cc: tables laid out as Go's tab writer does.
#include "cnm/dnet/tab_table.h"

#include <algorithm>

#include <fmt/format.h>

namespace cnm::dnet {
namespace {

constexpr size_t kMinimumWidth = 20;
constexpr size_t kPadding = 3;

/// Characters, not bytes, as the tab writer counts.
size_t LengthOf(std::string_view utf8) {
  return static_cast<size_t>(std::count_if(utf8.begin(), utf8.end(), [](char c) {
    return (static_cast<unsigned char>(c) & 0xC0U) != 0x80U;
  }));
}

}  // namespace

void TabTable::AddLine(std::string_view line) {
  Line& added = lines_.emplace_back();
  for (size_t tab = 0; (tab = line.find('\t')) != std::string_view::npos;) {
    added.cells.emplace_back(line.substr(0, tab));
    line.remove_prefix(tab + 1);
  }
  added.rest = line;
}

/// A column ends where a line has no such cell.
size_t TabTable::WidthOf(size_t line, size_t column) const {
  const auto has = [&](size_t i) { return lines_[i].cells.size() > column; };
  size_t first = line;
  while (first > 0 && has(first - 1)) --first;
  size_t width = kMinimumWidth;
  for (size_t i = first; i < lines_.size() && has(i); ++i) {
    width = std::max(width, LengthOf(lines_[i].cells[column]) + kPadding);
  }
  return width;
}

std::string TabTable::ToString() const {
  std::string text;
  // Within a column's lines its width is the same: computed at the first of them.
  std::vector<size_t> widths;
  for (size_t i = 0; i < lines_.size(); ++i) {
    const Line& line = lines_[i];
    const size_t shared = std::min(widths.size(), line.cells.size());
    widths.resize(shared);
    for (size_t j = shared; j < line.cells.size(); ++j) widths.push_back(WidthOf(i, j));
    for (size_t j = 0; j < line.cells.size(); ++j) {
      text += line.cells[j];
      text.append(widths[j] - LengthOf(line.cells[j]), ' ');
    }
    text += line.rest;
    text += '\n';
  }
  return text;
}

}  // namespace cnm::dnet
