// allowlist.h: which sysctls the host's administrator lets network configurations set.
#pragma once

#include <regex.h>

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "plugins/meta/tuning/sysctl_name.h"

namespace cnm::tuning {

/// /etc/cni/tuning/allowlist.conf (reference TU-1): a line a pattern, a POSIX extended regular
/// expression; empty lines and lines that begin with '#' do not count. A pattern must match a
/// sysctl's whole name, unless a line `# match: unanchored` is there: then a part is enough, as for
/// the reference.
///
/// Names are judged, not spellings: a pattern that contains '/' is compared with the name written
/// with slashes, another with the name written with dots (a dot inside an interface's name is then
/// a '/'); once with the interface's own name and once with IFNAME in its place.
class Allowlist {
 public:
  /// Reads the text of the file named `path`, which errors name.
  /// @throws Error kConfig "/etc/.../allowlist.conf line 3: reason" for a pattern that does not
  /// compile, or whose meaning differs between POSIX and the reference's RE2
  static Allowlist Parse(std::string_view text, std::string_view path);

  bool Allows(const SysctlName& name, std::string_view ifname) const;
  /// Whether a pattern must match the whole name.
  bool anchored() const { return anchored_; }
  /// The patterns as written, separated by spaces.
  std::string ToString() const;

 private:
  struct Pattern {
    std::string text;
    std::shared_ptr<const regex_t> regex;
  };
  bool Matches(const Pattern& pattern, const std::string& name) const;

  std::vector<Pattern> patterns_;
  bool anchored_ = true;
};

}  // namespace cnm::tuning
