// firewall.cc: names of the values every backend shares.
#include "common/firewall/firewall.h"

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

}  // namespace cnm::firewall
