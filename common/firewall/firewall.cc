// firewall.cc: names of the values every backend shares.
#include "common/firewall/firewall.h"

#include <algorithm>
#include <array>

#include <fmt/format.h>

namespace cnm::firewall {
namespace {

/// Names that stand for something else where iptables wants a chain's: the chains that the kernel
/// calls, verdicts, and targets that are extensions (man iptables-extensions).
constexpr std::array<std::string_view, 46> kBuiltIn = {
    "INPUT",     "FORWARD", "OUTPUT",  "PREROUTING", "POSTROUTING", "ACCEPT",      "DROP",
    "RETURN",    "QUEUE",   "AUDIT",   "CHECKSUM",   "CLASSIFY",    "CLUSTERIP",   "CONNMARK",
    "CT",        "DNAT",    "DNPT",    "DSCP",       "ECN",         "HL",          "HMARK",
    "IDLETIMER", "LED",     "LOG",     "MARK",       "MASQUERADE",  "NETMAP",      "NFLOG",
    "NFQUEUE",   "NOTRACK", "RATEEST", "REDIRECT",   "REJECT",      "SECMARK",     "CONNSECMARK",
    "SET",       "SNAT",    "SNPT",    "SYNPROXY",   "TCPMSS",      "TCPOPTSTRIP", "TEE",
    "TOS",       "TPROXY",  "TRACE",   "TTL"};

}  // namespace

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

std::string Describe(const Passage& passage) {
  const std::string to = passage.to.ToString();
  return fmt::format(fmt::runtime(passage.to.is_v4() ? "{} -> {}:{}/{}" : "{} -> [{}]:{}/{}"),
                     passage.from.ToString(), to, passage.port, NameOf(passage.protocol));
}

bool IsChainName(std::string_view name) {
  constexpr size_t kLongest = 28;  // linux/netfilter/x_tables.h: XT_EXTENSION_MAXNAMELEN, less 0
  if (name.empty() || name.size() > kLongest || name.front() == '-' || name.front() == '!') {
    return false;
  }
  if (std::find(kBuiltIn.begin(), kBuiltIn.end(), name) != kBuiltIn.end()) return false;
  return std::all_of(name.begin(), name.end(), [](char c) {
    return c > ' ' && c <= '~' && c != '"' && c != '\'' && c != '\\' && c != '#';
  });
}

std::vector<net::Prefix> Forwarding::Sources() const {
  std::vector<net::Prefix> sources;
  sources.reserve(addresses.size() + subnets.size());
  for (const net::Address& address : addresses) sources.push_back({address, address.bits()});
  sources.insert(sources.end(), subnets.begin(), subnets.end());
  return sources;
}

}  // namespace cnm::firewall
