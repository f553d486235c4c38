// names.h: which names of a call are safe to become part of a path or the name of a link.
#pragma once

#include <string_view>

namespace cnm::cni {

/// Letters, digits, '_', '.', '-', the first a letter or digit; not empty. Network names obey it
/// too.
bool IsContainerId(std::string_view text);

/// @throws Error kEnvironment "invalid characters in containerID"
void ValidateContainerId(std::string_view text);

/// At most 15 bytes, not "." or "..", without '/', ':' and Unicode white space.
/// @throws Error kEnvironment in the reference's words
void ValidateIfname(std::string_view text);

}  // namespace cnm::cni
