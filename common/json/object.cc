// object.cc: typed decoding of a JSON document, with the path in every error.
#include "common/json/object.h"

#include <algorithm>
#include <charconv>
#include <system_error>

#include <fmt/format.h>

#include "common/base/error.h"
#include "common/json/document.h"
#include "common/json/writer.h"

namespace cnm::json {
namespace {

using internal::Cell;
using internal::Document;
using internal::Kind;

std::string_view KindName(Kind kind) {
  switch (kind) {
    case Kind::kNull:
      return "null";
    case Kind::kBool:
      return "a boolean";
    case Kind::kNumber:
      return "a number";
    case Kind::kString:
      return "a string";
    case Kind::kObject:
      return "an object";
    case Kind::kArray:
      return "an array";
  }
  return "nothing";
}

bool SameIgnoringCase(std::string_view a, std::string_view b) {
  const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c; };
  return a.size() == b.size() && std::equal(a.begin(), a.end(), b.begin(),
                                            [&](char x, char y) { return lower(x) == lower(y); });
}

/// The row of `key` in an object, null or not; 0, which no member has, if absent. Marks the key as
/// known.
uint32_t FindMember(Document& document, uint32_t object, std::string_view key) {
  uint32_t exact = 0;
  uint32_t similar = 0;
  for (uint32_t i = object + 1; i < document.cells[object].end; i = document.cells[i].end) {
    Cell& member = document.cells[i];
    const std::string_view name = document.Key(member);
    if (!SameIgnoringCase(name, key)) continue;
    member.known = true;
    (name == key ? exact : similar) = i;
  }
  if (exact == 0 && similar == 0) document.absent.push_back({object, std::string(key)});
  return exact != 0 ? exact : similar;
}

/// As FindMember, and null is absent.
uint32_t FindValue(Document& document, uint32_t object, std::string_view key) {
  const uint32_t cell = FindMember(document, object, key);
  return document.cells[cell].kind == Kind::kNull ? 0 : cell;
}

[[noreturn]] void FailWanting(const Document& document, uint32_t cell, std::string_view wanted) {
  const Cell& value = document.cells[cell];
  const bool number = value.kind == Kind::kNumber && wanted == "a whole number";
  throw Error(Code::kDecode,
              fmt::format("{}: want {}, got {}", internal::PathOf(document, cell), wanted,
                          number ? internal::Shortened(document.Text(value))
                                 : std::string(KindName(value.kind))));
}

std::string_view StringIn(const Document& document, uint32_t cell) {
  if (document.cells[cell].kind != Kind::kString) FailWanting(document, cell, "a string");
  return document.Text(document.cells[cell]);
}

/// A whole number within the bounds, which are of its type.
template <class Number>
Number WholeNumberIn(const Document& document, uint32_t cell, Number low, Number high) {
  const std::string_view digits = document.Text(document.cells[cell]);
  const bool whole = document.cells[cell].kind == Kind::kNumber &&
                     digits.find_first_not_of("-0123456789") == digits.npos;
  if (!whole) FailWanting(document, cell, "a whole number");
  Number number{};
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), number);
  if (error == std::errc() && number >= low && number <= high) return number;
  throw Error(Code::kConfig,
              fmt::format("{}: {} is not in {}..{}", internal::PathOf(document, cell),
                          internal::Shortened(digits), low, high));
}

std::string TextOf(const Document& document, uint32_t cell) {
  Writer writer;
  internal::WriteCell(document, cell, writer);
  return writer.Take();
}

}  // namespace

std::string Object::path() const {
  return internal::PathOf(*document_, cell_);
}

bool Object::Has(std::string_view key) const {
  return FindValue(*document_, cell_, key) != 0;
}

bool Object::Optional(std::string_view key, std::string& out) const {
  const uint32_t cell = FindValue(*document_, cell_, key);
  if (cell == 0) return false;
  out = StringIn(*document_, cell);
  return true;
}

bool Object::Optional(std::string_view key, bool& out) const {
  const uint32_t cell = FindValue(*document_, cell_, key);
  if (cell == 0) return false;
  if (document_->cells[cell].kind != Kind::kBool) FailWanting(*document_, cell, "true or false");
  out = document_->cells[cell].text_length != 0;
  return true;
}

bool Object::Optional(std::string_view key, int64_t& out, Between range) const {
  const uint32_t cell = FindValue(*document_, cell_, key);
  if (cell == 0) return false;
  out = WholeNumberIn<int64_t>(*document_, cell, range.low, range.high);
  return true;
}

bool Object::Optional(std::string_view key, uint32_t& out, Between range) const {
  const uint32_t cell = FindValue(*document_, cell_, key);
  if (cell == 0) return false;
  out = static_cast<uint32_t>(WholeNumberIn<int64_t>(*document_, cell,
                                                     std::max<int64_t>(range.low, 0),
                                                     std::min<int64_t>(range.high, UINT32_MAX)));
  return true;
}

bool Object::Optional(std::string_view key, uint64_t& out) const {
  const uint32_t cell = FindValue(*document_, cell_, key);
  if (cell == 0) return false;
  out = WholeNumberIn<uint64_t>(*document_, cell, 0, UINT64_MAX);
  return true;
}

bool Object::Optional(std::string_view key, std::vector<std::string>& out) const {
  const std::optional<std::vector<Value>> elements = OptionalArray(key);
  if (!elements) return false;
  std::vector<std::string> strings;
  strings.reserve(elements->size());
  for (const Value& element : *elements) strings.push_back(element.String());
  out = std::move(strings);
  return true;
}

void Object::Required(std::string_view key, std::string& out) const {
  if (!Optional(key, out)) Fail(key, "missing, want a string");
}

std::optional<Object> Object::OptionalObject(std::string_view key) const {
  const uint32_t cell = FindValue(*document_, cell_, key);
  if (cell == 0) return std::nullopt;
  return Value(document_, cell).AsObject();
}

Object Object::RequiredObject(std::string_view key) const {
  std::optional<Object> object = OptionalObject(key);
  if (!object) Fail(key, "missing, want an object");
  return *std::move(object);
}

std::optional<std::vector<Value>> Object::OptionalArray(std::string_view key) const {
  const uint32_t cell = FindValue(*document_, cell_, key);
  if (cell == 0) return std::nullopt;
  return Value(document_, cell).Array();
}

std::vector<Object> Object::Objects(std::string_view key) const {
  std::vector<Object> objects;
  const std::optional<std::vector<Value>> elements = OptionalArray(key);
  if (!elements) return objects;
  objects.reserve(elements->size());
  for (const Value& element : *elements) objects.push_back(element.AsObject());
  return objects;
}

void Object::Ignore(std::string_view key) const {
  FindMember(*document_, cell_, key);
}

std::vector<std::pair<std::string, Value>> Object::Members() const {
  std::vector<std::pair<std::string, Value>> members;
  auto& cells = document_->cells;
  for (uint32_t i = cell_ + 1; i < cells[cell_].end; i = cells[i].end) {
    cells[i].known = true;
    members.emplace_back(document_->Key(cells[i]), Value(document_, i));
  }
  return members;
}

void Object::Fail(std::string_view key, std::string_view reason) const {
  throw Error(Code::kConfig, fmt::format("{}{}: {}", path(), internal::PathStep(key), reason));
}

std::string Object::Text() const {
  return TextOf(*document_, cell_);
}

std::string Value::path() const {
  return internal::PathOf(*document_, cell_);
}

std::string Value::String() const {
  return std::string(StringIn(*document_, cell_));
}

Object Value::AsObject() const {
  if (document_->cells[cell_].kind != Kind::kObject) FailWanting(*document_, cell_, "an object");
  return Object(document_, cell_);
}

std::vector<Value> Value::Array() const {
  if (document_->cells[cell_].kind != Kind::kArray) FailWanting(*document_, cell_, "an array");
  std::vector<Value> elements;
  for (uint32_t i = cell_ + 1; i < document_->cells[cell_].end; i = document_->cells[i].end) {
    elements.push_back(Value(document_, i));
  }
  return elements;
}

std::string Value::Text() const {
  return TextOf(*document_, cell_);
}

Object Parse(std::string_view text, std::string_view what) {
  auto document = std::make_shared<Document>();
  internal::ParseInto(*document, text, what);
  if (document->cells[0].kind != Kind::kObject) {
    throw Error(Code::kDecode,
                fmt::format("{}: want an object, got {}", what, KindName(document->cells[0].kind)));
  }
  return Object(std::move(document), 0);
}

}  // namespace cnm::json
