// address.cc: an IP address of either family as a value.
#include "common/net/address.h"

#include <arpa/inet.h>

#include <algorithm>
#include <cstring>

#include "common/base/error.h"

namespace cnm::net {
namespace {

constexpr std::array<uint8_t, 12> kMappedPrefix = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

}  // namespace

Address::Address(std::span<const uint8_t> bytes) {
  if (bytes.size() != 4 && bytes.size() != 16) {
    throw Error(Code::kInternal, "address: neither 4 nor 16 bytes");
  }
  family_ = bytes.size() == 4 ? Family::kIpv4 : Family::kIpv6;
  std::copy(bytes.begin(), bytes.end(), bytes_.begin());
}

std::optional<Address> Address::Parse(std::string_view text) {
  std::array<char, INET6_ADDRSTRLEN + 1> buffer{};
  if (text.empty() || text.size() >= buffer.size() || text.find('\0') != text.npos) return {};
  std::memcpy(buffer.data(), text.data(), text.size());
  std::array<uint8_t, 16> bytes{};
  // inet_pton refuses leading zeros and octets out of range, as Go ≥ 1.17 does.
  if (::inet_pton(AF_INET, buffer.data(), bytes.data()) == 1) {
    return Address(std::span(bytes).first<4>());
  }
  if (::inet_pton(AF_INET6, buffer.data(), bytes.data()) != 1) return {};
  if (std::equal(kMappedPrefix.begin(), kMappedPrefix.end(), bytes.begin())) {
    return Address(std::span(bytes).last<4>());
  }
  return Address(bytes);
}

bool Address::IsUnspecified() const {
  return std::all_of(bytes_.begin(), bytes_.end(), [](uint8_t b) { return b == 0; });
}

bool Address::IsLoopback() const {
  if (is_v4()) return bytes_[0] == 127;
  return Plus(UINT64_MAX).IsUnspecified();  // ::1 minus one
}

bool Address::IsMulticast() const {
  return is_v4() ? (bytes_[0] & 0xf0U) == 0xe0 : bytes_[0] == 0xff;
}

std::string Address::ToString() const {
  std::array<char, INET6_ADDRSTRLEN> text{};
  ::inet_ntop(static_cast<int>(family_), bytes_.data(), text.data(), text.size());
  return text.data();
}

Address Address::Plus(uint64_t offset) const {
  Address sum = *this;
  // UINT64_MAX stands for minus one: sign-extend the addend over the 16 bytes.
  const bool minus_one = offset == UINT64_MAX;
  uint64_t carry = 0;
  for (size_t i = bytes().size(), shift = 0; i-- > 0; ++shift) {
    const uint64_t digit = shift < 8 ? (offset >> (8 * shift)) & 0xffU : (minus_one ? 0xffU : 0U);
    const uint64_t total = sum.bytes_[i] + digit + carry;
    sum.bytes_[i] = static_cast<uint8_t>(total & 0xffU);
    carry = total >> 8U;
  }
  return sum;
}

uint64_t Address::DistanceFrom(const Address& from) const {
  if (family_ != from.family_ || *this < from) return UINT64_MAX;
  std::array<uint8_t, 16> difference{};
  int borrow = 0;
  for (size_t i = bytes().size(); i-- > 0;) {
    int digit = int{bytes_[i]} - int{from.bytes_[i]} - borrow;
    borrow = digit < 0 ? 1 : 0;
    difference[i] = static_cast<uint8_t>(digit + 256 * borrow);
  }
  uint64_t value = 0;
  for (size_t i = 0; i < bytes().size(); ++i) {
    if (i + 8 < bytes().size() && difference[i] != 0) return UINT64_MAX;
    value = value << 8U | difference[i];
  }
  return value;
}

}  // namespace cnm::net
