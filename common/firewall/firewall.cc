// firewall.cc: names of the values every backend shares.
#include "common/firewall/firewall.h"

#include <algorithm>

namespace cnm::firewall {

std::string_view NameOf(Protocol protocol) {
  switch (protocol) {
    case Protocol::kTcp:
      return "tcp";
    case Protocol::kUdp:
      return "udp";
    case Protocol::kSctp:
      break;
  }
  return "sctp";
}

bool IsChainName(std::string_view name) {
  constexpr size_t kLongest = 28;  // linux/netfilter/x_tables.h: XT_EXTENSION_MAXNAMELEN, less 0
  if (name.empty() || name.size() > kLongest || name.front() == '-' || name.front() == '!') {
    return false;
  }
  return std::all_of(name.begin(), name.end(), [](char c) {
    return c > ' ' && c <= '~' && c != '"' && c != '\'' && c != '\\' && c != '#';
  });
}

}  // namespace cnm::firewall
