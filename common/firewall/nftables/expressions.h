// expressions.h: the expressions of one nftables rule. Internal to this folder.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "common/net/prefix.h"
#include "common/netlink/attributes.h"

namespace cnm::firewall {

/// A place in a packet: base (NFT_PAYLOAD_*), offset and length in bytes.
struct Field {
  uint32_t base = 0;
  uint32_t offset = 0;
  uint32_t length = 0;
};

/// Appends expressions to a NEWRULE message while it lives. Registers are NFT_REG_1 and up, 16
/// bytes each.
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
  /// Goes on if the address in the field, of the prefix's family, lies inside (EQ) or outside (NEQ)
  /// it.
  void CompareSubnet(const Field& field, uint32_t operation, const net::Prefix& subnet);
  /// Goes on if register 1 (and, for a longer key, those after it) is in the set; `inverted`: is
  /// not.
  void Lookup(std::string_view set, bool inverted = false);
  /// Ends with NF_DROP, NFT_RETURN...
  void Verdict(int32_t code);
  void Masquerade();

 private:
  const netlink::Request& request_;
  netlink::Nest list_;
};

}  // namespace cnm::firewall
