// table.cc: rows for people.
#include "cnm/cli/table.h"

#include <algorithm>

#include <fmt/format.h>

namespace cnm::cli {

std::string Table::ToString() const {
  std::vector<size_t> widths(rows_.front().size(), 1);
  for (const auto& row : rows_) {
    for (size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], row[i].size());
  }
  std::string text;
  for (const auto& row : rows_) {
    for (size_t i = 0; i < row.size(); ++i) {
      const std::string_view cell = row[i].empty() ? std::string_view("-") : row[i];
      if (i + 1 == row.size()) {
        text += fmt::format("{}\n", cell);
      } else {
        text += fmt::format("{:<{}}  ", cell, widths[i]);
      }
    }
  }
  return text;
}

}  // namespace cnm::cli
