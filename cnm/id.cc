// id.cc: the names that are derived, never stored alone.
#include "cnm/id.h"

#include <nettle/sha2.h>

#include <algorithm>
#include <array>
#include <charconv>

#include <fmt/format.h>

#include "common/base/atomic_file.h"

namespace cnm {
namespace {

std::array<uint8_t, SHA512_DIGEST_SIZE> Sha512(std::string_view text) {
  sha512_ctx context;
  sha512_init(&context);
  sha512_update(&context, text.size(), reinterpret_cast<const uint8_t*>(text.data()));
  std::array<uint8_t, SHA512_DIGEST_SIZE> digest{};
  sha512_digest(&context, digest.size(), digest.data());
  return digest;
}

}  // namespace

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

std::string OwnerOf(std::string_view network, std::string_view container_id,
                    std::string_view ifname) {
  std::string text(network);
  text += '\0';
  text += container_id;
  text += '\0';
  text += ifname;
  return Sha512Hex(text, 16);
}

uint64_t LockKey(std::string_view owner) {
  uint64_t key = 0;
  std::from_chars(owner.data(), owner.data() + owner.size(), key, 16);
  return key;
}

std::string NetworkId(std::string_view name) {
  return Sha512Hex(name, 32);
}

std::string HostLinkName(std::string_view owner, uint32_t attempt) {
  if (attempt == 0) return fmt::format("veth{}", owner.substr(0, 11));
  return fmt::format("veth{}", Sha512Hex(fmt::format("{}#{}", owner, attempt), 11));
}

net::Mac DerivedMac(std::string_view seed) {
  const auto digest = Sha512(seed);
  net::Mac mac{{0x02}};
  std::copy_n(digest.begin(), 5, mac.bytes.begin() + 1);
  return mac;
}

net::Mac BridgeMac(std::string_view bridge) {
  const std::string machine = ReadFile("/etc/machine-id").value_or("");
  return DerivedMac(fmt::format("{}{}", machine, bridge));
}

}  // namespace cnm
