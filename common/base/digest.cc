// digest.cc: SHA-512, from which names are derived. The only file that knows nettle.
#include "common/base/digest.h"

#include <nettle/sha2.h>

#include <algorithm>

namespace cnm {

std::array<uint8_t, 64> Sha512(std::string_view text) {
  sha512_ctx context;
  sha512_init(&context);
  sha512_update(&context, text.size(), reinterpret_cast<const uint8_t*>(text.data()));
  std::array<uint8_t, SHA512_DIGEST_SIZE> digest{};
  sha512_digest(&context, digest.size(), digest.data());
  return digest;
}

std::string Sha512Hex(std::string_view text, size_t digits) {
  constexpr std::string_view kHex = "0123456789abcdef";
  std::string hex;
  for (const uint8_t byte : Sha512(text)) {
    hex += kHex[byte >> 4U];
    hex += kHex[byte & 15U];
    if (hex.size() >= digits) break;
  }
  hex.resize(std::min(digits, hex.size()));
  return hex;
}

}  // namespace cnm
