// names.cc: which names of a call are safe to become part of a path or the name of a link.
#include "plugins/cni/names.h"

#include <algorithm>
#include <array>
#include <string>

#include "common/base/error.h"

namespace cnm::cni {
namespace {

constexpr size_t kLongestIfname = 15;  // IFNAMSIZ - 1

bool IsAlphanumeric(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

bool IsIdCharacter(char c) {
  return IsAlphanumeric(c) || c == '_' || c == '.' || c == '-';
}

/// Every white space of Unicode in UTF-8. The reference asks Go's unicode.IsSpace.
bool ContainsSpace(std::string_view text) {
  constexpr std::array<std::string_view, 25> kSpaces = {
      "\t",     "\n",     "\v",     "\f",     "\r",     " ",      "\u0085", "\u00a0", "\u1680",
      "\u2000", "\u2001", "\u2002", "\u2003", "\u2004", "\u2005", "\u2006", "\u2007", "\u2008",
      "\u2009", "\u200a", "\u2028", "\u2029", "\u202f", "\u205f", "\u3000"};
  return std::any_of(kSpaces.begin(), kSpaces.end(), [&](std::string_view space) {
    return text.find(space) != std::string_view::npos;
  });
}

}  // namespace

bool IsContainerId(std::string_view text) {
  return !text.empty() && IsAlphanumeric(text.front()) &&
         std::all_of(text.begin(), text.end(), IsIdCharacter);
}

void ValidateContainerId(std::string_view text) {
  if (IsContainerId(text)) return;
  throw Error(Code::kEnvironment, "invalid characters in containerID", std::string(text));
}

void ValidateIfname(std::string_view text) {
  if (text.size() > kLongestIfname) {
    throw Error(Code::kEnvironment, "interface name is too long",
                "interface name should be less than 16 characters");
  }
  if (text == "." || text == "..") throw Error(Code::kEnvironment, "interface name is . or ..");
  if (text.find_first_of("/:") != std::string_view::npos || ContainsSpace(text)) {
    throw Error(Code::kEnvironment, "interface name contains / or : or whitespace characters");
  }
}

}  // namespace cnm::cni
