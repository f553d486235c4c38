// conntrack.cc: forgetting flows that a change of published ports made wrong.
//
// Theory of operation. One dump for each address family, filtered in the kernel (CTA_FILTER, Linux
// 5.8) by protocol and, when all mappings agree on them, by port and address; older kernels ignore
// the filter, so every entry that comes is compared here too. Then each entry that matched is
// deleted by its whole tuple and id. Newer kernels could delete by a filter in one request, but an
// older one that does not know it would delete every flow of the host, so that is never sent.
#include "common/firewall/conntrack.h"

#include <arpa/inet.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_conntrack.h>
#include <linux/netlink.h>

#include <algorithm>
#include <cerrno>
#include <optional>
#include <utility>
#include <vector>

#include "common/netlink/attributes.h"
#include "common/netlink/channel.h"

namespace cnm::firewall {
namespace {

using netlink::Attributes;
using netlink::Nest;
using netlink::Request;

// The bits of CTA_FILTER_ORIG_FLAGS, which the kernel's public headers lack
// (include/net/netfilter/nf_conntrack_core.h and nf_internals.h, as libnetfilter_conntrack has
// them).
constexpr uint32_t kFilterDestination = 1U << 1;
constexpr uint32_t kFilterProtocol = 1U << 3;
constexpr uint32_t kFilterDestinationPort = 1U << 5;

/// Host ports and address whose flows are stale.
struct Stale {
  std::optional<net::Address> address;
  uint16_t first;
  uint16_t last;
};

/// Where a flow went at first.
struct Destination {
  net::Address address;
  uint16_t port;
};

Request MakeMessage(int type, net::Family family) {
  Request request("ask conntrack", static_cast<uint16_t>(NFNL_SUBSYS_CTNETLINK << 8 | type), 0);
  netlink::AppendHeader(request, nfgenmsg{static_cast<uint8_t>(family), NFNETLINK_V0, 0});
  // A kernel without connection tracking has no flows; one without filters says so in either way.
  request.Tolerate(EINVAL).Tolerate(EOPNOTSUPP);
  return request;
}

std::vector<Stale> StaleOf(std::span<const PortMapping> mappings, net::Family family) {
  std::vector<Stale> stale;
  for (const PortMapping& mapping : mappings) {
    const bool udp = mapping.protocol == Protocol::kUdp;
    if (!udp || mapping.target.address.family() != family || mapping.count == 0) continue;
    const bool any = !mapping.host_address || mapping.host_address->IsUnspecified();
    const unsigned last = std::min(mapping.host_port + mapping.count - 1U, 65535U);
    stale.push_back({any ? std::nullopt : mapping.host_address, mapping.host_port,
                     static_cast<uint16_t>(last)});
  }
  return stale;
}

/// What all of them have in common, as the kernel filters by equality only.
void PutFilter(const Request& request, const std::vector<Stale>& stale, net::Family family) {
  const Stale& one = stale.front();
  const bool one_port = std::all_of(stale.begin(), stale.end(), [&](const Stale& other) {
    return other.first == one.first && other.last == one.first;
  });
  const bool one_address =
      one.address && std::all_of(stale.begin(), stale.end(),
                                 [&](const Stale& other) { return other.address == one.address; });
  {
    const Nest tuple(request, CTA_TUPLE_ORIG);
    if (one_address) {
      const Nest ip(request, CTA_TUPLE_IP);
      const bool is_v4 = family == net::Family::kIpv4;
      netlink::Put(request, is_v4 ? CTA_IP_V4_DST : CTA_IP_V6_DST, one.address->bytes());
    }
    const Nest protocol(request, CTA_TUPLE_PROTO);
    netlink::PutNumber<uint8_t>(request, CTA_PROTO_NUM, static_cast<uint8_t>(Protocol::kUdp));
    if (one_port) netlink::PutNumber<uint16_t>(request, CTA_PROTO_DST_PORT, htons(one.first));
  }
  uint32_t flags = kFilterProtocol;
  if (one_port) flags |= kFilterDestinationPort;
  if (one_address) flags |= kFilterDestination;
  const Nest filter(request, CTA_FILTER);
  netlink::PutNumber<uint32_t>(request, CTA_FILTER_ORIG_FLAGS, flags);
}

/// Where a UDP flow went; nullopt for other protocols and what cannot be read.
std::optional<Destination> DestinationOf(const nlattr* tuple, net::Family family) {
  const Attributes<CTA_TUPLE_MAX> parts(tuple);
  const Attributes<CTA_IP_MAX> ip(parts[CTA_TUPLE_IP]);
  const Attributes<CTA_PROTO_MAX> protocol(parts[CTA_TUPLE_PROTO]);
  const bool is_v4 = family == net::Family::kIpv4;
  const auto address = netlink::Bytes(ip[is_v4 ? CTA_IP_V4_DST : CTA_IP_V6_DST]);
  const auto number = netlink::NumberOr<uint8_t>(protocol[CTA_PROTO_NUM], 0);
  if (number != static_cast<uint8_t>(Protocol::kUdp)) return {};
  if (address.size() != (is_v4 ? 4U : 16U) || protocol[CTA_PROTO_DST_PORT] == nullptr) return {};
  const auto port = netlink::NumberOr<uint16_t>(protocol[CTA_PROTO_DST_PORT], 0);
  return Destination{net::Address(address), ntohs(port)};
}

bool IsStale(const Destination& to, const std::vector<Stale>& stale) {
  return std::any_of(stale.begin(), stale.end(), [&](const Stale& one) {
    return to.port >= one.first && to.port <= one.last &&
           (!one.address || *one.address == to.address);
  });
}

/// The request that deletes this very entry: its whole tuple, zone and id.
Request MakeDeletion(const Attributes<CTA_MAX>& entry, net::Family family) {
  Request request = MakeMessage(IPCTNL_MSG_CT_DELETE, family);
  request.Tolerate(ENOENT);
  for (const int type : {CTA_TUPLE_ORIG, CTA_ZONE, CTA_ID}) {
    if (entry[type] == nullptr) continue;
    const int nested = type == CTA_TUPLE_ORIG ? NLA_F_NESTED : 0;
    netlink::Put(request, type | nested, netlink::Bytes(entry[type]));
  }
  return request;
}

/// @returns the requests that delete the stale entries; nullopt when the kernel refused the
/// question
std::optional<std::vector<Request>> FindStale(netlink::Channel& channel, const Request& question,
                                              const std::vector<Stale>& stale, net::Family family) {
  std::vector<Request> deletions;
  const int outcome = channel.Dump(
      question, [&] { deletions.clear(); },
      [&](const nlmsghdr& message) {
        const char* const first = static_cast<const char*>(NLMSG_DATA(&message)) + sizeof(nfgenmsg);
        const Attributes<CTA_MAX> entry(
            first, static_cast<int>(NLMSG_PAYLOAD(&message, sizeof(nfgenmsg))));
        const auto destination = DestinationOf(entry[CTA_TUPLE_ORIG], family);
        if (!destination || !IsStale(*destination, stale)) return;
        deletions.push_back(MakeDeletion(entry, family));
      });
  if (outcome != 0) return {};
  return deletions;
}

size_t FlushFamily(netlink::Channel& channel, const std::vector<Stale>& stale, net::Family family) {
  const Request filtered = MakeMessage(IPCTNL_MSG_CT_GET, family);
  PutFilter(filtered, stale, family);
  auto deletions = FindStale(channel, filtered, stale, family);
  if (!deletions) {
    deletions = FindStale(channel, MakeMessage(IPCTNL_MSG_CT_GET, family), stale, family);
  }
  if (!deletions || deletions->empty()) return 0;
  const std::vector<int> outcomes = channel.Execute(*deletions);
  return static_cast<size_t>(std::count(outcomes.begin(), outcomes.end(), 0));
}

}  // namespace

size_t FlushFlows(std::span<const PortMapping> mappings) {
  std::optional<netlink::Channel> channel;
  size_t flushed = 0;
  for (const net::Family family : net::kFamilies) {
    const std::vector<Stale> stale = StaleOf(mappings, family);
    if (stale.empty()) continue;
    if (!channel) channel = netlink::Channel::Open(NETLINK_NETFILTER);
    flushed += FlushFamily(*channel, stale, family);
  }
  return flushed;
}

}  // namespace cnm::firewall
