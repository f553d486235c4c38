// link_name.cc: which texts can be the name of a network link.
#include "common/net/link_name.h"

#include <algorithm>
#include <cstddef>

namespace cnm::net {

bool IsLinkName(std::string_view name) {
  constexpr size_t kLongest = 15;  // linux/if.h: IFNAMSIZ, less 0
  if (name.empty() || name.size() > kLongest || name == "." || name == "..") return false;
  return std::all_of(name.begin(), name.end(), [](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return byte > ' ' && byte != 0x7f && c != '/' && c != ':';
  });
}

}  // namespace cnm::net
