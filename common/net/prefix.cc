// prefix.cc: an address with a prefix length (CIDR notation), host bits kept.
#include "common/net/prefix.h"

#include <algorithm>
#include <array>
#include <charconv>

#include <fmt/format.h>

namespace cnm::net {
namespace {

/// `address` with its bits after `length` all set to `bit`.
Address FillHostBits(const Address& address, uint8_t length, bool bit) {
  std::array<uint8_t, 16> bytes{};
  const auto in = address.bytes();
  for (size_t i = 0; i < in.size(); ++i) {
    const size_t first = 8 * i;
    const size_t kept = length <= first ? 0 : std::min<size_t>(length - first, 8);
    const auto host_mask = static_cast<uint8_t>(0xffU >> kept);
    bytes[i] = static_cast<uint8_t>(bit ? in[i] | host_mask : in[i] & ~host_mask);
  }
  return Address(std::span(bytes).first(in.size()));
}

}  // namespace

std::optional<Prefix> Prefix::Parse(std::string_view text) {
  const size_t slash = text.find('/');
  if (slash == text.npos) return {};
  const std::optional<Address> address = Address::Parse(text.substr(0, slash));
  const std::string_view digits = text.substr(slash + 1);
  if (!address || digits.empty() || digits.size() > 3) return {};
  unsigned length = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), length);
  if (error != std::errc() || end != digits.data() + digits.size()) return {};
  // "::ffff:10.0.0.1/120" means the IPv4 prefix 10.0.0.1/24.
  const bool mapped = address->is_v4() && text.substr(0, slash).find(':') != text.npos;
  if (mapped && (length < 96 || length > 128)) return {};
  if (mapped) length -= 96;
  if (length > address->bits()) return {};
  return Prefix{*address, static_cast<uint8_t>(length)};
}

Prefix Prefix::Subnet() const {
  return {FillHostBits(address, length, false), length};
}

Address Prefix::Last() const {
  return FillHostBits(address, length, true);
}

bool Prefix::Contains(const Address& other) const {
  return other.family() == address.family() &&
         FillHostBits(other, length, false) == FillHostBits(address, length, false);
}

bool Prefix::Overlaps(const Prefix& other) const {
  return Contains(other.address) || other.Contains(address);
}

std::string Prefix::ToString() const {
  return fmt::format("{}/{}", address.ToString(), length);
}

}  // namespace cnm::net
