// owned_link.cc: which links on the host are an endpoint's.
#include "cnm/owned_link.h"

#include <fmt/format.h>

#include "cnm/id.h"

namespace cnm {

net::Mac HostLinkMac(std::string_view owner) {
  return DerivedMac(fmt::format("host link of {}", owner));
}

net::Mac AttachedLinkMac(std::string_view owner) {
  return DerivedMac(fmt::format("attached link of {}", owner));
}

bool IsOwnedLink(const netlink::Link& link, std::string_view owner, const net::Mac& born_with) {
  return link.alias.empty() ? link.mac == born_with : link.alias == owner;
}

}  // namespace cnm
