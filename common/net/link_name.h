// link_name.h: which texts can be the name of a network link.
#pragma once

#include <string_view>

namespace cnm::net {

/// Whether the kernel takes this as the name of a link (dev_valid_name() in net/core/dev.c): 1 to
/// 15 bytes, no '/', ':' or white space, and neither "." nor "..". Control characters are refused
/// too, which the kernel takes: names reach logs, and programs that read lines.
bool IsLinkName(std::string_view name);

}  // namespace cnm::net
