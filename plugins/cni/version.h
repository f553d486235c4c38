// version.h: the versions of the CNI protocol, and which verbs each allows.
#pragma once

#include <array>
#include <compare>
#include <span>
#include <string_view>

#include "plugins/cni/verb.h"

namespace cnm::cni {

/// Every version we speak, oldest first (CNI SPEC, "Version considerations").
inline constexpr std::array<std::string_view, 7> kVersions = {"0.1.0", "0.2.0", "0.3.0", "0.3.1",
                                                              "0.4.0", "1.0.0", "1.1.0"};
/// What VERSION answers, and what an error carries while the configuration's version is unknown.
inline constexpr std::string_view kCurrentVersion = "1.1.0";
/// What a configuration without cniVersion means.
inline constexpr std::string_view kOldestVersion = "0.1.0";

/// A version as numbers; missing parts are 0.
struct Version {
  unsigned major_part = 0;
  unsigned minor_part = 0;
  unsigned micro_part = 0;

  /// "1", "1.1", "1.1.0"; "" is 0.1.0.
  /// @throws Error kDecode "invalid version "1.2.3.4": too many parts",
  /// "failed to convert major version part "x": invalid syntax"
  static Version Parse(std::string_view text);
  // NOLINTNEXTLINE(modernize-use-nullptr): clang-tidy 14 mistakes the 0 of a rewritten <
  auto operator<=>(const Version&) const = default;
};

/// The versions that share one shape of result.
enum class ResultFamily {
  k020,  ///< 0.1.0, 0.2.0: ip4 and ip6
  k040,  ///< 0.3.0 to 0.4.0: interfaces and a list of addresses with "version"
  k100,  ///< 1.0.0, 1.1.0
};

/// "" is 0.1.0. @throws Error kIncompatibleVersion "unsupported CNI result version "9.9.9""
ResultFamily FamilyOf(std::string_view version);

/// Whether a plugin that speaks `supported` may serve `verb` for a configuration of version
/// `config`. VERSION always passes; DEL is checked here like ADD (its caller decides to go on).
/// @throws Error kIncompatibleVersion in the reference's words; kDecode for a version that does not
/// parse
void CheckVersion(Verb verb, std::string_view config, std::span<const std::string_view> supported);

}  // namespace cnm::cni
