// object.h: typed decoding of a JSON document, with the path in every error.
//
// Theory of operation: Parse() reads the document once into a flat table; an Object is a light view
// of one row, and the table remembers which keys were asked for. Decoders copy values into structs
// whose member initialisers are the defaults. Keys match as Go's encoding/json does: the exact
// spelling wins, otherwise the case of ASCII letters is ignored; of duplicates the last wins (one
// warning); null is the same as absent. Numbers keep their text, so no digit is lost; a whole
// number is digits only: as in Go, 5.0 and 1e3 are none.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace cnm::json {

/// Inclusive bounds for a number: "$.mtu: 20 is not in 68..65535".
struct Between {
  int64_t low;
  int64_t high;
};

namespace internal {
struct Document;
}  // namespace internal

class Value;

/// A view of a JSON object. Cheap to copy; all views of one document share the record of which keys
/// were asked for, so they belong to one thread. Valid as long as it lives, also when the text it
/// was parsed from is gone.
class Object {
 public:
  /// "$" or "$.ipam.ranges[0][1]"; a key that is no plain word is quoted: $.args["cni.dev/x"].
  std::string path() const;

  /// Present and not null.
  bool Has(std::string_view key) const;

  /// Each reads one key into `out` and returns true, or leaves `out` alone and returns false when
  /// it is absent or null.
  /// @throws Error kDecode "$.mtu: want a whole number, got a string"; kConfig "$.mtu: 20 is not
  /// in 68..65535"
  bool Optional(std::string_view key, std::string& out) const;
  bool Optional(std::string_view key, bool& out) const;
  bool Optional(std::string_view key, int64_t& out, Between range = {INT64_MIN, INT64_MAX}) const;
  bool Optional(std::string_view key, uint32_t& out, Between range = {0, UINT32_MAX}) const;
  bool Optional(std::string_view key, uint64_t& out) const;
  bool Optional(std::string_view key, std::vector<std::string>& out) const;

  /// As Optional. @throws Error kConfig "$.name: missing, want a string" when absent
  void Required(std::string_view key, std::string& out) const;

  /// A child object; nullopt when absent or null. @throws Error kDecode when it is something else
  std::optional<Object> OptionalObject(std::string_view key) const;
  /// @throws Error kConfig "$.ipam: missing, want an object" when absent or null; kDecode when it
  /// is something else
  Object RequiredObject(std::string_view key) const;
  /// The elements of an array; nullopt when absent or null.
  std::optional<std::vector<Value>> OptionalArray(std::string_view key) const;
  /// The elements of an array of objects; empty when absent or null.
  std::vector<Object> Objects(std::string_view key) const;

  /// Marks a key as known without reading it (what libcni injects, what other tools add).
  void Ignore(std::string_view key) const;
  /// The keys as written, in order of appearance; duplicates once.
  std::vector<std::string> Keys() const;
  /// Key and value of every member in order of appearance, null and duplicates too; all are known
  /// from now on. For objects that are maps: one pass, however many.
  std::vector<std::pair<std::string, Value>> Members() const;
  /// The keys that occur more than once, spelled the same.
  std::vector<std::string> RepeatedKeys() const;

  /// @throws Error kConfig "$.hairpinMode: excludes promiscMode"
  [[noreturn]] void Fail(std::string_view key, std::string_view reason) const;

  /// The warnings due: each duplicate key, and each key nobody asked for with the nearest known one
  /// ("$.bridgee: unknown, did you mean bridge?"). At most 16 and their number. Children are asked
  /// separately.
  std::vector<std::string> Warnings() const;

  /// The object as compact JSON text, keys in document order, numbers as they were written.
  std::string Text() const;

 private:
  friend class Value;
  friend Object Parse(std::string_view text, std::string_view what);
  Object(std::shared_ptr<internal::Document> document, uint32_t cell)
      : document_(std::move(document)), cell_(cell) {}

  std::shared_ptr<internal::Document> document_;
  uint32_t cell_;
};

/// A view of any JSON value, an array's element.
class Value {
 public:
  std::string path() const;
  /// @throws Error kDecode "$.ips[0]: want a string, got a number"
  std::string String() const;
  Object AsObject() const;
  std::vector<Value> Array() const;
  /// As compact JSON text.
  std::string Text() const;

 private:
  friend class Object;
  Value(std::shared_ptr<internal::Document> document, uint32_t cell)
      : document_(std::move(document)), cell_(cell) {}

  std::shared_ptr<internal::Document> document_;
  uint32_t cell_;
};

/// Parses one JSON object: UTF-8, at most 64 levels deep, nothing behind it. `what` names the
/// document in errors.
/// @throws Error kDecode "WHAT: reason at byte N" for anything else, with the reason a person can
/// act on
Object Parse(std::string_view text, std::string_view what);

}  // namespace cnm::json
