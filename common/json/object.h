// object.h: typed decoding of a JSON document, with the path in every error.
//
// Theory of operation: Parse() builds the document once; an Object is a light view that knows its path ("$.ipam") and which of its keys
// were asked for. Decoders copy values into structs whose member initialisers are the defaults. Keys match as Go's encoding/json does:
// the exact spelling wins, otherwise letter case is ignored; of duplicates the last wins (one warning); null is the same as absent.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace cnm::json {

/// Inclusive bounds for a number: "$.mtu: 20 is not in 68..65535".
struct Between {
  int64_t low;
  int64_t high;
};

namespace internal {
struct Document;
struct Node;
}  // namespace internal

class Value;

/// A view of a JSON object. Cheap to copy; copies share the record of which keys were asked for. Valid as long as any copy lives.
class Object {
 public:
  /// "$" or "$.ipam.ranges[0][1]".
  const std::string& path() const;

  /// Present and not null.
  bool Has(std::string_view key) const;

  /// Each reads one key into `out` and returns true, or leaves `out` alone and returns false when it is absent or null.
  /// @throws Error kDecode "$.mtu: want a whole number, got a string"; kConfig when out of range
  bool Optional(std::string_view key, std::string& out) const;
  bool Optional(std::string_view key, bool& out) const;
  bool Optional(std::string_view key, int64_t& out, Between range = {INT64_MIN, INT64_MAX}) const;
  bool Optional(std::string_view key, uint32_t& out, Between range = {0, UINT32_MAX}) const;
  bool Optional(std::string_view key, std::vector<std::string>& out) const;

  /// As Optional. @throws Error kConfig "$.name: missing, want a string" when absent
  void Required(std::string_view key, std::string& out) const;

  /// A child object; nullopt when absent or null. @throws Error kDecode when it is something else
  std::optional<Object> OptionalObject(std::string_view key) const;
  Object RequiredObject(std::string_view key) const;
  /// The elements of an array; nullopt when absent or null.
  std::optional<std::vector<Value>> OptionalArray(std::string_view key) const;
  /// The elements of an array of objects; empty when absent or null.
  std::vector<Object> Objects(std::string_view key) const;

  /// Marks a key as known without reading it (what libcni injects, what other tools add).
  void Ignore(std::string_view key) const;
  /// The keys as written, in order of appearance; duplicates once.
  std::vector<std::string> Keys() const;

  /// @throws Error kConfig "$.hairpinMode: excludes promiscMode"
  [[noreturn]] void Fail(std::string_view key, std::string_view reason) const;

  /// The warnings due: each duplicate key, and each key nobody asked for with the nearest known one
  /// ("$.bridgee: unknown, did you mean bridge?"). Children are asked separately.
  std::vector<std::string> Warnings() const;

  /// The object as compact JSON text, keys in document order.
  std::string Text() const;

 private:
  friend class Value;
  friend Object Parse(std::string_view text, std::string_view what);
  std::shared_ptr<internal::Node> node_;
};

/// A view of any JSON value, an array's element.
class Value {
 public:
  const std::string& path() const;
  /// @throws Error kDecode "$.ips[0]: want a string, got a number"
  std::string String() const;
  Object AsObject() const;
  std::vector<Value> Array() const;
  /// As compact JSON text.
  std::string Text() const;

 private:
  friend class Object;
  std::shared_ptr<internal::Node> node_;
};

/// Parses one JSON object: UTF-8, at most 64 levels deep, nothing behind it. `what` names the document in errors.
/// @throws Error kDecode "WHAT: reason at byte N" for anything else, with the reason a person can act on
Object Parse(std::string_view text, std::string_view what);

}  // namespace cnm::json
