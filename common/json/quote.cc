// quote.cc: JSON string literals as Go's encoder writes them.
#include "common/json/quote.h"

#include <cstdint>
#include <iterator>

#include <fmt/format.h>

namespace cnm::json::internal {
namespace {

bool IsPlain(unsigned char c) {
  return c >= 0x20 && c < 0x80 && c != '"' && c != '\\' && c != '<' && c != '>' && c != '&';
}

void AppendEscaped(std::string& out, unsigned char c) {
  switch (c) {
    case '"':
      out += "\\\"";
      return;
    case '\\':
      out += "\\\\";
      return;
    case '\n':
      out += "\\n";
      return;
    case '\r':
      out += "\\r";
      return;
    case '\t':
      out += "\\t";
      return;
    case '\b':
      out += "\\b";
      return;
    case '\f':
      out += "\\f";
      return;
    default:
      fmt::format_to(std::back_inserter(out), "\\u{:04x}", c);
  }
}

struct Sequence {
  size_t length;  ///< bytes; 0: not UTF-8
  uint32_t code_point;
};

/// The multi-byte character `text` begins with (Unicode 15, table 3-7: no overlong forms, no
/// surrogates).
Sequence DecodeMultiByte(std::string_view text) {
  const auto byte = [&](size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char lead = byte(0);
  const size_t length = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : 2;
  if (lead < 0xc2 || lead > 0xf4 || text.size() < length) return {0, 0};
  uint32_t code_point = lead & (0x7fU >> length);
  for (size_t i = 1; i < length; ++i) {
    if ((byte(i) & 0xc0U) != 0x80U) return {0, 0};
    code_point = code_point << 6U | (byte(i) & 0x3fU);
  }
  const bool overlong =
      (length == 3 && code_point < 0x800) || (length == 4 && code_point < 0x10000);
  const bool surrogate = code_point >= 0xd800 && code_point <= 0xdfff;
  if (overlong || surrogate || code_point > 0x10ffff) return {0, 0};
  return {length, code_point};
}

}  // namespace

void AppendQuoted(std::string& out, std::string_view text) {
  out += '"';
  while (!text.empty()) {
    size_t plain = 0;
    while (plain < text.size() && IsPlain(static_cast<unsigned char>(text[plain]))) ++plain;
    out += text.substr(0, plain);
    text.remove_prefix(plain);
    if (text.empty()) break;
    size_t taken = 1;
    if (const auto c = static_cast<unsigned char>(text[0]); c < 0x80) {
      AppendEscaped(out, c);
    } else if (const Sequence s = DecodeMultiByte(text); s.length == 0) {
      out += "\\ufffd";
    } else if (taken = s.length; s.code_point == 0x2028 || s.code_point == 0x2029) {
      fmt::format_to(std::back_inserter(out), "\\u{:04x}", s.code_point);
    } else {
      out += text.substr(0, s.length);
    }
    text.remove_prefix(taken);
  }
  out += '"';
}

}  // namespace cnm::json::internal
