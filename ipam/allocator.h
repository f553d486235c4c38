// allocator.h: pools and addresses on request, over a store shared with other processes.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "common/net/prefix.h"
#include "ipam/lease_store.h"
#include "ipam/pool.h"
#include "ipam/pool_bits.h"

namespace cnm::ipam {

/// What pool is wanted.
struct PoolRequest {
  std::string space = kLocalSpace;
  std::optional<net::Prefix> subnet;        ///< absent: one of the predefined
  std::optional<net::Prefix> sub_pool;      ///< only with subnet
  net::Family family = net::Family::kIpv4;  ///< of a predefined one
  bool share = false;  ///< an identical pool gets one more use instead of being refused
};

/// What address is wanted.
struct AddressRequest {
  std::optional<net::Address> address;  ///< absent: any
  bool serial = false;  ///< upward from the last one given, wrapping, instead of the lowest free
};

/// Every change is one compare-and-swap; a lost race is retried on the value the winner wrote.
class Allocator {
 public:
  /// `store` outlives the allocator.
  explicit Allocator(LeaseStore& store) : store_(store) {}

  /// @throws Error kConfig invalid address space, pool or sub-pool; kOverlap; kNotFound when no
  /// predefined pool is left ("could not find an available, non-overlapping IPv4 address pool among
  /// the defaults to assign to the network")
  PoolId RequestPool(const PoolRequest& request);
  /// @throws Error kNotFound
  void ReleasePool(const PoolId& id);

  /// @returns the address with the pool's prefix length
  /// @throws Error kNotFound no such pool; kConfig out of range; kInUse taken; kExhausted "no
  /// available addresses on pool X"
  net::Prefix RequestAddress(const PoolId& id, const AddressRequest& request);
  /// A free address is released without complaint. @throws Error kNotFound no such pool; kConfig
  /// out of range
  void ReleaseAddress(const PoolId& id, const net::Address& address);

  /// All pools of a space and their uses.
  PoolTable Pools(std::string_view space);

 private:
  void ChangePools(const std::string& space, const std::function<void(PoolTable&)>& change);
  void ChangeBits(const PoolId& id, const std::function<void(PoolBits&)>& change);
  PoolId TakePredefined(PoolTable& table, const PoolRequest& request);

  LeaseStore& store_;
  /// Where each space's next search starts, so that pools just released rest.
  std::map<std::string, uint32_t, std::less<>> next_predefined_;
};

}  // namespace cnm::ipam
