// args.h: CNI_ARGS, the key=value list of the environment.
#pragma once

#include <initializer_list>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

namespace cnm::cni {

/// The pairs a plugin knows. Views into the text that was parsed.
class Args {
 public:
  /// Parses "K=V;K2=V2". Keys are case-sensitive. `known` are the plugin's keys; IgnoreUnknown (1,
  /// 0, true, false in any case) is known to all and lets other keys pass.
  /// @throws Error kEnvironment in the reference's words: `ARGS: invalid pair "x"`, `ARGS: unknown
  /// args ["MAC=aa"]`, `ARGS: error parsing value of pair "x": ...`
  static Args Parse(std::string_view text, std::initializer_list<std::string_view> known);

  /// The last value of a known key; nullopt when absent.
  std::optional<std::string_view> Find(std::string_view key) const;

 private:
  std::vector<std::pair<std::string_view, std::string_view>> pairs_;
};

}  // namespace cnm::cni
