// environment.cc: the process environment as a value.
#include "plugins/cni/environment.h"

#include <algorithm>

namespace cnm::cni {
namespace {

std::string_view NameOf(std::string_view entry) {
  return entry.substr(0, entry.find('='));
}

}  // namespace

std::string_view Environment::Get(std::string_view name) const {
  for (const char* const* entry = entries_; *entry != nullptr; ++entry) {
    const std::string_view text = *entry;
    if (text.size() > name.size() && text[name.size()] == '=' && text.starts_with(name)) {
      return text.substr(name.size() + 1);
    }
  }
  return {};
}

std::vector<std::string> Environment::With(std::vector<std::string> replacements) const {
  std::vector<std::string> all;
  for (const char* const* entry = entries_; *entry != nullptr; ++entry) {
    const std::string_view name = NameOf(*entry);
    const bool replaced = std::any_of(replacements.begin(), replacements.end(),
                                      [&](const std::string& r) { return NameOf(r) == name; });
    if (!replaced) all.emplace_back(*entry);
  }
  all.insert(all.end(), std::make_move_iterator(replacements.begin()),
             std::make_move_iterator(replacements.end()));
  return all;
}

}  // namespace cnm::cni
