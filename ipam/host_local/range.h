// range.h: the address ranges host-local allocates from, and the ordinals of their addresses.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "common/net/address.h"
#include "common/net/prefix.h"

namespace cnm::host_local {

/// Addresses first..last, inclusive, of one family.
struct Span {
  net::Address first;
  net::Address last;
  bool Contains(const net::Address& address) const { return first <= address && address <= last; }
  auto operator<=>(const Span&) const = default;  // NOLINT(modernize-use-nullptr): misread
};

/// How many ordinals a list of spans can have: a bit sequence's limit, rounded to whole blocks.
/// Addresses beyond have none; they can be asked for by name, but are never picked.
inline constexpr uint32_t kMaxOrdinals = UINT32_MAX - 63;

/// Addresses are numbered through the spans in their order. How many numbers that gives.
uint32_t OrdinalCount(std::span<const Span> spans);
/// The address's number; nullopt when it is in no span or beyond kMaxOrdinals.
std::optional<uint32_t> OrdinalOf(std::span<const Span> spans, const net::Address& address);
/// The inverse. @throws Error kInternal when `ordinal` is not below OrdinalCount
net::Address AddressAt(std::span<const Span> spans, uint32_t ordinal);
/// Whether any of the spans contains it.
bool AnyContains(std::span<const Span> spans, const net::Address& address);

/// One range of a subnet, validated.
struct Range {
  net::Prefix subnet;          ///< host bits zero
  net::Address first;          ///< lowest address to hand out
  net::Address last;           ///< highest
  net::Address gateway;        ///< never handed out; may lie outside the range
  std::vector<Span> excluded;  ///< never handed out either: the range's own list
  std::string path;            ///< where it was configured: "$.ipam.ranges[0][1]"

  bool Contains(const net::Address& address) const { return first <= address && address <= last; }
  /// "10.1.0.1-10.1.3.254"
  std::string ToString() const;
};

/// Ranges of one family that serve one address of every container.
struct RangeSet {
  std::vector<Range> ranges;   ///< not empty, not overlapping
  std::vector<Span> excluded;  ///< by the configuration as a whole

  /// The range that holds the address; nullptr if none does.
  const Range* Find(const net::Address& address) const;
  /// The ranges' spans, in order.
  std::vector<Span> Spans() const;
  /// What of them is never handed out: gateways and exclusions, sorted.
  std::vector<Span> Blocked() const;
  /// The ranges' texts, joined by commas.
  std::string ToString() const;
};

}  // namespace cnm::host_local
