// driver.h: bridge networks.
//
//      sandbox                host
//   +-----------+     +---------------------+
//   | eth0 -----|-----|- veth<owner> - br0 -|--- other endpoints
//   +-----------+     +---------------------+
//
// The veth pair is born complete in one message: names, MACs, MTU, port of the bridge, far end in
// its sandbox. plan.cc chooses (pure), join.cc makes every kernel change and leaves its undo step,
// verify.cc compares, leave.cc removes.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "cnm/driver.h"

namespace cnm::bridge {

class BridgeDriver final : public Driver {
 public:
  std::string_view type() const override { return "bridge"; }
  std::optional<std::string> Conflict(const Network& recorded,
                                      const Network& wanted) const override;
  void CreateEndpoint(const Network& network, Endpoint& endpoint) const override;
  void PlanAddressing(const Network& network, Endpoint& endpoint) const override;
  void CreateNetwork(const Network& network, const std::vector<net::Prefix>& gateways,
                     HostKernel& host, Store& store) const override;
  bool DeleteNetwork(const Network& network, HostKernel& host, Store& store) const override;
  Attached Join(const Network& network, Endpoint& endpoint,
                const JoinContext& context) const override;
  bool Leave(const Endpoint& endpoint, HostKernel& host) const override;
  bool LeaveUnrecorded(const EndpointKey& key, const std::optional<netns::NetNs>& sandbox,
                       HostKernel& host) const override;
  void Check(const Network& network, const Attached& expected, const netns::NetNs& sandbox,
             HostKernel& host) const override;
  void Restore(const Network& network, const Endpoint& endpoint, HostKernel& host,
               Store& store) const override;
  void Ready(const Network& network, HostKernel& host) const override;
};

}  // namespace cnm::bridge
