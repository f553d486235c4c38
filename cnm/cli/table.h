// table.h: rows for people.
#pragma once

#include <string>
#include <vector>

namespace cnm::cli {

/// Aligned columns with a header line, two spaces apart. Cells are text; an empty cell is shown as
/// "-".
class Table {
 public:
  explicit Table(std::vector<std::string> header) : rows_{std::move(header)} {}
  void Add(std::vector<std::string> row) { rows_.push_back(std::move(row)); }
  bool empty() const { return rows_.size() == 1; }
  std::string ToString() const;

 private:
  std::vector<std::vector<std::string>> rows_;
};

}  // namespace cnm::cli
