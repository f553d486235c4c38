// deadline.h: how long a transaction is tried again when others change the rule set meanwhile.
// Internal to this folder.
#pragma once

#include <chrono>
#include <string_view>

#include <fmt/format.h>

#include "common/base/error.h"

namespace cnm::firewall::nftables {

/// Each failure means that somebody else succeeded, so the whole makes progress; one of very many
/// must only not give up early. A runtime gives a plugin 60 s.
class Deadline {
 public:
  /// @throws Error kTryAgain "WHAT: nftables kept changing for 20 s"
  void Check(std::string_view what) const {
    if (std::chrono::steady_clock::now() - start_ < kPatience) return;
    throw Error(Code::kTryAgain,
                fmt::format("{}: nftables kept changing for {} s", what, kPatience.count()));
  }

 private:
  static constexpr std::chrono::seconds kPatience{20};
  std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
};

}  // namespace cnm::firewall::nftables
