// flags.cc: command lines as dnet always understood them.
#include "cnm/dnet/flags.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "common/base/error.h"

namespace cnm::dnet {
namespace {

[[noreturn]] void Fail(std::string text) {
  throw Error(Code::kEnvironment, std::move(text));
}

bool IsFlag(const std::string& word) {
  return word.size() > 1 && word[0] == '-';
}

bool Boolean(const std::string& name, const std::string& value) {
  if (value == "1" || value == "t" || value == "true" || value == "T" || value == "TRUE") {
    return true;
  }
  if (value == "0" || value == "f" || value == "false" || value == "F" || value == "FALSE") {
    return false;
  }
  Fail(fmt::format("invalid boolean value \"{}\" for {}", value, name));
}

bool Contains(const std::vector<std::string>& names, const std::string& name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

}  // namespace

void Flags::Add(std::string_view names, Flag flag) {
  while (!names.empty()) {
    const size_t end = std::min(names.find(' '), names.size());
    std::string_view name = names.substr(0, end);
    names.remove_prefix(std::min(end + 1, names.size()));
    const bool hidden = name.starts_with('#');
    if (hidden) name.remove_prefix(1);
    (hidden ? flag.hidden : flag.names).emplace_back(name);
  }
  flags_.push_back(std::move(flag));
}

void Flags::Text(std::string_view names, std::string& out, std::string_view description) {
  Flag flag;
  flag.description = description;
  flag.text = &out;
  Add(names, std::move(flag));
}

void Flags::List(std::string_view names, std::vector<std::string>& out,
                 std::string_view description) {
  Flag flag;
  flag.description = description;
  flag.list = &out;
  Add(names, std::move(flag));
}

void Flags::Bool(std::string_view names, bool& out, std::string_view description) {
  Flag flag;
  flag.description = description;
  flag.boolean = &out;
  Add(names, std::move(flag));
}

const Flags::Flag& Flags::Find(const std::string& name) const {
  const auto found = std::find_if(flags_.begin(), flags_.end(), [&](const Flag& flag) {
    return Contains(flag.names, name) || Contains(flag.hidden, name);
  });
  if (found == flags_.end()) Fail(fmt::format("flag provided but not defined: {}", name));
  return *found;
}

std::vector<std::string> Flags::Parse(const std::vector<std::string>& words, bool leading) const {
  std::vector<std::string> arguments;
  size_t i = 0;
  for (; i < words.size(); ++i) {
    const std::string& word = words[i];
    if (word == "--") {
      ++i;
      break;
    }
    if (!IsFlag(word)) {
      if (leading) break;
      arguments.push_back(word);
      continue;
    }
    const size_t equals = word.find('=');
    const std::string name = word.substr(0, equals);
    const Flag& flag = Find(name);
    const bool given = equals != std::string::npos;
    std::string value = given ? word.substr(equals + 1) : "true";
    if (flag.boolean != nullptr) {
      *flag.boolean = Boolean(name, value);
      continue;
    }
    if (!given && ++i == words.size()) Fail(fmt::format("flag needs an argument: {}", name));
    if (!given) value = words[i];
    if (flag.text != nullptr)
      *flag.text = std::move(value);
    else
      flag.list->push_back(std::move(value));
  }
  arguments.insert(arguments.end(), words.begin() + static_cast<std::ptrdiff_t>(i), words.end());
  return arguments;
}

std::string Flags::Description() const {
  std::string text;
  for (const Flag& flag : flags_) {
    const std::string names =
        fmt::format("{}{}", fmt::join(flag.names, ", "), flag.boolean != nullptr ? "" : "=");
    text += fmt::format("  {:<28} {}\n", names, flag.description);
  }
  return text;
}

}  // namespace cnm::dnet
