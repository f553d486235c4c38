// document.h: the table a JSON text is parsed into; private to common/json.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "common/json/writer.h"

namespace cnm::json::internal {

enum class Kind : uint8_t { kNull, kBool, kNumber, kString, kObject, kArray };

/// A row of the table: one value. Positions are bytes of Document::text.
struct Cell {
  uint32_t key_at = 0;
  uint32_t key_length = 0;
  uint32_t text_at = 0;      ///< a string's content, a number's digits
  uint32_t text_length = 0;  ///< of a bool: 1 is true
  uint32_t parent = 0;
  uint32_t end = 0;  ///< the row behind this value and all it holds
  Kind kind = Kind::kNull;
  bool known = false;  ///< somebody asked for its key
};

/// A key that was asked for and is not there: what a misspelt one may have meant.
struct Absent {
  uint32_t object;
  std::string key;
};

/// A parsed text: every value in document order, so that a container's first element is the next
/// row. Two heap blocks, however many values; strings are unescaped in place.
struct Document {
  std::string text;
  std::vector<Cell> cells;
  std::vector<Absent> absent;

  std::string_view Key(const Cell& cell) const {
    return std::string_view(text).substr(cell.key_at, cell.key_length);
  }
  std::string_view Text(const Cell& cell) const {
    return std::string_view(text).substr(cell.text_at, cell.text_length);
  }
};

/// Parses any one JSON value. @throws Error kDecode "WHAT: reason at byte N"
void ParseInto(Document& document, std::string_view text, std::string_view what);

/// Writes the value in row `cell` and all it holds.
void WriteCell(const Document& document, uint32_t cell, Writer& writer);

/// "$.ipam.ranges[0]"
std::string PathOf(const Document& document, uint32_t cell);
/// ".mtu", or ["cni.dev/x"] for what is no plain word; long keys are cut.
std::string PathStep(std::string_view key);
/// At most 64 bytes of `text`, cut between characters, for messages.
std::string Shortened(std::string_view text);

}  // namespace cnm::json::internal
