// owned_link.cc: which links on the host are an endpoint's, besides the one that carries it.
#include "cnm/owned_link.h"

#include <fmt/format.h>

#include "cnm/id.h"

namespace cnm {

net::Mac OwnedLinkMac(std::string_view owner) {
  return DerivedMac(fmt::format("link of {}", owner));
}

bool IsOwnedLink(const netlink::Link& link, std::string_view owner) {
  if (!link.alias.empty()) return link.alias == owner;
  return link.mac == OwnedLinkMac(owner);
}

}  // namespace cnm
