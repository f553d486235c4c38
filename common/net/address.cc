// address.cc: an IP address of either family as a value.
#include "common/net/address.h"

#include <arpa/inet.h>

#include <algorithm>
#include <cstring>

#include <fmt/format.h>

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
  return bytes_[15] == 1 &&
         std::all_of(bytes_.begin(), bytes_.end() - 1, [](uint8_t b) { return b == 0; });
}

bool Address::IsMulticast() const {
  return is_v4() ? (bytes_[0] & 0xf0U) == 0xe0 : bytes_[0] == 0xff;
}

std::string Address::ToString() const {
  // Where inet_ntop would write ::192.0.2.1, Go writes hex; lease files are named as Go does.
  const bool high_zero =
      std::all_of(bytes_.begin(), bytes_.begin() + 12, [](uint8_t b) { return b == 0; });
  if (!is_v4() && high_zero && (bytes_[12] != 0 || bytes_[13] != 0)) {
    return fmt::format("::{:x}:{:x}", bytes_[12] << 8U | bytes_[13], bytes_[14] << 8U | bytes_[15]);
  }
  std::array<char, INET6_ADDRSTRLEN> text{};
  ::inet_ntop(static_cast<int>(family_), bytes_.data(), text.data(), text.size());
  return text.data();
}

Address Address::Plus(uint64_t offset) const {
  Address sum = *this;
  uint64_t carry = 0;
  for (size_t i = bytes().size(), shift = 0; i-- > 0; ++shift) {
    const uint64_t digit = shift < 8 ? (offset >> (8 * shift)) & 0xffU : 0U;
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
