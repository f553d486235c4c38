// writer.h: writing JSON text.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace cnm::json {

/// How the text is laid out.
enum class Style {
  kCompact,   ///< {"a":1}
  kIndented,  ///< four spaces a level and "key": value, as Go's MarshalIndent; an empty object is
              ///< {}, an empty array []
};

/// Writes one JSON document. <, > and & are escaped as \u003c, \u003e and \u0026, as Go's encoder
/// does; invalid UTF-8 becomes U+FFFD. Written here, not with RapidJSON's writers, because those do
/// neither.
class Writer {
 public:
  explicit Writer(Style style = Style::kCompact) : style_(style) {}

  Writer& BeginObject();
  Writer& EndObject();
  Writer& BeginArray();
  Writer& EndArray();
  Writer& Key(std::string_view key);
  Writer& String(std::string_view value);
  Writer& Int(int64_t value);
  Writer& Uint(uint64_t value);
  Writer& Bool(bool value);
  Writer& Null();
  /// A number given by its JSON text, which must be one.
  Writer& Number(std::string_view digits);
  /// A value given as JSON text; laid out anew in this writer's style. @throws Error kInternal if
  /// it is not JSON
  Writer& Raw(std::string_view json);

  /// Key and value in one; the Unless forms write nothing for a value equal to the default (Go's
  /// omitempty).
  Writer& Member(std::string_view key, std::string_view value) { return Key(key).String(value); }
  Writer& Member(std::string_view key, const char* value) { return Key(key).String(value); }
  Writer& Member(std::string_view key, bool value) { return Key(key).Bool(value); }
  Writer& Member(std::string_view key, int64_t value) { return Key(key).Int(value); }
  Writer& Member(std::string_view key, uint64_t value) { return Key(key).Uint(value); }
  Writer& Member(std::string_view key, int value) { return Key(key).Int(value); }
  Writer& Member(std::string_view key, uint32_t value) { return Key(key).Uint(value); }
  Writer& MemberUnlessEmpty(std::string_view key, std::string_view value) {
    return value.empty() ? *this : Member(key, value);
  }
  Writer& MemberUnlessEmpty(std::string_view key, const std::vector<std::string>& values);

  /// The finished text, without a final newline. The writer is empty afterwards. @throws Error
  /// kInternal if something is still open
  std::string Take();

 private:
  enum class Next {
    kFirst,
    kElement,
    kValue
  };  ///< in a container's begin, behind an element, behind a key
  void Separate();
  void BreakLine();
  Writer& Begin(char bracket);
  Writer& End(char bracket);
  Writer& Literal(std::string_view text);

  Style style_;
  Next next_ = Next::kFirst;
  unsigned depth_ = 0;
  std::string text_;
};

}  // namespace cnm::json
