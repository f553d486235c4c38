// toml_table.cc: typed reading of a TOML table.
#include "cnm/daemon/config/toml_table.h"

#include <algorithm>

#include <fmt/format.h>

#include "common/base/error.h"
#include "common/json/nearest_key.h"

namespace cnm::daemon {
namespace {

char Lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

bool SameKey(std::string_view a, std::string_view b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [](char x, char y) { return Lower(x) == Lower(y); });
}

}  // namespace

std::string TomlTable::Name(std::string_view key) const {
  return section_.empty() ? std::string(key) : fmt::format("{}.{}", section_, key);
}

std::string TomlTable::Where(std::string_view key, const toml::node& node) const {
  return fmt::format("{} line {}: {}: ", file_, node.source().begin.line, Name(key));
}

const toml::node* TomlTable::Find(std::string_view key) {
  known_.emplace_back(key);
  for (const auto& [name, node] : table_) {
    if (SameKey(name.str(), key)) return &node;
  }
  return nullptr;
}

void TomlTable::Optional(std::string_view key, bool& out) {
  const toml::node* node = Find(key);
  if (node == nullptr) return;
  const auto* value = node->as_boolean();
  if (value == nullptr) {
    throw Error(Code::kDecode, fmt::format("{}want true or false", Where(key, *node)));
  }
  out = value->get();
}

void TomlTable::Optional(std::string_view key, std::string& out) {
  const toml::node* node = Find(key);
  if (node == nullptr) return;
  const auto* value = node->as_string();
  if (value == nullptr) {
    throw Error(Code::kDecode, fmt::format("{}want a text in quotes", Where(key, *node)));
  }
  out = value->get();
}

void TomlTable::Optional(std::string_view key, std::vector<std::string>& out) {
  const toml::node* node = Find(key);
  if (node == nullptr) return;
  const toml::array* list = node->as_array();
  if (list == nullptr || !(list->empty() || list->is_homogeneous<std::string>())) {
    throw Error(Code::kDecode, fmt::format("{}want a list of texts", Where(key, *node)));
  }
  out.clear();
  out.reserve(list->size());
  for (const toml::node& element : *list) out.push_back(element.as_string()->get());
}

void TomlTable::Optional(std::string_view key, int64_t& out, Bounds bounds) {
  const toml::node* node = Find(key);
  if (node == nullptr) return;
  const auto* value = node->as_integer();
  if (value == nullptr) {
    throw Error(Code::kDecode, fmt::format("{}want a whole number", Where(key, *node)));
  }
  if (value->get() < bounds.low || value->get() > bounds.high) {
    throw Error(Code::kConfig, fmt::format("{}{} is not in {}..{}", Where(key, *node), value->get(),
                                           bounds.low, bounds.high));
  }
  out = value->get();
}

const toml::table* TomlTable::Section(std::string_view key) {
  const toml::node* node = Find(key);
  if (node == nullptr) return nullptr;
  const toml::table* section = node->as_table();
  if (section == nullptr) {
    throw Error(Code::kDecode, fmt::format("{}want a section: [{}]", Where(key, *node), Name(key)));
  }
  return section;
}

std::vector<std::string> TomlTable::Warnings() const {
  std::vector<std::string> warnings;
  for (const auto& [name, node] : table_) {
    const std::string_view key = name.str();
    if (std::any_of(known_.begin(), known_.end(),
                    [&](const std::string& known) { return SameKey(known, key); })) {
      continue;
    }
    const std::string nearest = json::NearestKey(key, known_);
    warnings.push_back(fmt::format(
        "{}unknown{}", Where(key, node),
        nearest.empty() ? std::string() : fmt::format(", did you mean {}?", Name(nearest))));
  }
  return warnings;
}

}  // namespace cnm::daemon
