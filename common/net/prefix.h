// prefix.h: an address with a prefix length (CIDR notation), host bits kept.
#pragma once

#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "common/net/address.h"

namespace cnm::net {

/// "10.1.2.3/24": an address and how many of its leading bits name the subnet. When the host bits
/// are zero it is a subnet.
struct Prefix {
  Address address;
  uint8_t length = 0;  ///< 0..32 or 0..128

  /// CIDR text; the length must be decimal and in range.
  static std::optional<Prefix> Parse(std::string_view text);

  /// The subnet it lies in: host bits zero.
  Prefix Subnet() const;
  /// The subnet's last address (IPv4: broadcast).
  Address Last() const;
  /// Whether `other` is in the same subnet. False across families.
  bool Contains(const Address& other) const;
  /// Whether the two subnets share an address.
  bool Overlaps(const Prefix& other) const;
  std::string ToString() const;

  auto operator<=>(const Prefix&) const = default;  // NOLINT(modernize-use-nullptr): misread
};

}  // namespace cnm::net
