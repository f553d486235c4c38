// companion.h: the programs that come with ours and hold what has no static library. Internal to
// this folder.
#pragma once

#include <string>
#include <string_view>

namespace cnm::firewall {

/// The path of `program`: beside the running program, else in /usr/libexec/cnm.
/// @throws Error kUnavailable naming both paths
std::string FindCompanion(std::string_view program);

}  // namespace cnm::firewall
