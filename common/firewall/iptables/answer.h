// answer.h: how cnm-xtables tells its caller about an error. Internal to the iptables backend and
// its helper program.
#pragma once

#include <string>
#include <string_view>

#include "common/base/error.h"

namespace cnm::firewall::iptables {

/// The helper's exit status when its standard output is such a text.
inline constexpr int kAnsweredStatus = 3;
/// The same, and it had changed a table before.
inline constexpr int kPartlyStatus = 4;

/// A word for the code, the message and the details, a line each.
std::string RenderAnswer(const Error& error);
/// Throws the error that the text tells.
[[noreturn]] void ThrowAnswer(std::string_view text);

}  // namespace cnm::firewall::iptables
