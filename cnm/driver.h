// driver.h: what every network driver does, the same for every front door.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "cnm/endpoint.h"
#include "cnm/host_kernel.h"
#include "cnm/network.h"
#include "cnm/store/store.h"
#include "common/base/rollback.h"
#include "common/netns/netns.h"

namespace cnm {

/// A link that an endpoint consists of or hangs on.
struct AttachedLink {
  std::string name;
  std::optional<net::Mac> mac;
  uint32_t mtu = 0;         ///< 0 = not told
  bool in_sandbox = false;  ///< else on the host

  bool operator==(const AttachedLink&) const = default;
};

/// What a joined endpoint looks like: the links from the host inwards, and the addressing on the
/// one in the sandbox.
struct Attached {
  std::vector<AttachedLink> links;
  size_t sandbox_link = 0;  ///< index into links
  Addressing addressing;

  bool operator==(const Attached&) const = default;
};

/// What Join works with.
struct JoinContext {
  /// nullptr: the caller makes the sandbox's link what it is to be. It waits, named HostLink::peer,
  /// in `waits_in`.
  const netns::NetNs* sandbox;
  HostKernel& host;
  Store& store;  ///< for state of links that networks share
  Rollback& undo;
  const netns::NetNs* waits_in = nullptr;  ///< nullptr = on the host
  std::function<void()> journal;  ///< records the endpoint anew, before a name in it is used that
                                  ///< was not recorded yet
};

/// A kind of network. Create chooses, Join builds, Leave removes; Check compares.
class Driver {
 public:
  virtual ~Driver() = default;
  /// "bridge": what network records name.
  virtual std::string_view type() const = 0;

  /// Why a network with live endpoints may not change from `recorded` to `wanted`, showing both;
  /// nullopt if it may.
  virtual std::optional<std::string> Conflict(const Network& recorded,
                                              const Network& wanted) const = 0;

  /// Chooses link names and MACs for the endpoint (a MAC that is set stays). No kernel change.
  virtual void CreateEndpoint(const Network& network, Endpoint& endpoint) const = 0;

  /// Completes the plan when `endpoint.addressing` has come from the address source: gateways,
  /// default routes, packet filter rules. Pure.
  /// @throws Error kConfig when these addresses cannot work on this network
  virtual void PlanAddressing(const Network& network, Endpoint& endpoint) const = 0;

  /// Makes what the network's endpoints share, with these gateway addresses on it. Idempotent.
  virtual void CreateNetwork(const Network& network, const std::vector<net::Prefix>& gateways,
                             HostKernel& host, Store& store) const = 0;
  /// Removes that, if nothing uses it. @returns false if it was absent
  /// @throws Error kInUse when links that are no endpoint's of ours hang on it
  virtual bool DeleteNetwork(const Network& network, HostKernel& host, Store& store) const = 0;

  /// Makes the links, leaving an undo step for each change, and sets what only the kernel knows
  /// (ifindex) in `endpoint`. May move the calling thread into the sandbox, for good: host side
  /// work comes first.
  virtual Attached Join(const Network& network, Endpoint& endpoint,
                        const JoinContext& context) const = 0;

  /// Removes the endpoint's links; absent ones are fine. @returns whether the host link was there
  virtual bool Leave(const Endpoint& endpoint, HostKernel& host) const = 0;

  /// As Leave when no record exists: by the names that are derived from the owner, then by the
  /// interface name inside the sandbox. @returns whether something of ours was there, so that rules
  /// may be too. May move the calling thread into the sandbox.
  virtual bool LeaveUnrecorded(const EndpointKey& key, const std::optional<netns::NetNs>& sandbox,
                               HostKernel& host) const = 0;

  /// Compares `expected` and the network's options with the kernel. May move the calling thread
  /// into the sandbox.
  /// @throws Error naming the first difference
  virtual void Check(const Network& network, const Attached& expected, const netns::NetNs& sandbox,
                     HostKernel& host) const = 0;

  /// Puts back what endpoints share on the host and anybody may have taken away: gateway addresses,
  /// forwarding. Makes no link. @throws Error when the shared link is gone
  virtual void Restore(const Network& network, const Endpoint& endpoint, HostKernel& host,
                       Store& store) const = 0;

  /// Whether this network could be built now. @throws Error kUnavailable
  virtual void Ready(const Network& network, HostKernel& host) const = 0;
};

}  // namespace cnm
