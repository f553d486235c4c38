// sysctl.h: the /proc/sys/net values of the current network namespace.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace cnm::netns {

/// The value of "net/ipv4/ip_forward" without trailing newline; nullopt if there is no such key; ""
/// if it has no value that can be read (route/flush is only written, stable_secret may be unset).
/// @throws Error kKernel
std::optional<std::string> ReadSysctl(std::string_view key);

/// @returns false if there is no such key (the feature is not in this kernel). @throws Error
/// kKernel "write sysctl KEY=VALUE: reason"
bool WriteSysctl(std::string_view key, std::string_view value);

/// Writes only if the value differs: forwarding must not be rewritten (LB-FWD). @returns true if it
/// was written
bool EnsureSysctl(std::string_view key, std::string_view value);

}  // namespace cnm::netns
