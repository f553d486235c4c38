// version.cc: the versions of the CNI protocol, and which verbs each allows.
#include "plugins/cni/version.h"

#include <algorithm>
#include <charconv>
#include <string>
#include <system_error>

#include <fmt/format.h>

#include "common/base/error.h"

namespace cnm::cni {
namespace {

unsigned ParsePart(std::string_view part, std::string_view name) {
  unsigned value = 0;
  const char* end = part.data() + part.size();
  const auto [stop, error] = std::from_chars(part.data(), end, value);
  if (error == std::errc() && stop == end && !part.empty()) return value;
  const std::string_view reason =
      error == std::errc::result_out_of_range ? "value out of range" : "invalid syntax";
  throw Error(Code::kDecode,
              fmt::format("failed to convert {} version part {:?}: {}", name, part, reason));
}

std::string QuotedList(std::span<const std::string_view> words) {
  std::string list;
  for (const std::string_view word : words) {
    fmt::format_to(std::back_inserter(list), "{}{:?}", list.empty() ? "" : " ", word);
  }
  return list;
}

/// The verbs that came later than ADD and DEL: the configuration must be new enough, and so must
/// something the plugin speaks.
void CheckLaterVerb(Verb verb, std::string_view config,
                    std::span<const std::string_view> supported) {
  const Version since = verb == Verb::kCheck ? Version{0, 4, 0} : Version{1, 1, 0};
  const Version version = Version::Parse(config);
  if (version < since) {
    throw Error(Code::kIncompatibleVersion,
                fmt::format("config version does not allow {}", VerbName(verb)));
  }
  const bool spoken = std::any_of(supported.begin(), supported.end(), [&](std::string_view own) {
    return Version::Parse(own) >= version;
  });
  if (!spoken) {
    throw Error(Code::kIncompatibleVersion,
                fmt::format("plugin version does not allow {}", VerbName(verb)));
  }
}

}  // namespace

Version Version::Parse(std::string_view text) {
  if (text.empty()) return Parse(kOldestVersion);
  if (std::count(text.begin(), text.end(), '.') > 2) {
    throw Error(Code::kDecode, fmt::format("invalid version {:?}: too many parts", text));
  }
  Version version;
  const auto next = [&rest = text](std::string_view name, bool& more) -> unsigned {
    if (!more) return 0;
    const size_t dot = rest.find('.');
    more = dot != std::string_view::npos;
    const unsigned value = ParsePart(rest.substr(0, dot), name);
    if (more) rest.remove_prefix(dot + 1);
    return value;
  };
  bool more = true;
  version.major_part = next("major", more);
  version.minor_part = next("minor", more);
  version.micro_part = next("micro", more);
  return version;
}

ResultFamily FamilyOf(std::string_view version) {
  const std::string_view known = version.empty() ? kOldestVersion : version;
  const auto* const at = std::find(kVersions.begin(), kVersions.end(), known);
  if (at == kVersions.end()) {
    throw Error(Code::kIncompatibleVersion,
                fmt::format("unsupported CNI result version {:?}", version));
  }
  const Version parsed = Version::Parse(known);
  if (parsed < Version{0, 3, 0}) return ResultFamily::k020;
  return parsed < Version{1, 0, 0} ? ResultFamily::k040 : ResultFamily::k100;
}

void CheckVersion(Verb verb, std::string_view config, std::span<const std::string_view> supported) {
  if (verb == Verb::kVersion) return;
  if (verb != Verb::kAdd && verb != Verb::kDel) CheckLaterVerb(verb, config, supported);
  const std::string_view effective = config.empty() ? kOldestVersion : config;
  if (std::find(supported.begin(), supported.end(), effective) != supported.end()) return;
  throw Error(
      Code::kIncompatibleVersion, "incompatible CNI versions",
      fmt::format("config is {:?}, plugin supports [{}]", effective, QuotedList(supported)));
}

}  // namespace cnm::cni
