// tab_table.h: tables laid out as Go's tab writer does (minimum cell width 20, padding 3, left
// aligned), so that scripts that cut dnet's columns keep working.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace cnm::dnet {

/// Lines of cells, each cell ended by a tab; what follows the last tab is no cell and not padded.
class TabTable {
 public:
  /// "NAME\tTYPE" or, with the last cell padded too, "NAME\tTYPE\t".
  void AddLine(std::string_view line);
  /// All cells of a column that stand in lines right above one another are as wide as the widest
  /// and three blanks, at least 20; empty text without lines.
  std::string ToString() const;

 private:
  struct Line {
    std::vector<std::string> cells;
    std::string rest;
  };
  size_t WidthOf(size_t line, size_t column) const;

  std::vector<Line> lines_;
};

}  // namespace cnm::dnet
