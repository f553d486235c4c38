// expressions.h: the expressions of one nftables rule. Internal to this folder.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "common/net/prefix.h"
#include "common/netlink/attributes.h"

namespace cnm::firewall::nftables {

/// A place in a packet: base (NFT_PAYLOAD_*), offset and length in bytes.
struct Field {
  uint32_t base = 0;
  uint32_t offset = 0;
  uint32_t length = 0;
};

/// Appends expressions to a NEWRULE message while it lives. Registers are NFT_REG_1 and up, 16
/// bytes each, or NFT_REG32_00 and up, their quarters.
class Expressions {
 public:
  explicit Expressions(const netlink::Request& rule);

  /// A number, as the rest of nfnetlink's, in network order.
  static void PutNumber(const netlink::Request& request, int type, uint32_t number);

  /// register = what NFT_META_* tells
  void Meta(uint32_t key, uint32_t reg);
  /// register = field of the packet
  void Load(const Field& field, uint32_t reg);
  /// Goes on if register 1 equals (NFT_CMP_EQ) or not (NFT_CMP_NEQ) these bytes.
  void Compare(uint32_t operation, std::span<const uint8_t> bytes);
  /// Goes on if these bits of a field of one byte are as `bits` says.
  void CompareBits(const Field& field, uint8_t mask, uint8_t bits);
  /// As Compare, for a number in host order.
  void CompareNumber(uint32_t operation, uint32_t number);
  /// Goes on if the connection's NFT_CT_* has one of these bits.
  void Connection(uint32_t key, uint32_t bits);
  /// Goes on if the packet's destination is an address of this host.
  void ToThisHost();
  /// Goes on if the address in the field, of the prefix's family, lies inside (EQ) or outside (NEQ)
  /// it.
  void CompareSubnet(const Field& field, uint32_t operation, const net::Prefix& subnet);
  /// Goes on if register 1 (and, for a longer key, those after it) is in the set; `inverted`: is
  /// not.
  void Lookup(std::string_view set, bool inverted = false);
  /// Goes on if it is in the map, with what it leads to in register 1 and those after it.
  void LookupMap(std::string_view map);
  /// Ends with NF_DROP, NFT_RETURN...; or NFT_JUMP or NFT_GOTO to the chain.
  void Verdict(int32_t code, std::string_view chain = {});
  void Masquerade();
  /// To the address in register 1 and, if given, the port in that register.
  void DestinationNat(net::Family family, std::optional<uint32_t> port_register);

 private:
  const netlink::Request& request_;
  netlink::Nest list_;
};

}  // namespace cnm::firewall::nftables
