// toml_table.h: typed reading of a TOML table, with file, line and key in every error; private to
// the configuration.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#define TOML_HEADER_ONLY 1        // the shared library would be needed at run time
#define TOML_ENABLE_FORMATTERS 0  // nothing is written
#include <toml++/toml.h>

namespace cnm::daemon {

/// Inclusive bounds for a number.
struct Bounds {
  int64_t low;
  int64_t high;
};

/// One section of a file. It remembers which keys were asked for.
class TomlTable {
 public:
  /// `section` is "" for the file itself.
  TomlTable(const toml::table& table, std::string file, std::string section)
      : table_(table), file_(std::move(file)), section_(std::move(section)) {}

  /// Each reads one key into `out`, or leaves `out` alone when it is absent. Letter case of keys
  /// does not matter. @throws Error kDecode "cnmd.toml line 4: daemon.debug: want true or false"
  void Optional(std::string_view key, bool& out);
  void Optional(std::string_view key, std::string& out);
  void Optional(std::string_view key, std::vector<std::string>& out);
  /// @throws Error kConfig also when out of bounds
  void Optional(std::string_view key, int64_t& out, Bounds bounds);

  /// A section; nullptr when absent. It is known from now on.
  const toml::table* Section(std::string_view key);

  /// "cnmd.toml line 7: daemon.debgu: unknown, did you mean daemon.debug?" for each key that nobody
  /// asked for.
  std::vector<std::string> Warnings() const;

  /// "cnmd.toml line 7: daemon.debug: "
  std::string Where(std::string_view key, const toml::node& node) const;

 private:
  const toml::node* Find(std::string_view key);
  std::string Name(std::string_view key) const;

  const toml::table& table_;
  std::string file_;
  std::string section_;
  std::vector<std::string> known_;
};

}  // namespace cnm::daemon
