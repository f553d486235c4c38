// document.cc: parsing a JSON text into the table; the only user of RapidJSON.
#include "common/json/document.h"

#include <algorithm>
#include <limits>
#include <utility>

#include <fmt/format.h>

// RapidJSON 1.1.0 adds an offset to its empty stack's null pointer: harmless, but clang's UBSan
// ends the fuzzer there.
#ifdef __clang__
#pragma clang attribute push(__attribute__((no_sanitize("pointer-overflow"))), apply_to = function)
#endif
#include <rapidjson/reader.h>
#ifdef __clang__
#pragma clang attribute pop
#endif

#include "common/base/error.h"
#include "common/json/quote.h"
#include "common/json/utf8.h"

namespace cnm::json::internal {
namespace {

constexpr uint32_t kMaxDepth = 64;
constexpr size_t kMaxShown = 64;

// In place: strings and numbers are views of the text. Iterative: nesting uses heap, not stack.
// Numbers as text: no rounding.
constexpr unsigned kFlags = rapidjson::kParseInsituFlag | rapidjson::kParseIterativeFlag |
                            rapidjson::kParseNumbersAsStringsFlag;

/// Receives RapidJSON's events and appends a row for each value.
class TableBuilder {
 public:
  explicit TableBuilder(Document& document) : document_(document) {}

  /// Why this class ended the parsing; "" if it did not.
  const std::string& refusal() const { return refusal_; }

  bool Null() { return Append({}); }
  bool Bool(bool value) { return Append({.text_length = value ? 1U : 0U, .kind = Kind::kBool}); }
  bool RawNumber(const char* digits, uint32_t length, bool /*copy*/) {
    return Append({.text_at = At(digits), .text_length = length, .kind = Kind::kNumber});
  }
  bool String(const char* text, uint32_t length, bool /*copy*/) {
    return Append({.text_at = At(text), .text_length = length, .kind = Kind::kString}) &&
           Accept(text, length);
  }
  bool Key(const char* text, uint32_t length, bool /*copy*/) {
    key_at_ = At(text);
    key_length_ = length;
    return Accept(text, length);
  }
  bool StartObject() { return Open(Kind::kObject); }
  bool EndObject(uint32_t /*members*/) { return Close(); }
  bool StartArray() { return Open(Kind::kArray); }
  bool EndArray(uint32_t /*elements*/) { return Close(); }

  // The interface requires them; kParseNumbersAsStringsFlag sends every number to RawNumber.
  bool Int(int /*value*/) { return false; }
  bool Uint(unsigned /*value*/) { return false; }
  bool Int64(int64_t /*value*/) { return false; }
  bool Uint64(uint64_t /*value*/) { return false; }
  bool Double(double /*value*/) { return false; }

 private:
  bool Refuse(std::string reason) {
    refusal_ = std::move(reason);
    return false;
  }

  /// Checked here because RapidJSON's own check (1.1.0) reads behind a text that ends within a
  /// character, and lets a lone "\udc00" through.
  bool Accept(const char* text, uint32_t length) {
    return IsUtf8({text, length}) || Refuse("a string that is not UTF-8");
  }

  uint32_t At(const char* position) const {
    return static_cast<uint32_t>(position - document_.text.data());
  }

  bool Append(Cell cell) {
    cell.key_at = key_at_;
    cell.key_length = key_length_;
    cell.parent = open_;
    cell.end = static_cast<uint32_t>(document_.cells.size()) + 1;
    document_.cells.push_back(cell);
    key_at_ = key_length_ = 0;
    return true;
  }

  bool Open(Kind kind) {
    if (++depth_ > kMaxDepth) return Refuse(fmt::format("nested deeper than {} levels", kMaxDepth));
    const auto row = static_cast<uint32_t>(document_.cells.size());
    Append({.kind = kind});
    open_ = row;
    return true;
  }

  bool Close() {
    --depth_;
    document_.cells[open_].end = static_cast<uint32_t>(document_.cells.size());
    open_ = document_.cells[open_].parent;
    return true;
  }

  Document& document_;
  uint32_t key_at_ = 0;
  uint32_t key_length_ = 0;
  uint32_t open_ = 0;  ///< the row of the innermost open container
  uint32_t depth_ = 0;
  std::string refusal_;
};

std::string_view Reason(rapidjson::ParseErrorCode code) {
  switch (code) {
    case rapidjson::kParseErrorDocumentRootNotSingular:
      return "something follows the document";
    case rapidjson::kParseErrorValueInvalid:
      return "want a value";
    case rapidjson::kParseErrorObjectMissName:
      return "want a key in quotes or '}'";
    case rapidjson::kParseErrorObjectMissColon:
      return "want ':' after the key";
    case rapidjson::kParseErrorObjectMissCommaOrCurlyBracket:
      return "want ',' or '}'";
    case rapidjson::kParseErrorArrayMissCommaOrSquareBracket:
      return "want ',' or ']'";
    case rapidjson::kParseErrorStringUnicodeEscapeInvalidHex:
      return "want four hex digits after \\u";
    case rapidjson::kParseErrorStringUnicodeSurrogateInvalid:
      return "half a surrogate pair";
    case rapidjson::kParseErrorStringEscapeInvalid:
      return "an unknown escape or a bare control character";
    case rapidjson::kParseErrorStringMissQuotationMark:
      return "want '\"' at the end of the string";
    case rapidjson::kParseErrorNumberTooBig:
      return "number too big";
    case rapidjson::kParseErrorNumberMissFraction:
      return "want a digit after the decimal point";
    case rapidjson::kParseErrorNumberMissExponent:
      return "want a digit in the exponent";
    default:
      return "not JSON";
  }
}

[[noreturn]] void FailAt(std::string_view what, std::string_view reason, size_t at, size_t size) {
  throw Error(Code::kDecode, fmt::format("{}: {} at byte {}{}", what, reason, at,
                                         at >= size ? ", where the text ends" : ""));
}

bool IsPlainWord(std::string_view key) {
  return !key.empty() && key.size() <= kMaxShown && std::all_of(key.begin(), key.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '-';
  });
}

uint32_t PositionInParent(const Document& document, uint32_t cell) {
  uint32_t position = 0;
  for (uint32_t i = document.cells[cell].parent + 1; i < cell; i = document.cells[i].end) {
    ++position;
  }
  return position;
}

}  // namespace

void ParseInto(Document& document, std::string_view text, std::string_view what) {
  if (text.starts_with("\xef\xbb\xbf")) FailAt(what, "a byte order mark", 0, text.size());
  if (text.find_first_not_of(" \t\r\n") == text.npos) {
    throw Error(Code::kDecode, fmt::format("{}: empty, want a JSON document", what));
  }
  if (text.size() > std::numeric_limits<uint32_t>::max()) {
    throw Error(Code::kDecode, fmt::format("{}: larger than 4 GiB", what));
  }
  document.text = text;
  document.cells.reserve(16 + text.size() / 16);  // typical of configurations: one allocation
  TableBuilder builder(document);
  rapidjson::InsituStringStream stream(document.text.data());
  rapidjson::Reader reader;
  const rapidjson::ParseResult result = reader.Parse<kFlags>(stream, builder);
  if (!builder.refusal().empty()) FailAt(what, builder.refusal(), result.Offset(), text.size());
  if (result.IsError()) FailAt(what, Reason(result.Code()), result.Offset(), text.size());
  // RapidJSON takes a NUL byte for the end of the text.
  if (stream.Tell() != text.size()) FailAt(what, "a NUL byte", stream.Tell(), text.size());
  if (document.cells.capacity() > document.cells.size() + 256) document.cells.shrink_to_fit();
}

void WriteCell(const Document& document, uint32_t cell, Writer& writer) {
  const Cell& value = document.cells[cell];
  switch (value.kind) {
    case Kind::kNull:
      writer.Null();
      return;
    case Kind::kBool:
      writer.Bool(value.text_length != 0);
      return;
    case Kind::kNumber:
      writer.Number(document.Text(value));
      return;
    case Kind::kString:
      writer.String(document.Text(value));
      return;
    case Kind::kObject:
      writer.BeginObject();
      break;
    case Kind::kArray:
      writer.BeginArray();
      break;
  }
  const bool object = value.kind == Kind::kObject;
  for (uint32_t i = cell + 1; i < value.end; i = document.cells[i].end) {
    if (object) writer.Key(document.Key(document.cells[i]));
    WriteCell(document, i, writer);  // at most kMaxDepth levels
  }
  object ? writer.EndObject() : writer.EndArray();
}

std::string PathOf(const Document& document, uint32_t cell) {
  if (cell == 0) return "$";
  const Cell& value = document.cells[cell];
  const std::string parent = PathOf(document, value.parent);
  if (document.cells[value.parent].kind == Kind::kArray) {
    return fmt::format("{}[{}]", parent, PositionInParent(document, cell));
  }
  return parent + PathStep(document.Key(value));
}

std::string PathStep(std::string_view key) {
  if (IsPlainWord(key)) return fmt::format(".{}", key);
  std::string step = "[";
  AppendQuoted(step, Shortened(key));
  return step + "]";
}

std::string Shortened(std::string_view text) {
  if (text.size() <= kMaxShown) return std::string(text);
  size_t length = kMaxShown;
  while (length > 0 && (static_cast<unsigned char>(text[length]) & 0xc0U) == 0x80U) --length;
  return fmt::format("{}...", text.substr(0, length));
}

}  // namespace cnm::json::internal
