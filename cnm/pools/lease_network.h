// lease_network.h: where the addresses of a pool are leased: lease directories, which CNI's
// host-local shares, and the owners of what no endpoint holds.
#pragma once

#include <string>
#include <string_view>

#include "cnm/engine/ipam_driver.h"
#include "common/net/prefix.h"
#include "ipam/host_local/lease_directory.h"

namespace cnm::pools {

using engine::kNetworkOption;

/// What the leases are for that a pool holds in its own name: the ifname's part before the ':'.
inline constexpr char kPoolPurpose[] = "pool";        ///< an address given out
inline constexpr char kGatewayPurpose[] = "gateway";  ///< the pool's gateway

/// {kReservedId, "gateway:192.0.2.1"}; PoolOwner of cnm/lease_source.h is the other one.
host_local::Owner GatewayOwner(const net::Address& address);

/// The lease directory's name of a pool that belongs to no cnm network: "pool-172.18.0.0-16", in
/// the global space "global-10.0.0.0-24".
std::string LeaseNetworkOf(std::string_view space, const net::Prefix& pool);

/// The same of any pool, by its record: the cnm network's name if it has one. The pool need not be
/// known. @throws Error kIo
std::string FindLeaseNetwork(const std::string& durable_directory, const std::string& space,
                             const net::Prefix& pool);

}  // namespace cnm::pools
