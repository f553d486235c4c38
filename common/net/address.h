// address.h: an IP address of either family as a value.
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace cnm::net {

/// Address family; the value is the kernel's AF_ number.
enum class Family : uint8_t { kIpv4 = 2, kIpv6 = 10 };
inline constexpr Family kFamilies[] = {Family::kIpv4, Family::kIpv6};

/// An IPv4 or IPv6 address. Ordered by family, then numerically. IPv4-mapped IPv6 text is an IPv4
/// address, as in Go's net.IP.
class Address {
 public:
  /// 0.0.0.0
  Address() = default;
  /// From 4 or 16 bytes in network order. Other lengths are a defect. @throws Error kInternal
  explicit Address(std::span<const uint8_t> bytes);

  /// "192.0.2.1", "2001:db8::1", "::ffff:192.0.2.1" (IPv4). Leading zeros in an octet, zones and
  /// anything else: nullopt.
  static std::optional<Address> Parse(std::string_view text);

  Family family() const { return family_; }
  bool is_v4() const { return family_ == Family::kIpv4; }
  /// 4 or 16 bytes in network order.
  std::span<const uint8_t> bytes() const { return {bytes_.data(), is_v4() ? 4U : 16U}; }
  /// 32 or 128.
  uint8_t bits() const { return is_v4() ? 32 : 128; }

  bool IsUnspecified() const;
  bool IsLoopback() const;
  bool IsMulticast() const;

  /// Canonical text (RFC 5952 for IPv6), as the kernel's tools and Go print it.
  std::string ToString() const;

  /// This address plus `offset`, wrapping round at the family's last address.
  Address Plus(uint64_t offset) const;
  Address Next() const { return Plus(1); }
  /// `*this - from` as a number; UINT64_MAX if it is larger or negative or the families differ.
  uint64_t DistanceFrom(const Address& from) const;

  auto operator<=>(const Address&) const = default;  // NOLINT(modernize-use-nullptr): misread

 private:
  Family family_ = Family::kIpv4;
  std::array<uint8_t, 16> bytes_{};
};

}  // namespace cnm::net
