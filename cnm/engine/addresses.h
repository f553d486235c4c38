// addresses.h: the pools of a network and the addresses of its endpoints, from an IPAM driver, in
// the order of libnetwork.md B.2.
#pragma once

#include <functional>

#include "cnm/engine/engine.h"
#include "cnm/engine/ipam_driver.h"
#include "cnm/engine/records.h"

namespace cnm::engine {

/// Requests the pools of `spec` with their gateways and auxiliary addresses; what was given is in
/// `network`, and `journal` is called after each step. A network without IPv4 pools gets one that
/// the driver chooses.
/// @throws Error of the driver; kConfig for texts that are no addresses; kInUse "auxiliary address:
/// ... must belong to the master pool: X". What was given until then is in `network`
void RequestPools(IpamDriver& ipam, const NetworkSpec& spec, NetworkRecord& network,
                  const std::function<void()>& journal);

/// Gives everything back; of our own IPAM driver only what is this network's still, so that it may
/// be done again after a kill. Failures are warnings: a pool that an IPAM does not let go must not
/// keep the network.
void ReleasePools(IpamDriver& ipam, const NetworkRecord& network) noexcept;

/// Gives back the pool that the network was given and could not write down, if its process was
/// killed just then.
void ReleaseForgotten(IpamDriver& ipam, const NetworkRecord& network) noexcept;

/// Requests what a restarted IPAM driver has forgotten (requires_replay): the network's pools,
/// gateways and auxiliary addresses. @throws Error of the driver
void ReplayPools(IpamDriver& ipam, const NetworkRecord& network);

/// Requests the endpoint's addresses: those that its interface wants, or any; the interface has
/// them afterwards, and the record its pools. `journal` as above.
/// @throws Error of the driver; kConfig "invalid address X: it does not belong to any of this
/// network's subnets"
void RequestAddresses(IpamDriver& ipam, const NetworkRecord& network, EndpointRecord& endpoint,
                      const std::function<void()>& journal);
void ReleaseAddresses(IpamDriver& ipam, const EndpointRecord& endpoint) noexcept;
void ReplayAddresses(IpamDriver& ipam, const EndpointRecord& endpoint);

}  // namespace cnm::engine
