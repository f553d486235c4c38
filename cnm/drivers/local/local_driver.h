// local_driver.h: bridge networks for the doors of the Container Network Model: a NetworkDriver
// over the core that the CNI plugins use too.
//
// Theory of operation: the driver keeps its networks durably, because Docker tells of a network
// once; endpoints are the core's records, which live until a reboot, as what they consist of does.
// Nothing else is remembered: every call opens the core anew, finds what is there and brings it to
// where it is to be, so that a call may come twice, or after this process was killed in the middle
// of it. A network's name in the core is the option "cnm.network", or the network's own name, or
// "docker-<id>"; endpoints are {name, endpoint id, ""}.
#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "cnm/controller.h"
#include "cnm/drivers/local/host_ports.h"
#include "cnm/drivers/local/kin.h"
#include "cnm/drivers/local/network_table.h"
#include "cnm/engine/busy.h"
#include "cnm/engine/driver.h"

namespace cnm::local {

struct LocalOptions {
  StatePaths paths = {};                           ///< the core's records
  std::string durable_directory = "/var/lib/cnm";  ///< networks
  std::string lease_directory = "/var/lib/cni/networks";
  std::string door = "api";  ///< "docker": what endpoint ls shows
  std::string runtime = {};  ///< whose containers they are
  /// Links are made in the sandbox, if its key is the path of one: for a door that knows of it.
  bool born_in_sandbox = false;
  /// Shared by all drivers of a process; nullptr = the driver makes its own, bound.
  std::shared_ptr<HostPorts> ports = {};
  /// As ControllerOptions::background.
  std::shared_ptr<Background> background = {};
};

class LocalDriver final : public engine::NetworkDriver {
 public:
  /// Reads the networks, and makes those bridges anew that are gone, after a reboot say; a network
  /// that cannot be made is named on stderr. @throws Error kIo
  explicit LocalDriver(LocalOptions options);

  std::string type() const override { return "bridge"; }
  engine::Scope scope() const override { return engine::Scope::kLocal; }

  /// @throws Error kOverlap naming both networks; kExists for another network of this id or bridge
  void CreateNetwork(const engine::NetworkConfig& network) override;
  /// What its door left on it goes too. Succeeds when there is none.
  void DeleteNetwork(const std::string& network_id) override;

  engine::Interface CreateEndpoint(const engine::EndpointConfig& endpoint) override;
  void DeleteEndpoint(const std::string& network_id, const std::string& endpoint_id) override;
  std::string OperInfo(const std::string& network_id, const std::string& endpoint_id) override;
  engine::JoinInfo Join(const std::string& network_id, const std::string& endpoint_id,
                        const std::string& sandbox_key, const std::string& options) override;
  void Leave(const std::string& network_id, const std::string& endpoint_id) override;
  void ProgramExternalConnectivity(const std::string& network_id, const std::string& endpoint_id,
                                   const std::vector<engine::PortBinding>& bindings,
                                   const std::string& options) override;
  void RevokeExternalConnectivity(const std::string& network_id,
                                  const std::string& endpoint_id) override;

  /// What the core calls the network of this id; the id's beginning when there is none.
  std::string NetworkName(const std::string& network_id) const;

  /// This door's networks.
  std::vector<engine::NetworkConfig> Networks() const;
  /// The same as recorded.
  std::vector<std::shared_ptr<const LocalNetwork>> Records() const { return networks_.All(); }
  /// The ids of the network's endpoints that are in a sandbox which lives.
  std::vector<std::string> LiveEndpoints(const std::string& network_id) const;

  /// Puts right what ended without a call: endpoints whose container is provably gone, what a
  /// killed process left, and (Docker never asks twice) endpoints that nobody joined for
  /// `forgotten_after` seconds, or whose link Docker has put back onto the host. Of other doors,
  /// endpoints in no sandbox that their door does not know (`known`): it could not delete them. To
  /// be called at the start, when links have gone, and now and then.
  /// @returns how many endpoints it removed or led out of their sandboxes
  size_t Reconcile(unsigned forgotten_after = 300,
                   const std::function<bool(const std::string& endpoint_id)>& known = {});

 private:
  std::shared_ptr<const LocalNetwork> GetNetwork(const std::string& id) const;
  Controller OpenController(std::string_view verb, bool free_leases = false) const;
  Network CoreNetwork(const LocalNetwork& network, Controller& controller) const;
  LocalNetwork PlanNetwork(const engine::NetworkConfig& config, Controller& controller) const;
  void RequireNoOverlap(const LocalNetwork& network) const;
  void Make(const LocalNetwork& network, Controller& controller) const;
  bool HasNamesake(const LocalNetwork& network) const;
  bool IsOurs(const LocalNetwork& network, Controller& controller) const;
  void FreeOldLeases(const LocalNetwork& network, Controller& controller) const;
  void RemoveLeftEndpoints(const LocalNetwork& network);
  std::optional<Endpoint> FindEndpoint(const std::string& network_id,
                                       const std::string& endpoint_id,
                                       Controller& controller) const;
  Endpoint GetEndpoint(const std::string& network_id, const std::string& endpoint_id,
                       Controller& controller) const;
  std::optional<netns::NetNs> SandboxAt(const std::string& key) const;
  void ReleaseLeases(const std::string& network_id, const std::string& endpoint_id) const;
  void ForgetPorts(const Endpoint& endpoint) const;
  void RemoveEndpoint(const Endpoint& endpoint, Controller& controller) const;
  std::optional<Endpoint> FindKin(const LocalNetwork& network, const std::string& id,
                                  Controller& controller) const;
  void AddKin(const LocalNetwork& network, const Endpoint& endpoint, const Kin& kin,
              Controller& controller) const;
  void RestoreKin(const Endpoint& left, Controller& controller) const;
  void RemoveKin(const EndpointKey& key, Controller& controller) const;
  void EndOrphanedKin(Controller& controller) const;
  void AddPorts(const Endpoint& endpoint, const std::vector<engine::PortBinding>& chosen,
                Controller& controller) const;
  void PublishPorts(const Endpoint& endpoint, const std::vector<engine::PortBinding>& wanted,
                    Controller& controller) const;

  LocalOptions options_;
  NetworkTable networks_;
  mutable KinBook kin_;
  std::mutex changes_;  ///< of networks, one at a time
  /// Endpoints in a call: Docker gives up waiting for one, and makes the next meanwhile.
  engine::Busy changing_;
};

}  // namespace cnm::local
