// pool_bits.h: which addresses of one pool are taken.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/net/prefix.h"
#include "ipam/bitseq.h"

namespace cnm::ipam {

/// The addresses of one master pool, numbered from the subnet's first. That one, and an IPv4
/// subnet's last, are never given out. Only the first 2^32-64 have a bit and are picked; those
/// beyond can be asked for by name, and are kept in a list.
class PoolBits {
 public:
  /// @throws Error kConfig "pool X is too small" for less than four addresses
  explicit PoolBits(const net::Prefix& subnet);

  /// Takes the first free address of `within` (the subnet or a sub-pool); `serial`: the first after
  /// the last one taken, wrapping.
  /// @returns nullopt when there is none
  std::optional<net::Address> TakeAny(const net::Prefix& within, bool serial);
  /// @returns false when it is taken. @throws Error kConfig "requested address X is out of range of
  /// POOL" when it is not in `within` or never given out
  bool Take(const net::Prefix& within, const net::Address& address);
  /// @returns false when it was free. @throws as Take
  bool Give(const net::Prefix& within, const net::Address& address);
  /// How many can still be picked.
  uint32_t free() const { return bits_.unselected(); }

  /// As a JSON document whose `bits` is libnetwork's base64 text, and back. @throws Error kDecode
  std::string Encode() const;
  static PoolBits Decode(const net::Prefix& subnet, std::string_view text);

 private:
  std::optional<uint32_t> OrdinalOf(const net::Address& address) const;
  void CheckInside(const net::Prefix& within, const net::Address& address) const;

  net::Prefix subnet_;
  BitSequence bits_;
  std::optional<uint32_t> last_;   ///< ordinal of the last one picked
  std::vector<net::Address> far_;  ///< taken ones beyond the bits, sorted
};

}  // namespace cnm::ipam
