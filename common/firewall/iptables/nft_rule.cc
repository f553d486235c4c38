// nft_rule.cc: understanding the nf_tables rules that iptables' nft variant makes.
//
// Theory of operation. Such a rule is a list of expressions. Most matches are a load (meta,
// payload) into register 1, perhaps a mask over it, and a comparison; what nf_tables has no
// expression for is carried whole, as a "match" or "target" with its name and struct. Releases of
// iptables differ in which they use for what, so both are understood where both have been seen. A
// rule with anything else is marked as having further conditions: then it never counts as one of
// ours.
#include <arpa/inet.h>
#include <endian.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nf_tables_compat.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netlink.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "common/firewall/iptables/nft_chain.h"
#include "common/firewall/iptables/xt_info.h"
#include "common/netlink/attributes.h"

namespace cnm::firewall::iptables {
namespace {

using netlink::Attributes;
using Bytes = std::span<const uint8_t>;

uint32_t Number(const nlattr* attribute) {
  return ntohl(netlink::NumberOr<uint32_t>(attribute, 0));
}

uint16_t PortOf(Bytes bytes) {
  return bytes.size() < 2 ? uint16_t{0} : static_cast<uint16_t>(bytes[0] << 8 | bytes[1]);
}

/// What register 1 holds.
enum class Loaded { kNothing, kUnknown, kProtocol, kIn, kOut, kMark, kSource, kDestination, kPort };

/// Collects the expressions of one rule.
class Decoder {
 public:
  explicit Decoder(net::Family family) : family_(family) {}

  void Take(const nlattr* expression);
  Rule Finish() &&;

 private:
  void TakeMeta(const nlattr* data);
  void TakePayload(const nlattr* data);
  void TakeMask(const nlattr* data);
  void TakeCompare(const nlattr* data);
  void TakeRange(const nlattr* data);
  void TakeVerdict(const nlattr* data);
  void TakeMatch(const nlattr* data);
  void TakeTarget(const nlattr* data);
  bool Store(Bytes value, bool negated);
  bool StoreSubnet(Bytes value, bool negated);
  void Require(bool understood) { strange_ |= !understood; }

  net::Family family_;
  Rule rule_;
  Loaded loaded_ = Loaded::kNothing;
  std::optional<std::vector<uint8_t>> mask_;
  bool strange_ = false;
};

void Decoder::TakeMeta(const nlattr* data) {
  const Attributes<NFTA_META_MAX> meta(data);
  mask_.reset();
  switch (Number(meta[NFTA_META_KEY])) {
    case NFT_META_L4PROTO:
      loaded_ = Loaded::kProtocol;
      return;
    case NFT_META_IIFNAME:
      loaded_ = Loaded::kIn;
      return;
    case NFT_META_OIFNAME:
      loaded_ = Loaded::kOut;
      return;
    case NFT_META_MARK:
      loaded_ = Loaded::kMark;
      return;
    default:
      loaded_ = Loaded::kUnknown;
  }
}

void Decoder::TakePayload(const nlattr* data) {
  const Attributes<NFTA_PAYLOAD_MAX> payload(data);
  const uint32_t base = Number(payload[NFTA_PAYLOAD_BASE]);
  const uint32_t offset = Number(payload[NFTA_PAYLOAD_OFFSET]);
  const uint32_t length = Number(payload[NFTA_PAYLOAD_LEN]);
  const bool v4 = family_ == net::Family::kIpv4;
  const uint32_t source = v4 ? 12 : 8;
  const uint32_t destination = v4 ? 16 : 24;
  const uint32_t protocol = v4 ? 9 : 6;
  mask_.reset();
  loaded_ = Loaded::kUnknown;
  if (base == NFT_PAYLOAD_TRANSPORT_HEADER && offset == 2 && length == 2) loaded_ = Loaded::kPort;
  if (base != NFT_PAYLOAD_NETWORK_HEADER) return;
  if (offset == source) loaded_ = Loaded::kSource;
  if (offset == destination) loaded_ = Loaded::kDestination;
  if (offset == protocol && length == 1) loaded_ = Loaded::kProtocol;
}

void Decoder::TakeMask(const nlattr* data) {
  const Attributes<NFTA_BITWISE_MAX> bitwise(data);
  const auto value = [](const nlattr* attribute) {
    return netlink::Bytes(Attributes<NFTA_DATA_MAX>(attribute)[NFTA_DATA_VALUE]);
  };
  const Bytes mask = value(bitwise[NFTA_BITWISE_MASK]);
  const Bytes flip = value(bitwise[NFTA_BITWISE_XOR]);
  mask_.emplace(mask.begin(), mask.end());
  Require(!mask.empty() &&
          std::all_of(flip.begin(), flip.end(), [](uint8_t byte) { return byte == 0; }));
}

/// The first bytes, or under a mask the first bits, of an address.
bool Decoder::StoreSubnet(Bytes value, bool negated) {
  const size_t whole = family_ == net::Family::kIpv4 ? 4 : 16;
  if (value.size() > whole) return false;
  std::array<uint8_t, 16> bytes{};
  std::copy(value.begin(), value.end(), bytes.begin());
  size_t length = value.size() * 8;
  if (mask_) {
    length = 0;
    for (const uint8_t byte : *mask_) length += static_cast<size_t>(std::popcount(byte));
  }
  const SubnetMatch match{{net::Address(Bytes(bytes.data(), whole)), static_cast<uint8_t>(length)},
                          negated};
  (loaded_ == Loaded::kSource ? rule_.source : rule_.destination) = match;
  return true;
}

LinkMatch LinkOf(Bytes value, bool negated) {
  std::string name(value.begin(), std::find(value.begin(), value.end(), 0));
  if (name.size() == value.size()) name += '+';
  return {std::move(name), negated};
}

/// @returns false for what a rule has no place for
bool Decoder::Store(Bytes value, bool negated) {
  const bool exact = !negated && !mask_;
  switch (loaded_) {
    case Loaded::kProtocol:
      rule_.protocol = value.empty() ? uint8_t{0} : value[0];
      return exact;
    case Loaded::kIn:
      rule_.in = LinkOf(value, negated);
      return !mask_;
    case Loaded::kOut:
      rule_.out = LinkOf(value, negated);
      return !mask_;
    case Loaded::kPort:
      rule_.port = PortRange{PortOf(value), PortOf(value)};
      return exact;
    case Loaded::kMark: {
      uint32_t mark = 0;  // in host order, as the packet's mark is
      if (value.size() != sizeof mark || !mask_ || negated) return false;
      std::memcpy(&mark, value.data(), sizeof mark);
      rule_.mark = mark;
      return std::equal(mask_->begin(), mask_->end(), value.begin(), value.end());
    }
    case Loaded::kSource:
    case Loaded::kDestination:
      return StoreSubnet(value, negated);
    case Loaded::kNothing:
    case Loaded::kUnknown:
      break;
  }
  return false;
}

void Decoder::TakeCompare(const nlattr* data) {
  const Attributes<NFTA_CMP_MAX> compare(data);
  const uint32_t operation = Number(compare[NFTA_CMP_OP]);
  const Bytes value =
      netlink::Bytes(Attributes<NFTA_DATA_MAX>(compare[NFTA_CMP_DATA])[NFTA_DATA_VALUE]);
  Require(operation == NFT_CMP_EQ || operation == NFT_CMP_NEQ);
  Require(Store(value, operation == NFT_CMP_NEQ));
}

void Decoder::TakeRange(const nlattr* data) {
  const Attributes<NFTA_RANGE_MAX> range(data);
  const auto value = [](const nlattr* attribute) {
    return PortOf(netlink::Bytes(Attributes<NFTA_DATA_MAX>(attribute)[NFTA_DATA_VALUE]));
  };
  Require(Number(range[NFTA_RANGE_OP]) == NFT_RANGE_EQ && loaded_ == Loaded::kPort && !mask_);
  rule_.port = PortRange{value(range[NFTA_RANGE_FROM_DATA]), value(range[NFTA_RANGE_TO_DATA])};
}

void Decoder::TakeVerdict(const nlattr* data) {
  const Attributes<NFTA_IMMEDIATE_MAX> immediate(data);
  const Attributes<NFTA_DATA_MAX> content(immediate[NFTA_IMMEDIATE_DATA]);
  const Attributes<NFTA_VERDICT_MAX> verdict(content[NFTA_DATA_VERDICT]);
  switch (static_cast<int32_t>(Number(verdict[NFTA_VERDICT_CODE]))) {
    case NF_ACCEPT:
      rule_.target = "ACCEPT";
      return;
    case NF_DROP:
      rule_.target = "DROP";
      return;
    case NFT_RETURN:
      rule_.target = "RETURN";
      return;
    case NFT_GOTO:
    case NFT_JUMP:
      Require(static_cast<int32_t>(Number(verdict[NFTA_VERDICT_CODE])) == NFT_JUMP);
      rule_.target = netlink::Text(verdict[NFTA_VERDICT_CHAIN]);
      return;
    default:
      Require(false);
  }
}

void Decoder::TakeMatch(const nlattr* data) {
  const Attributes<NFTA_MATCH_MAX> match(data);
  Require(DecodeMatch(netlink::Text(match[NFTA_MATCH_NAME]),
                      static_cast<uint8_t>(Number(match[NFTA_MATCH_REV])),
                      netlink::Bytes(match[NFTA_MATCH_INFO]), rule_));
}

void Decoder::TakeTarget(const nlattr* data) {
  const Attributes<NFTA_TARGET_MAX> target(data);
  Require(DecodeTarget(netlink::Text(target[NFTA_TARGET_NAME]),
                       static_cast<uint8_t>(Number(target[NFTA_TARGET_REV])),
                       netlink::Bytes(target[NFTA_TARGET_INFO]), family_, rule_));
}

void Decoder::Take(const nlattr* expression) {
  const Attributes<NFTA_EXPR_MAX> attributes(expression);
  const std::string name = netlink::Text(attributes[NFTA_EXPR_NAME]);
  const nlattr* const data = attributes[NFTA_EXPR_DATA];
  if (name == "counter") return;
  if (name == "meta") return TakeMeta(data);
  if (name == "payload") return TakePayload(data);
  if (name == "bitwise") return TakeMask(data);
  if (name == "cmp") return TakeCompare(data);
  if (name == "range") return TakeRange(data);
  if (name == "immediate") return TakeVerdict(data);
  if (name == "match") return TakeMatch(data);
  if (name == "target") return TakeTarget(data);
  if (name == "masq") {
    rule_.target = "MASQUERADE";
  } else if (name == "reject") {
    rule_.target = "REJECT";
  } else {
    Require(false);
  }
}

Rule Decoder::Finish() && {
  if (strange_) rule_.conditions = {"-m", std::string(kSomeConditions)};
  return std::move(rule_);
}

}  // namespace

Present DecodeNftRule(const nlmsghdr& message, net::Family family) {
  const char* const first = static_cast<const char*>(NLMSG_DATA(&message)) + sizeof(nfgenmsg);
  const Attributes<NFTA_RULE_MAX> attributes(
      first, static_cast<int>(NLMSG_PAYLOAD(&message, sizeof(nfgenmsg))));
  Decoder decoder(family);
  netlink::ForEachNested(attributes[NFTA_RULE_EXPRESSIONS],
                         [&](const nlattr* expression) { decoder.Take(expression); });
  const auto handle = netlink::NumberOr<uint64_t>(attributes[NFTA_RULE_HANDLE], 0);
  return {std::move(decoder).Finish(), be64toh(handle)};
}

}  // namespace cnm::firewall::iptables
