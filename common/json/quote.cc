// quote.cc: JSON string literals as Go's encoder writes them.
#include "common/json/quote.h"

#include <iterator>

#include <fmt/format.h>

#include "common/json/utf8.h"

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

}  // namespace

void AppendQuoted(std::string& out, std::string_view text) {
  // Doubling a long text again and again would cost more memory than the text.
  if (text.size() > 4096) out.reserve(out.size() + text.size() + text.size() / 8);
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
    } else if (const Character s = FirstCharacter(text); s.length == 0) {
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
