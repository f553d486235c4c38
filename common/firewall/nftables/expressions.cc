// expressions.cc: the expressions of one nftables rule, encoded as nft(8) does, so that it lists
// them as it would its own.
#include "common/firewall/nftables/expressions.h"

#include <arpa/inet.h>
#include <netinet/in.h>

#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/rtnetlink.h>

#include <array>
#include <bit>
#include <vector>

namespace cnm::firewall::nftables {
namespace {

using netlink::Nest;
using netlink::Request;

/// One expression: its name, and its attributes while it lives.
class Expression {
 public:
  Expression(const Request& request, std::string_view name)
      : item_(request, NFTA_LIST_ELEM),
        data_((netlink::PutText(request, NFTA_EXPR_NAME, name), request), NFTA_EXPR_DATA) {}

 private:
  Nest item_;
  Nest data_;
};

void PutData(const Request& request, int type, std::span<const uint8_t> bytes) {
  const Nest data(request, type);
  netlink::Put(request, NFTA_DATA_VALUE, bytes);
}

/// register 1 &= mask
void Mask(const Request& request, std::span<const uint8_t> mask) {
  const Expression bitwise(request, "bitwise");
  Expressions::PutNumber(request, NFTA_BITWISE_SREG, NFT_REG_1);
  Expressions::PutNumber(request, NFTA_BITWISE_DREG, NFT_REG_1);
  Expressions::PutNumber(request, NFTA_BITWISE_LEN, static_cast<uint32_t>(mask.size()));
  PutData(request, NFTA_BITWISE_MASK, mask);
  PutData(request, NFTA_BITWISE_XOR, std::vector<uint8_t>(mask.size()));
}

std::array<uint8_t, sizeof(uint32_t)> HostBytes(uint32_t number) {
  return std::bit_cast<std::array<uint8_t, sizeof number>>(number);
}

}  // namespace

Expressions::Expressions(const Request& rule)
    : request_(rule), list_(rule, NFTA_RULE_EXPRESSIONS) {}

void Expressions::PutNumber(const Request& request, int type, uint32_t number) {
  netlink::PutNumber<uint32_t>(request, type, htonl(number));
}

void Expressions::Meta(uint32_t key, uint32_t reg) {
  const Expression meta(request_, "meta");
  PutNumber(request_, NFTA_META_KEY, key);
  PutNumber(request_, NFTA_META_DREG, reg);
}

void Expressions::Load(const Field& field, uint32_t reg) {
  const Expression payload(request_, "payload");
  PutNumber(request_, NFTA_PAYLOAD_DREG, reg);
  PutNumber(request_, NFTA_PAYLOAD_BASE, field.base);
  PutNumber(request_, NFTA_PAYLOAD_OFFSET, field.offset);
  PutNumber(request_, NFTA_PAYLOAD_LEN, field.length);
}

void Expressions::Compare(uint32_t operation, std::span<const uint8_t> bytes) {
  const Expression compare(request_, "cmp");
  PutNumber(request_, NFTA_CMP_SREG, NFT_REG_1);
  PutNumber(request_, NFTA_CMP_OP, operation);
  PutData(request_, NFTA_CMP_DATA, bytes);
}

void Expressions::CompareBits(const Field& field, uint8_t mask, uint8_t bits) {
  Load(field, NFT_REG_1);
  Mask(request_, {&mask, 1});
  Compare(NFT_CMP_EQ, {&bits, 1});
}

void Expressions::CompareNumber(uint32_t operation, uint32_t number) {
  Compare(operation, HostBytes(number));
}

void Expressions::Connection(uint32_t key, uint32_t bits) {
  {
    const Expression connection(request_, "ct");
    PutNumber(request_, NFTA_CT_KEY, key);
    PutNumber(request_, NFTA_CT_DREG, NFT_REG_1);
  }
  Mask(request_, HostBytes(bits));
  CompareNumber(NFT_CMP_NEQ, 0);
}

void Expressions::ToThisHost() {
  {
    const Expression route(request_, "fib");
    PutNumber(request_, NFTA_FIB_FLAGS, NFTA_FIB_F_DADDR);
    PutNumber(request_, NFTA_FIB_RESULT, NFT_FIB_RESULT_ADDRTYPE);
    PutNumber(request_, NFTA_FIB_DREG, NFT_REG_1);
  }
  CompareNumber(NFT_CMP_EQ, RTN_LOCAL);
}

void Expressions::CompareSubnet(const Field& field, uint32_t operation, const net::Prefix& subnet) {
  const net::Address network = subnet.Subnet().address;
  const std::span<const uint8_t> bytes = network.bytes();
  // Whole bytes are loaded alone; other lengths need a mask.
  if (subnet.length % 8 == 0 && subnet.length > 0) {
    const uint32_t length = subnet.length / 8;
    Load({field.base, field.offset, length}, NFT_REG_1);
    return Compare(operation, bytes.first(length));
  }
  Load(field, NFT_REG_1);
  std::vector<uint8_t> mask(bytes.size());
  for (size_t bit = 0; bit < subnet.length; ++bit) {
    mask[bit / 8] = static_cast<uint8_t>(mask[bit / 8] | 0x80U >> bit % 8);
  }
  Mask(request_, mask);
  Compare(operation, bytes);
}

void Expressions::Lookup(std::string_view set, bool inverted) {
  const Expression lookup(request_, "lookup");
  PutNumber(request_, NFTA_LOOKUP_SREG, NFT_REG_1);
  netlink::PutText(request_, NFTA_LOOKUP_SET, set);
  if (inverted) PutNumber(request_, NFTA_LOOKUP_FLAGS, NFT_LOOKUP_F_INV);
}

void Expressions::LookupMap(std::string_view map) {
  const Expression lookup(request_, "lookup");
  PutNumber(request_, NFTA_LOOKUP_SREG, NFT_REG_1);
  PutNumber(request_, NFTA_LOOKUP_DREG, NFT_REG_1);
  netlink::PutText(request_, NFTA_LOOKUP_SET, map);
}

void Expressions::Verdict(int32_t code, std::string_view chain) {
  const Expression immediate(request_, "immediate");
  PutNumber(request_, NFTA_IMMEDIATE_DREG, NFT_REG_VERDICT);
  const Nest data(request_, NFTA_IMMEDIATE_DATA);
  const Nest verdict(request_, NFTA_DATA_VERDICT);
  PutNumber(request_, NFTA_VERDICT_CODE, static_cast<uint32_t>(code));
  if (!chain.empty()) netlink::PutText(request_, NFTA_VERDICT_CHAIN, chain);
}

void Expressions::Masquerade() {
  const Expression masquerade(request_, "masq");
}

void Expressions::DestinationNat(net::Family family, std::optional<uint32_t> port_register) {
  const Expression nat(request_, "nat");
  PutNumber(request_, NFTA_NAT_TYPE, NFT_NAT_DNAT);
  PutNumber(request_, NFTA_NAT_FAMILY, family == net::Family::kIpv4 ? NFPROTO_IPV4 : NFPROTO_IPV6);
  PutNumber(request_, NFTA_NAT_REG_ADDR_MIN, NFT_REG_1);
  if (port_register) PutNumber(request_, NFTA_NAT_REG_PROTO_MIN, *port_register);
}

}  // namespace cnm::firewall::nftables
