// entry.cc: a rule as the bytes of the kernel's older packet filter, and back.
#include "common/firewall/xtables/entry.h"

#include <linux/netfilter/x_tables.h>
#include <linux/netfilter_ipv4/ip_tables.h>
#include <linux/netfilter_ipv6/ip6_tables.h>

#include <algorithm>
#include <bit>
#include <cstring>
#include <string_view>

#include <fmt/format.h>

#include "common/base/error.h"
#include "common/firewall/iptables/xt_info.h"

namespace cnm::firewall::xtables {
namespace {

using iptables::LinkMatch;
using iptables::Rule;
using iptables::SubnetMatch;
using iptables::XtInfo;

// The same numbers for both families (IP6T_INV_*).
constexpr uint8_t kNotIn = IPT_INV_VIA_IN;
constexpr uint8_t kNotOut = IPT_INV_VIA_OUT;
constexpr uint8_t kNotSource = IPT_INV_SRCIP;
constexpr uint8_t kNotDestination = IPT_INV_DSTIP;

/// Where the two families' headers differ: the names of what they both have.
struct Header4 {
  using Entry = ipt_entry;
  static auto& Ip(auto& entry) { return entry.ip; }
  static void SetProtocol(Entry& entry, uint8_t protocol) { entry.ip.proto = protocol; }
};
struct Header6 {
  using Entry = ip6t_entry;
  static auto& Ip(auto& entry) { return entry.ipv6; }
  static void SetProtocol(Entry& entry, uint8_t protocol) {
    entry.ipv6.proto = protocol;
    entry.ipv6.flags |= IP6T_F_PROTO;
  }
};

// ---- rule to bytes ------------------------------------------------------------------------------

/// Appends a match or target: its head, its struct, and zeros up to the kernel's alignment.
/// @returns where it begins
size_t AppendExtension(std::vector<uint8_t>& bytes, const XtInfo& info, size_t least) {
  const size_t start = bytes.size();
  const size_t size = XT_ALIGN(std::max(sizeof(xt_entry_match) + info.bytes.size(), least));
  xt_entry_match head{};
  head.u.user.match_size = static_cast<uint16_t>(size);
  head.u.user.revision = info.revision;
  if (info.name.size() >= sizeof head.u.user.name) {
    throw Error(Code::kConfig, fmt::format("name {} is too long for iptables", info.name));
  }
  std::copy(info.name.begin(), info.name.end(), head.u.user.name);
  bytes.resize(start + size);
  std::memcpy(bytes.data() + start, &head, sizeof head);
  std::copy(info.bytes.begin(), info.bytes.end(),
            bytes.begin() + static_cast<std::ptrdiff_t>(start + sizeof head));
  return start;
}

template <class In>
void PutSubnet(const std::optional<SubnetMatch>& match, In& address, In& mask) {
  if (!match) return;
  const auto bytes = match->subnet.address.bytes();
  std::memcpy(&address, bytes.data(), std::min(sizeof address, bytes.size()));
  auto* const masks = reinterpret_cast<uint8_t*>(&mask);
  for (size_t bit = 0; bit < match->subnet.length; ++bit) {
    masks[bit / 8] |= static_cast<uint8_t>(0x80U >> bit % 8);
  }
}

void PutLink(const std::optional<LinkMatch>& match, char* name, unsigned char* mask) {
  if (!match) return;
  std::string_view text = match->name;
  const bool any = text.ends_with('+');
  if (text.size() >= IFNAMSIZ) {
    throw Error(Code::kConfig, fmt::format("link name {} is too long", text));
  }
  std::copy(text.begin(), text.end(), name);
  // An exact name is compared with its terminating zero.
  std::fill_n(mask, any ? text.size() - 1 : text.size() + 1, uint8_t{0xff});
}

template <class Header>
std::vector<uint8_t> Encode(const Rule& rule, net::Family family) {
  typename Header::Entry entry{};
  auto& ip = Header::Ip(entry);
  PutSubnet(rule.source, ip.src, ip.smsk);
  PutSubnet(rule.destination, ip.dst, ip.dmsk);
  PutLink(rule.in, ip.iniface, ip.iniface_mask);
  PutLink(rule.out, ip.outiface, ip.outiface_mask);
  const auto invert = [&](const auto& match, uint8_t bit) {
    if (match && match->negated) ip.invflags |= bit;
  };
  invert(rule.source, kNotSource);
  invert(rule.destination, kNotDestination);
  invert(rule.in, kNotIn);
  invert(rule.out, kNotOut);
  if (rule.protocol) Header::SetProtocol(entry, *rule.protocol);

  std::vector<uint8_t> bytes(sizeof entry);
  for (const XtInfo& match : iptables::MatchesOf(rule)) AppendExtension(bytes, match, 0);
  XtInfo target = iptables::TargetOf(rule, family);
  const bool plain = target.name.empty();
  if (plain) target.name = rule.target;
  entry.target_offset =
      static_cast<uint16_t>(AppendExtension(bytes, target, plain ? sizeof(xt_standard_target) : 0));
  entry.next_offset = static_cast<uint16_t>(bytes.size());
  std::memcpy(bytes.data(), &entry, sizeof entry);
  return bytes;
}

// ---- bytes to rule ------------------------------------------------------------------------------

template <class In>
std::optional<SubnetMatch> SubnetOf(const In& address, const In& mask, bool negated) {
  const auto* const masks = reinterpret_cast<const uint8_t*>(&mask);
  size_t length = 0;
  for (size_t i = 0; i < sizeof mask; ++i) length += static_cast<size_t>(std::popcount(masks[i]));
  if (length == 0) return {};
  const std::span<const uint8_t> bytes(reinterpret_cast<const uint8_t*>(&address), sizeof address);
  return SubnetMatch{{net::Address(bytes), static_cast<uint8_t>(length)}, negated};
}

std::optional<LinkMatch> LinkOf(const char* name, const unsigned char* mask, bool negated) {
  if (mask[0] == 0) return {};
  return LinkMatch{std::string(name, ::strnlen(name, IFNAMSIZ)), negated};
}

/// @returns false for what the rule has no place for
bool DecodeExtensions(std::span<const uint8_t> bytes, Rule& rule) {
  while (bytes.size() >= sizeof(xt_entry_match)) {
    xt_entry_match head{};
    std::memcpy(&head, bytes.data(), sizeof head);
    const size_t size = head.u.user.match_size;
    if (size < sizeof head || size > bytes.size()) return false;
    const std::string name(head.u.user.name, ::strnlen(head.u.user.name, sizeof head.u.user.name));
    if (!iptables::DecodeMatch(name, head.u.user.revision,
                               bytes.subspan(sizeof head, size - sizeof head), rule)) {
      return false;
    }
    bytes = bytes.subspan(size);
  }
  return true;
}

/// @returns false for what the rule has no place for
bool DecodeTargetOf(std::span<const uint8_t> bytes, net::Family family, Rule& rule) {
  xt_entry_match head{};
  std::memcpy(&head, bytes.data(), std::min(sizeof head, bytes.size()));
  const std::string name(head.u.user.name, ::strnlen(head.u.user.name, sizeof head.u.user.name));
  if (name.empty() || bytes.size() < sizeof head) return true;  // a verdict or a chain
  return iptables::DecodeTarget(name, head.u.user.revision, bytes.subspan(sizeof head), family,
                                rule);
}

template <class Header>
Rule Decode(std::span<const uint8_t> bytes, const std::string& target, net::Family family) {
  typename Header::Entry entry{};
  std::memcpy(&entry, bytes.data(), sizeof entry);
  const auto& ip = Header::Ip(entry);
  const auto inverted = [&](uint8_t bit) { return (ip.invflags & bit) != 0; };
  Rule rule{.source = SubnetOf(ip.src, ip.smsk, inverted(kNotSource)),
            .destination = SubnetOf(ip.dst, ip.dmsk, inverted(kNotDestination)),
            .in = LinkOf(ip.iniface, ip.iniface_mask, inverted(kNotIn)),
            .out = LinkOf(ip.outiface, ip.outiface_mask, inverted(kNotOut)),
            .target = target};
  if (ip.proto != 0) rule.protocol = static_cast<uint8_t>(ip.proto);
  bool known = (ip.invflags & ~(kNotSource | kNotDestination | kNotIn | kNotOut)) == 0;
  const size_t offset = entry.target_offset;
  known &= DecodeExtensions(bytes.subspan(sizeof entry, offset - sizeof entry), rule);
  known &= DecodeTargetOf(bytes.subspan(offset), family, rule);
  if (!known) rule.conditions = {"-m", std::string(iptables::kSomeConditions)};
  return rule;
}

}  // namespace

std::vector<uint8_t> EncodeEntry(const Rule& rule, net::Family family) {
  return family == net::Family::kIpv4 ? Encode<Header4>(rule, family)
                                      : Encode<Header6>(rule, family);
}

Rule DecodeEntry(std::span<const uint8_t> entry, const std::string& target, net::Family family) {
  return family == net::Family::kIpv4 ? Decode<Header4>(entry, target, family)
                                      : Decode<Header6>(entry, target, family);
}

}  // namespace cnm::firewall::xtables
