// mac.h: an Ethernet (EUI-48) address.
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace cnm::net {

struct Mac {
  std::array<uint8_t, 6> bytes{};

  /// "02:00:5e:10:00:01", also with '-', or "0200.5e10.0001", hex digits of either case.
  static std::optional<Mac> Parse(std::string_view text);
  /// Lower-case hex with colons.
  std::string ToString() const;
  /// The group bit: never a station's address.
  bool IsMulticast() const { return (bytes[0] & 1U) != 0; }

  auto operator<=>(const Mac&) const = default;  // NOLINT(modernize-use-nullptr): misread
};

}  // namespace cnm::net
