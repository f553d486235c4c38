// digest.h: SHA-512, from which names are derived.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace cnm {

/// SHA-512(text) (FIPS 180-4).
std::array<uint8_t, 64> Sha512(std::string_view text);

/// The first `digits` (≤ 128) hex digits of SHA-512(text).
std::string Sha512Hex(std::string_view text, size_t digits);

}  // namespace cnm
