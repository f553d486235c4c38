// programs.h: finding and running iptables' programs and our helper. Internal to this folder.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace cnm::firewall::iptables {

/// The first of these programs that is there. @throws Error kUnavailable when none is
std::string GetProgram(const std::vector<std::string>& names);

/// Runs the first of these programs that is there, with text on its standard input and an
/// environment of nothing but PATH.
/// @throws Error kUnavailable when none is there; kKernel when it fails, which is then told on
/// standard error
void RunRestore(const std::vector<std::string>& names, const std::vector<std::string>& options,
                std::string_view input);

/// @throws Error kUnavailable when cnm-xtables is missing
void RequireHelper();
/// Runs cnm-xtables, which lies beside this program or in /usr/libexec/cnm.
/// @returns its output. @throws Error with the code and texts it answers with; kUnavailable naming
/// both paths. `changed` is called first when the helper had changed something before it failed
std::string RunHelper(std::string_view command, std::string_view input,
                      const std::function<void()>& changed = {});

}  // namespace cnm::firewall::iptables
