// id.cc: the names that are derived, never stored alone.
#include "cnm/id.h"

#include <algorithm>
#include <charconv>

#include <fmt/format.h>

#include "common/base/atomic_file.h"
#include "common/base/digest.h"

namespace cnm {

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

std::string PeerLinkName(std::string_view owner, uint32_t attempt) {
  return fmt::format("cnm{}", Sha512Hex(fmt::format("peer of {}#{}", owner, attempt), 12));
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
