// xt_info.cc: matches and targets of iptables as the kernel holds them.
#include "common/firewall/iptables/xt_info.h"

#include <arpa/inet.h>
#include <linux/netfilter/nf_conntrack_common.h>
#include <linux/netfilter/nf_nat.h>
#include <linux/netfilter/xt_addrtype.h>
#include <linux/netfilter/xt_comment.h>
#include <linux/netfilter/xt_conntrack.h>
#include <linux/netfilter/xt_mark.h>
#include <linux/netfilter/xt_multiport.h>
#include <linux/netfilter/xt_tcpudp.h>
#include <linux/netfilter_ipv6/ip6_tables.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <optional>
#include <string_view>
#include <utility>

#include <fmt/format.h>

#include "common/base/error.h"

namespace cnm::firewall::iptables {
namespace {

template <class Struct>
XtInfo Info(std::string_view name, uint8_t revision, const Struct& value) {
  XtInfo info{std::string(name), revision};
  info.bytes.resize(sizeof value);
  std::memcpy(info.bytes.data(), &value, sizeof value);
  return info;
}

/// The bytes as the struct; padding behind it does not count. nullopt when they are too few.
template <class Struct>
std::optional<Struct> As(std::span<const uint8_t> bytes) {
  Struct value{};
  if (bytes.size() < sizeof value) return {};
  std::memcpy(&value, bytes.data(), sizeof value);
  return value;
}

constexpr uint16_t kAnyPort = 0xffff;
constexpr uint16_t kEstablished =
    XT_CONNTRACK_STATE_BIT(IP_CT_ESTABLISHED) | XT_CONNTRACK_STATE_BIT(IP_CT_RELATED);

/// struct xt_sctp_info of linux/netfilter/xt_sctp.h, which C++ cannot include.
struct SctpInfo {
  std::array<uint16_t, 2> dpts;
  std::array<uint16_t, 2> spts;
  std::array<uint32_t, 64> chunkmap;
  uint32_t chunk_match_type;
  std::array<std::array<uint8_t, 3>, 4> flag_info;
  int32_t flag_count;
  uint32_t flags;
  uint32_t invflags;
};
constexpr uint32_t kSctpDestinationPorts = 2;

// ---- ports --------------------------------------------------------------------------------------

template <class Struct>
XtInfo PortInfo(std::string_view name, const PortRange& port) {
  Struct info{};
  info.spts[1] = kAnyPort;
  info.dpts[0] = port.first;
  info.dpts[1] = port.last;
  if constexpr (requires { info.flags; }) info.flags = kSctpDestinationPorts;
  return Info(name, 0, info);
}

template <class Struct>
bool DecodePort(std::span<const uint8_t> bytes, Rule& rule) {
  const std::optional<Struct> info = As<Struct>(bytes);
  if (!info) return false;
  rule.port = PortRange{info->dpts[0], info->dpts[1]};
  return PortInfo<Struct>("", *rule.port).bytes ==
         std::vector<uint8_t>(bytes.begin(), bytes.begin() + sizeof(Struct));
}

bool DecodeMultiport(std::span<const uint8_t> bytes, Rule& rule) {
  const auto info = As<xt_multiport_v1>(bytes);
  if (!info || info->flags != XT_MULTIPORT_DESTINATION || info->invert != 0) return false;
  for (size_t i = 0; i < std::min<size_t>(info->count, XT_MULTI_PORTS); ++i) {
    const bool range = info->pflags[i] != 0 && i + 1 < XT_MULTI_PORTS;
    rule.ports.push_back({info->ports[i], info->ports[range ? i + 1 : i]});
    if (range) ++i;
  }
  return true;
}

XtInfo MultiportInfo(const std::vector<PortRange>& ports) {
  xt_multiport_v1 info{};
  info.flags = XT_MULTIPORT_DESTINATION;
  for (const PortRange& range : ports) {
    const bool wide = range.first != range.last;
    if (info.count + (wide ? 2 : 1) > XT_MULTI_PORTS) {
      throw Error(Code::kInternal, "more than 15 ports in a multiport match");
    }
    info.pflags[info.count] = wide ? 1 : 0;
    info.ports[info.count++] = range.first;
    if (wide) info.ports[info.count++] = range.last;
  }
  return Info("multiport", 1, info);
}

// ---- the other matches --------------------------------------------------------------------------

XtInfo CommentInfo(const std::string& comment) {
  xt_comment_info info{};
  std::memcpy(info.comment, comment.data(), std::min(comment.size(), sizeof info.comment));
  return Info("comment", 0, info);
}

bool DecodeComment(std::span<const uint8_t> bytes, Rule& rule) {
  const auto end = std::find(bytes.begin(), bytes.end(), 0);
  rule.comment.assign(bytes.begin(), end);
  return true;
}

bool DecodeConntrack(std::span<const uint8_t> bytes, Rule& rule) {
  const auto info = As<xt_conntrack_mtinfo2>(bytes);  // revision 3 begins with the same
  if (!info || info->match_flags != XT_CONNTRACK_STATE || info->invert_flags != 0) return false;
  rule.established = info->state_mask == kEstablished;
  rule.translated = info->state_mask == XT_CONNTRACK_STATE_DNAT;
  return rule.established || rule.translated;
}

bool DecodeAddressType(std::span<const uint8_t> bytes, Rule& rule) {
  const auto info = As<xt_addrtype_info_v1>(bytes);
  rule.to_local = info && info->source == 0 && info->dest == XT_ADDRTYPE_LOCAL && info->flags == 0;
  return rule.to_local;
}

/// Its last bytes are padding, which iptables compares too.
XtInfo MarkInfo(uint32_t mark) {
  xt_mark_mtinfo1 info;
  std::memset(&info, 0, sizeof info);
  info.mark = info.mask = mark;
  return Info("mark", 1, info);
}

bool DecodeMark(std::span<const uint8_t> bytes, Rule& rule) {
  const auto info = As<xt_mark_mtinfo1>(bytes);
  if (!info || info->invert != 0 || info->mark != info->mask) return false;
  rule.mark = info->mark;
  return true;
}

/// Of any code.
XtInfo Icmpv6Info(uint8_t type) {
  return Info("icmp6", 0, ip6t_icmp{.type = type, .code = {0, UINT8_MAX}, .invflags = 0});
}

bool DecodeIcmpv6(std::span<const uint8_t> bytes, Rule& rule) {
  const auto info = As<ip6t_icmp>(bytes);
  if (!info || info->code[0] != 0 || info->code[1] != UINT8_MAX || info->invflags != 0) {
    return false;
  }
  rule.icmpv6_type = info->type;
  return true;
}

// ---- DNAT ---------------------------------------------------------------------------------------

void PutAddress(const net::Address& address, nf_inet_addr& place) {
  std::memcpy(&place, address.bytes().data(), address.bytes().size());
}

XtInfo DestinationInfo(const Destination& to) {
  nf_nat_range2 range{};
  range.flags = NF_NAT_RANGE_MAP_IPS;
  PutAddress(to.address, range.min_addr);
  PutAddress(to.address, range.max_addr);
  if (to.ports) {
    range.flags |= NF_NAT_RANGE_PROTO_SPECIFIED;
    range.min_proto.all = htons(to.ports->first);
    range.max_proto.all = htons(to.ports->last);
  }
  if (to.base != 0) {
    range.flags |= NF_NAT_RANGE_PROTO_OFFSET;
    range.base_proto.all = htons(to.base);
  }
  return Info("DNAT", 2, range);
}

bool DecodeDestination(std::span<const uint8_t> bytes, net::Family family, Rule& rule) {
  const auto range = As<nf_nat_range2>(bytes);
  if (!range) return false;
  const auto* const first = reinterpret_cast<const uint8_t*>(&range->min_addr);
  rule.to = Destination{net::Address(
      std::span<const uint8_t>(first, family == net::Family::kIpv4 ? size_t{4} : size_t{16}))};
  if ((range->flags & NF_NAT_RANGE_PROTO_SPECIFIED) != 0) {
    rule.to->ports = PortRange{ntohs(range->min_proto.all), ntohs(range->max_proto.all)};
  }
  if ((range->flags & NF_NAT_RANGE_PROTO_OFFSET) != 0) {
    rule.to->base = ntohs(range->base_proto.all);
  }
  return DestinationInfo(*rule.to).bytes ==
         std::vector<uint8_t>(bytes.begin(), bytes.begin() + sizeof *range);
}

}  // namespace

std::vector<XtInfo> MatchesOf(const Rule& rule) {
  if (!rule.conditions.empty()) {
    throw Error(Code::kConfig, "a rule with further conditions is not known as bytes");
  }
  std::vector<XtInfo> matches;
  if (rule.port && rule.protocol) {
    const std::string name = ProtocolText(*rule.protocol);
    if (name == "tcp") matches.push_back(PortInfo<xt_tcp>(name, *rule.port));
    if (name == "udp") matches.push_back(PortInfo<xt_udp>(name, *rule.port));
    if (name == "sctp") matches.push_back(PortInfo<SctpInfo>(name, *rule.port));
  }
  if (rule.icmpv6_type) matches.push_back(Icmpv6Info(*rule.icmpv6_type));
  if (!rule.comment.empty()) matches.push_back(CommentInfo(rule.comment));
  if (!rule.ports.empty()) matches.push_back(MultiportInfo(rule.ports));
  if (rule.mark) matches.push_back(MarkInfo(*rule.mark));
  if (rule.to_local) {
    matches.push_back(Info("addrtype", 1, xt_addrtype_info_v1{0, XT_ADDRTYPE_LOCAL, 0}));
  }
  if (rule.established || rule.translated) {
    xt_conntrack_mtinfo3 info{};
    info.match_flags = XT_CONNTRACK_STATE;
    info.state_mask = rule.translated ? XT_CONNTRACK_STATE_DNAT : kEstablished;
    matches.push_back(Info("conntrack", 3, info));
  }
  return matches;
}

XtInfo TargetOf(const Rule& rule, net::Family family) {
  if (rule.to) return DestinationInfo(*rule.to);
  if (rule.target == "MARK") {
    return Info("MARK", 2, xt_mark_tginfo2{rule.set_mark, rule.set_mark});
  }
  if (rule.target != "MASQUERADE") return {};
  if (family == net::Family::kIpv6) return Info("MASQUERADE", 0, nf_nat_range{});
  nf_nat_ipv4_multi_range_compat ranges{};
  ranges.rangesize = 1;
  return Info("MASQUERADE", 0, ranges);
}

bool DecodeMatch(const std::string& name, uint8_t revision, std::span<const uint8_t> bytes,
                 Rule& rule) {
  if (name == "tcp") return DecodePort<xt_tcp>(bytes, rule);
  if (name == "udp") return DecodePort<xt_udp>(bytes, rule);
  if (name == "sctp") return DecodePort<SctpInfo>(bytes, rule);
  if (name == "icmp6") return DecodeIcmpv6(bytes, rule);
  if (name == "comment") return DecodeComment(bytes, rule);
  if (name == "multiport" && revision == 1) return DecodeMultiport(bytes, rule);
  if (name == "mark" && revision == 1) return DecodeMark(bytes, rule);
  if (name == "addrtype" && revision == 1) return DecodeAddressType(bytes, rule);
  if (name == "conntrack" && revision >= 2) return DecodeConntrack(bytes, rule);
  return false;
}

bool DecodeTarget(const std::string& name, uint8_t revision, std::span<const uint8_t> bytes,
                  net::Family family, Rule& rule) {
  rule.target = name;
  if (name == "MARK" && revision == 2) {
    const auto info = As<xt_mark_tginfo2>(bytes);
    if (!info || info->mark != info->mask) return false;
    rule.set_mark = info->mark;
    return true;
  }
  if (name == "DNAT" && revision == 2) return DecodeDestination(bytes, family, rule);
  if (name == "MASQUERADE") return true;
  return name == "REJECT";
}

}  // namespace cnm::firewall::iptables
