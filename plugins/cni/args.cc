// args.cc: CNI_ARGS, the key=value list of the environment.
#include "plugins/cni/args.h"

#include <algorithm>
#include <string>

#include <fmt/format.h>

#include "common/base/error.h"

namespace cnm::cni {
namespace {

constexpr std::string_view kIgnoreUnknown = "IgnoreUnknown";

bool EqualsLowered(std::string_view text, std::string_view lower) {
  return std::equal(text.begin(), text.end(), lower.begin(), lower.end(), [](char a, char b) {
    return (a >= 'A' && a <= 'Z' ? static_cast<char>(a + ('a' - 'A')) : a) == b;
  });
}

bool ParseBool(std::string_view pair, std::string_view value) {
  if (value == "1" || EqualsLowered(value, "true")) return true;
  if (value == "0" || EqualsLowered(value, "false")) return false;
  throw Error(
      Code::kEnvironment,
      fmt::format("ARGS: error parsing value of pair {:?}: want 1, 0, true or false", pair));
}

}  // namespace

Args Args::Parse(std::string_view text, std::initializer_list<std::string_view> known) {
  Args args;
  std::string unknown;
  bool ignore_unknown = false;
  bool more = !text.empty();
  while (more) {
    const size_t semicolon = text.find(';');
    more = semicolon != std::string_view::npos;
    const std::string_view pair = text.substr(0, semicolon);
    if (more) text.remove_prefix(semicolon + 1);
    const size_t equals = pair.find('=');
    if (equals == std::string_view::npos || pair.find('=', equals + 1) != std::string_view::npos) {
      throw Error(Code::kEnvironment, fmt::format("ARGS: invalid pair {:?}", pair));
    }
    const std::string_view key = pair.substr(0, equals);
    const std::string_view value = pair.substr(equals + 1);
    if (key == kIgnoreUnknown) {
      ignore_unknown = ParseBool(pair, value);
    } else if (std::find(known.begin(), known.end(), key) != known.end()) {
      args.pairs_.emplace_back(key, value);
    } else {
      fmt::format_to(std::back_inserter(unknown), "{}{:?}", unknown.empty() ? "" : " ", pair);
    }
  }
  if (!unknown.empty() && !ignore_unknown) {
    throw Error(Code::kEnvironment, fmt::format("ARGS: unknown args [{}]", unknown));
  }
  return args;
}

std::optional<std::string_view> Args::Find(std::string_view key) const {
  for (auto pair = pairs_.rbegin(); pair != pairs_.rend(); ++pair) {
    if (pair->first == key) return pair->second;
  }
  return std::nullopt;
}

}  // namespace cnm::cni
