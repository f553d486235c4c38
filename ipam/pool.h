// pool.h: pools of addresses, by value: names, the pools of one address space, and the rules
// between them.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "common/net/prefix.h"

namespace cnm::ipam {

inline constexpr char kLocalSpace[] = "LocalDefault";
inline constexpr char kGlobalSpace[] = "GlobalDefault";

/// Names a pool: a subnet of an address space, or a part of that subnet which shares the whole's
/// bit sequence.
struct PoolId {
  std::string space;
  net::Prefix subnet;                   ///< host bits zero
  std::optional<net::Prefix> sub_pool;  ///< inside subnet, host bits zero

  /// Clears host bits. @throws Error kConfig "sub-pool X is not in pool Y"
  static PoolId Make(std::string space, const net::Prefix& subnet,
                     const std::optional<net::Prefix>& sub_pool);
  /// "LocalDefault/192.0.2.0/24" or "LocalDefault/192.0.2.0/24/192.0.2.128/25", as Docker keeps it.
  std::string ToString() const;
  /// @throws Error kConfig "invalid pool id X" for anything that ToString does not make
  static PoolId Parse(std::string_view text);
  /// The pool whose bit sequence this one allocates from.
  PoolId Master() const { return {space, subnet, std::nullopt}; }
  auto operator<=>(const PoolId&) const = default;  // NOLINT(modernize-use-nullptr): misread
};

/// How a pool is used.
struct PoolUse {
  uint32_t uses = 0;        ///< 0: a master that is there only for its sub-pools
  uint64_t generation = 0;  ///< of a master: told apart from earlier pools of the same name, whose
                            ///< bits may still lie about
  bool operator==(const PoolUse&) const = default;
};

/// The pools of one address space. Masters never overlap; sub-pools of one master may, since they
/// share its bits.
class PoolTable {
 public:
  /// Adds a pool, and its master with it. `share`: one more use of an identical pool instead of an
  /// error.
  /// @throws Error kOverlap "pool A overlaps with B in this address space"
  void Add(const PoolId& id, bool share);
  /// Takes one use back; what is then neither used nor needed as a master goes.
  /// @returns the generation of the master if that went
  /// @throws Error kNotFound "pool X: no such pool"
  std::optional<uint64_t> Remove(const PoolId& id);
  /// The generation of the pool's master. @throws Error kNotFound
  uint64_t GenerationOf(const PoolId& id) const;
  /// The pool in the way of a new master `subnet`, if any.
  std::optional<PoolId> FindOverlap(const net::Prefix& subnet) const;
  const std::map<PoolId, PoolUse>& pools() const { return pools_; }

  /// As a JSON document, and back. @throws Error kDecode
  std::string Encode() const;
  static PoolTable Decode(std::string_view text);
  bool operator==(const PoolTable&) const = default;

 private:
  bool HasSubPools(const PoolId& master) const;

  std::map<PoolId, PoolUse> pools_;
  uint64_t last_generation_ = 0;
};

/// The subnets that a pool is chosen from when none is asked for: 31 in the local space
/// (172.17.0.0/16 ... 192.168.240.0/20), 65,536 (10.0.0.0/24 ...) in the global one, none for IPv6
/// or elsewhere.
uint32_t PredefinedCount(std::string_view space, net::Family family);
/// The `index`th of them. @throws Error kInternal when there is no such
net::Prefix PredefinedAt(std::string_view space, uint32_t index);

}  // namespace cnm::ipam
