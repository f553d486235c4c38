// writer.cc: writing JSON text.
#include "common/json/writer.h"

#include <utility>

#include <fmt/format.h>

#include "common/base/error.h"
#include "common/json/document.h"
#include "common/json/quote.h"

namespace cnm::json {
namespace {

constexpr size_t kSlack = 4096;

}  // namespace

Writer& Writer::BeginObject() {
  return Begin('{');
}
Writer& Writer::EndObject() {
  return End('}');
}
Writer& Writer::BeginArray() {
  return Begin('[');
}
Writer& Writer::EndArray() {
  return End(']');
}

Writer& Writer::Key(std::string_view key) {
  Separate();
  internal::AppendQuoted(text_, key);
  text_ += style_ == Style::kIndented ? ": " : ":";
  next_ = Next::kValue;
  return *this;
}

Writer& Writer::String(std::string_view value) {
  Separate();
  internal::AppendQuoted(text_, value);
  return *this;
}

Writer& Writer::Int(int64_t value) {
  const fmt::format_int digits(value);
  return Literal({digits.data(), digits.size()});
}

Writer& Writer::Uint(uint64_t value) {
  const fmt::format_int digits(value);
  return Literal({digits.data(), digits.size()});
}

Writer& Writer::Bool(bool value) {
  return Literal(value ? "true" : "false");
}
Writer& Writer::Null() {
  return Literal("null");
}
Writer& Writer::Number(std::string_view digits) {
  return Literal(digits);
}

Writer& Writer::Raw(std::string_view json) {
  internal::Document document;
  try {
    internal::ParseInto(document, json, "text to embed");
  } catch (const Error& e) {
    throw Error(Code::kInternal, e.message());
  }
  internal::WriteCell(document, 0, *this);
  return *this;
}

Writer& Writer::MemberUnlessEmpty(std::string_view key, const std::vector<std::string>& values) {
  if (values.empty()) return *this;
  Key(key).BeginArray();
  for (const std::string& value : values) String(value);
  return EndArray();
}

std::string Writer::Take() {
  if (depth_ != 0 || next_ == Next::kValue) {
    throw Error(Code::kInternal, "write JSON: an object or array is still open");
  }
  next_ = Next::kFirst;
  // What grew by doubling may be half empty, and journals keep such texts.
  if (text_.capacity() > text_.size() + kSlack) text_.shrink_to_fit();
  return std::exchange(text_, {});
}

// Before every key and value: what has to stand between it and what precedes it.
void Writer::Separate() {
  const Next next = std::exchange(next_, Next::kElement);
  if (next == Next::kValue || depth_ == 0) return;
  if (next == Next::kElement) text_ += ',';
  BreakLine();
}

void Writer::BreakLine() {
  if (style_ != Style::kIndented) return;
  text_ += '\n';
  text_.append(size_t{4} * depth_, ' ');
}

Writer& Writer::Begin(char bracket) {
  Separate();
  text_ += bracket;
  ++depth_;
  next_ = Next::kFirst;
  return *this;
}

Writer& Writer::End(char bracket) {
  if (depth_ == 0) throw Error(Code::kInternal, "write JSON: nothing is open");
  --depth_;
  if (next_ != Next::kFirst) BreakLine();
  text_ += bracket;
  next_ = Next::kElement;
  return *this;
}

Writer& Writer::Literal(std::string_view text) {
  Separate();
  text_ += text;
  return *this;
}

}  // namespace cnm::json
