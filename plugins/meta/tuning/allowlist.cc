// allowlist.cc: which sysctls the host's administrator lets network configurations set.
#include "plugins/meta/tuning/allowlist.h"

#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "common/base/error.h"

namespace cnm::tuning {
namespace {

constexpr size_t npos = std::string_view::npos;

std::string_view Trimmed(std::string_view line) {
  constexpr std::string_view kSpace = " \t\r";
  const size_t first = line.find_first_not_of(kSpace);
  if (first == npos) return "";
  return line.substr(first, line.find_last_not_of(kSpace) - first + 1);
}

bool IsAlphanumeric(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/// The position behind a bracket expression that begins at `at`, where its contents are read as
/// POSIX does: "]" first is a character, "[:alpha:]" is a class, a backslash is itself.
size_t EndOfBrackets(std::string_view pattern, size_t at) {
  ++at;
  if (pattern.substr(at).starts_with('^')) ++at;
  if (pattern.substr(at).starts_with(']')) ++at;
  while (at < pattern.size() && pattern[at] != ']') {
    const bool named = pattern.substr(at).starts_with("[:");
    const size_t end = named ? pattern.find(":]", at + 2) : npos;
    at = end != npos ? end + 2 : at + 1;
  }
  return std::min(at + 1, pattern.size());
}

/// Whether POSIX reads the bracket expression as RE2 does, or at least no backslash in a way that
/// lets more names pass.
bool IsPlain(std::string_view brackets) {
  for (size_t i = brackets.find('\\'); i != npos; i = brackets.find('\\', i + 1)) {
    const std::string_view rest = brackets.substr(i + 1);
    if (!rest.starts_with('.') && !rest.starts_with('/')) return false;
  }
  return true;
}

/// What POSIX would read otherwise than RE2, for which the pattern may have been written: \d, \pL,
/// \Q, back references, and in [] a backslash. "" if nothing.
std::string ForeignDialect(std::string_view pattern) {
  for (size_t i = 0; i < pattern.size();) {
    if (pattern[i] == '[') {
      const size_t end = EndOfBrackets(pattern, i);
      if (!IsPlain(pattern.substr(i, end - i))) return "a backslash inside [] is itself in POSIX";
      i = end;
    } else if (pattern[i] == '\\') {
      const std::string_view escaped = pattern.substr(i + 1, 1);
      constexpr std::string_view kSameInBoth = "wWsSbB";
      const bool differs =
          !escaped.empty() && IsAlphanumeric(escaped[0]) && kSameInBoth.find(escaped[0]) == npos;
      if (differs) return fmt::format("\\{} is not POSIX", escaped);
      i += 2;
    } else {
      ++i;
    }
  }
  return "";
}

/// @throws Error kConfig "WHERE: reason"
std::shared_ptr<const regex_t> Compile(const std::string& pattern, std::string_view where) {
  std::string problem = pattern.find('\0') != npos ? "a NUL byte" : ForeignDialect(pattern);
  // In a struct of its own until it is known to need regfree.
  auto regex = std::make_unique<regex_t>();
  const int status = problem.empty() ? ::regcomp(regex.get(), pattern.c_str(), REG_EXTENDED) : 0;
  if (status != 0) {
    std::array<char, 128> text{};
    ::regerror(status, regex.get(), text.data(), text.size());
    problem = text.data();
  }
  if (!problem.empty()) {
    throw Error(Code::kConfig, fmt::format("{}: {:?}: {}", where, pattern, problem),
                "want a POSIX extended regular expression");
  }
  return {regex.release(), [](regex_t* compiled) {
            ::regfree(compiled);
            delete compiled;
          }};
}

/// Of a comment "# match: MODE". @returns `anchored` as it was for any other comment
bool ReadMode(std::string_view comment, bool anchored, std::string_view where) {
  std::string_view mode = Trimmed(comment.substr(1));
  constexpr std::string_view kKey = "match:";
  if (!mode.starts_with(kKey)) return anchored;
  mode = Trimmed(mode.substr(kKey.size()));
  if (mode == "anchored") return true;
  if (mode == "unanchored") return false;
  throw Error(Code::kConfig,
              fmt::format("{}: match: {:?}: want anchored or unanchored", where, mode));
}

}  // namespace

Allowlist Allowlist::Parse(std::string_view text, std::string_view path) {
  Allowlist list;
  for (size_t number = 1; !text.empty(); ++number) {
    const size_t end = std::min(text.find('\n'), text.size());
    const std::string_view line = Trimmed(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
    if (line.empty()) continue;
    const std::string where = fmt::format("{} line {}", path, number);
    if (line.starts_with('#')) {
      list.anchored_ = ReadMode(line, list.anchored_, where);
    } else {
      std::string pattern(line);
      std::shared_ptr<const regex_t> regex = Compile(pattern, where);
      list.patterns_.push_back({std::move(pattern), std::move(regex)});
    }
  }
  return list;
}

/// POSIX finds the leftmost match and of those the longest: if the whole name matches at all, that
/// is the one found.
bool Allowlist::Matches(const Pattern& pattern, const std::string& name) const {
  regmatch_t found{};
  if (::regexec(pattern.regex.get(), name.c_str(), 1, &found, 0) != 0) return false;
  return !anchored_ || (found.rm_so == 0 && static_cast<size_t>(found.rm_eo) == name.size());
}

bool Allowlist::Allows(const SysctlName& name, std::string_view ifname) const {
  const std::array<std::string, 2> slashed = {name.path(), name.Generalized(ifname)};
  const std::array<std::string, 2> dotted = {SwapSeparators(slashed[0]),
                                             SwapSeparators(slashed[1])};
  return std::any_of(patterns_.begin(), patterns_.end(), [&](const Pattern& pattern) {
    const auto& names = pattern.text.find('/') != npos ? slashed : dotted;
    return Matches(pattern, names[0]) || Matches(pattern, names[1]);
  });
}

std::string Allowlist::ToString() const {
  std::string text;
  for (const Pattern& pattern : patterns_) {
    fmt::format_to(std::back_inserter(text), "{}{}", text.empty() ? "" : " ", pattern.text);
  }
  return text;
}

}  // namespace cnm::tuning
