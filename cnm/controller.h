// controller.h: the core: networks, endpoints and sandboxes brought together, journal before
// everything.
//
// Theory of operation: an operation on an endpoint holds that owner's lock. Attach writes the
// record `pending` before the first request or kernel change, again with the addresses and the
// planned rules, and `ready` last; each step leaves its undo step in a Rollback. Detach marks the
// record pending first and removes it last, so that a process killed anywhere leaves a record from
// which the next Attach, Detach or CollectGarbage of the owner undoes everything: a record that is
// pending while nobody holds its lock was abandoned.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "cnm/address_source.h"
#include "cnm/controller_requests.h"
#include "cnm/driver.h"
#include "cnm/endpoint.h"
#include "cnm/host.h"
#include "cnm/host_kernel.h"
#include "cnm/journal.h"
#include "cnm/liveness.h"
#include "cnm/network.h"
#include "cnm/store/file_store.h"
#include "cnm/teardown.h"
#include "common/base/error.h"
#include "common/base/file_lock.h"
#include "common/base/step_times.h"

namespace cnm {

/// Who is asking, and how the core reaches what lies outside it.
struct ControllerOptions {
  StatePaths paths;
  std::string door;     ///< "cni", "api", "docker": which front door
  std::string runtime;  ///< the executable that called us; "" if unknown
  std::string holder;   ///< the lock hint others see: "ADD pid 12"
  std::vector<const Driver*> drivers;
  /// Gives back what the address source that wrote this journal text had requested; a vanished
  /// process cannot do it any more.
  std::function<void(const std::string& journal)> release_addresses;
  StepTimes* steps = nullptr;  ///< optional
  /// For a daemon: waits in its place where the kernel answers late.
  std::shared_ptr<Background> background = {};
  /// The netns this process was started in, if the caller has it open; must outlive the controller.
  const netns::NetNs* own_netns = nullptr;
};

/// The core. Each process makes its own; what they share is on disk and in the kernel.
class Controller {
 public:
  explicit Controller(ControllerOptions options);

  // ---- networks
  /// Records the network, or its changed options. @returns what is recorded now
  /// @throws Error kConfig showing both when another driver or a conflicting option would take over
  /// a network with live endpoints
  Network EnsureNetwork(const Network& wanted);
  std::vector<Network> Networks() { return journal_.Networks(); }
  std::optional<Network> FindNetwork(std::string_view name) { return journal_.FindNetwork(name); }

  /// Makes what the network's endpoints share, and records the network.
  void CreateNetwork(const Network& network, const std::vector<net::Prefix>& gateways);
  /// Takes both away. @returns false if there was neither. @throws Error kInUse naming an endpoint,
  /// or a foreign link that hangs on it
  bool DeleteNetwork(const Network& network);
  /// Has what the subnets send, and answers to it, forwarded in every packet filter of the host
  /// that may drop it; recorded with the network. `again`: programs also what is recorded already.
  /// When there is nothing to do it asks each packet filter of the host once whether it drops.
  /// @throws Error kConfig for a subnet of length 0, which is everybody's
  void Forward(const Network& network, const std::vector<net::Prefix>& subnets, bool again);
  /// Takes that away.
  void EndForwarding(std::string_view network);
  /// Takes away what the packet filter keeps of subnets that have no endpoints any more.
  void ForgetSubnets(const std::vector<net::Prefix>& subnets);
  /// Takes away the isolation that joins in steps asked for, unless an endpoint still wants it: it
  /// is the network's, which says when, so that leaving need not look at all other endpoints.
  void EndIsolation(const firewall::Isolation& isolation);

  // ---- endpoints in steps, for doors that know the sandbox later
  /// Gives the endpoint its addresses, MAC and link names; nothing in the kernel. `source`: as in
  /// Attach. @returns its record. @throws Error after undoing everything; kExists when it is there
  Endpoint CreateEndpoint(const Network& network, const EndpointSpec& spec, AddressSource* source);
  /// Makes the endpoint's links and rules; the link for the sandbox waits on the host, named
  /// `host_link->peer` in the answer. Again for the same path: answers the same.
  /// @throws Error after undoing everything; kNotFound when there is no such endpoint; kExists when
  /// it is in another sandbox
  Endpoint Join(const Network& network, const JoinSpec& spec);
  /// Removes rules and links; the endpoint keeps its addresses. @returns false when it was in no
  /// sandbox, or is absent. @throws as Detach
  bool Leave(const EndpointKey& key);
  /// Removes all of it. @returns false when it was absent. @throws as Detach
  bool DeleteEndpoint(const EndpointKey& key);
  /// Puts right what killed processes and dead containers left of this door's endpoints; what
  /// fails is named on stderr. @returns how many endpoints were touched
  size_t Reconcile(const ReconcileRequest& request);

  // ---- endpoints
  /// Makes the endpoint and joins it to the sandbox; records the network when that has worked.
  /// `source` gives the addresses; nullptr = layer 2. May move the calling thread into the sandbox.
  /// @throws Error after undoing everything; kExists when the endpoint is there and alive
  Attached Attach(const Network& network, const EndpointSpec& spec, const netns::NetNs& sandbox,
                  AddressSource* source);

  /// Leaves and deletes the endpoint: rules, links, addresses, record, in this order. Succeeds when
  /// there is nothing. `driver` and `source` are asked only when there is no record, `sandbox` also
  /// when the recorded link is gone: a record says itself what it was made of.
  /// @throws Error of the first failure, after everything else was tried
  void Detach(const EndpointKey& key, std::string_view driver,
              const std::optional<netns::NetNs>& sandbox, AddressSource* source);

  /// Compares the endpoint with the kernel, its rules with the packet filter and its addresses with
  /// their source.
  void Check(const Network& network, const EndpointKey& key, const Attached& expected,
             const netns::NetNs& sandbox, AddressSource* source);

  // ---- attachments: what meta plugins add to an endpoint that another plugin made
  /// Makes the plugin's attachments exactly these: what a former call of the same plugin left goes
  /// first. An endpoint without a record gets a foreign one. Rules are added here, one transaction
  /// a backend; stale flows to published ports are forgotten.
  /// @throws Error after undoing everything; kInUse naming the holder of a port
  void AddAttachments(const AttachmentSpec& spec);
  /// Removes them; a foreign endpoint's record goes with its last. Succeeds when there is nothing.
  /// @throws Error of the first failure, after everything else was tried
  void RemoveAttachments(const RemovalSpec& spec);
  /// The plugin's recorded attachments, after verifying their rules, links and sysctls; empty when
  /// there is no record. @throws Error naming the first difference
  std::vector<Attachment> CheckAttachments(const EndpointKey& key, std::string_view plugin);

  /// Programs every live endpoint's rules anew, each backend in one transaction, and sets the
  /// host's sysctls and gateway addresses again. Reads records only; touches neither links nor
  /// leases.
  ReloadReport Reload();
  /// By dumps of every packet filter here: for people.
  FirewallReport ReadFirewall();

  /// Removes the network's endpoints that nobody needs (design.md §1): abandoned ones; those of the
  /// calling runtime that are not listed; the provably dead.
  GarbageReport CollectGarbage(const GarbageRequest& request);

  /// Whether a driver could serve the network now, and the state directory is usable. @throws Error
  /// kUnavailable
  void Ready(const Network& network);

  std::vector<Endpoint> Endpoints() { return journal_.Endpoints(); }
  std::optional<Endpoint> FindEndpoint(const EndpointKey& key);
  /// Every endpoint of this container and interface name, of any network: for a DEL that cannot
  /// tell its network.
  std::vector<Endpoint> FindEndpoints(std::string_view container_id, std::string_view ifname);
  Liveness LivenessOf(const Endpoint& endpoint);

 private:
  const Driver& DriverFor(std::string_view type) const;
  std::optional<LockTable::Held> LockForRemoval(const EndpointKey& key, std::string_view owner);
  LockTable::Held Lock(const EndpointKey& key, std::string_view owner);
  Endpoint NewEndpoint(const Network& network, const EndpointSpec& spec) const;
  void ClearWay(const EndpointKey& key, std::string_view owner);
  /// Why an endpoint is removed.
  enum class Removal {
    kAsked,    ///< its runtime says so: everything under its key goes, whoever made it
    kGarbage,  ///< it is in the way or dead: only what is provably this endpoint's goes
  };
  void Remove(Endpoint endpoint, Removal removal, const std::optional<netns::NetNs>& sandbox);
  static void TryJournal(const std::function<void()>& step);
  std::optional<Network> CheckNetwork(const Network& wanted);
  void RemoveUnrecorded(const EndpointKey& key, std::string_view driver,
                        const std::optional<netns::NetNs>& sandbox, AddressSource* source);
  std::optional<Endpoint> FindForRemoval(std::string_view owner);
  bool MayCollect(const Endpoint& endpoint, const GarbageRequest& request, std::string& why);
  bool HasLiveEndpoints(std::string_view network);
  bool IsDead(const Endpoint& endpoint);
  bool IsProgrammed(const Endpoint& endpoint);
  // steps
  Endpoint GetForJoin(const JoinSpec& spec, std::string_view owner);
  void PlanJoin(const Network& network, const JoinSpec& spec, Endpoint& endpoint);
  void Unjoin(Endpoint& endpoint);
  bool HasEnded(const Endpoint& endpoint, const ReconcileRequest& request);
  bool ReconcileOne(const Endpoint& seen, const ReconcileRequest& request);
  // attachments
  bool IsElsewhere(const Endpoint& endpoint) const;
  void RefuseElsewhere(const Endpoint& endpoint) const;
  bool LeftAlone(const Endpoint& endpoint) const;
  void WriteOrForget(const Endpoint& endpoint);
  Endpoint FindOrMakeForeign(const AttachmentSpec& spec, std::string_view owner);
  void ChooseBackends(std::vector<Attachment>& attachments);
  void Program(Endpoint& endpoint, std::string_view plugin, Rollback& undo);
  void AddRules(Attachment& attachment);
  void AddUnlessHeld(Attachment& attachment);
  bool WithdrawDeadHolders(const Attachment& wanted);
  void NameHolder(Error& error);
  void WithdrawRules(Endpoint& endpoint, Attachment& attachment);
  std::vector<firewall::Isolation> OtherWishes(const Endpoint& endpoint,
                                               const Attachment& released);
  void ReleaseIsolation(Endpoint& endpoint, Attachment& attachment);
  void Withdraw(Endpoint& endpoint, std::string_view plugin, Teardown& teardown);
  std::vector<Attachment> NameWanted(const Endpoint& endpoint, const AttachmentSpec& spec);
  void WithdrawFormer(Endpoint& endpoint, std::string_view plugin,
                      const std::vector<Attachment>& wanted);
  firewall::Foreign ExceptRecorded(firewall::Foreign foreign, std::string_view owner,
                                   const std::vector<std::string>& backends);
  void RemoveLinkOf(const std::string& owner, const std::string& name);
  void Forget(Endpoint& endpoint, std::string_view plugin);
  void RemovePlugin(Endpoint endpoint, const RemovalSpec& spec);
  void VerifyAttachments(const Endpoint& endpoint, std::string_view plugin);
  // reload
  void RestoreShared(const Endpoint& endpoint, ReloadReport& report);
  void AcceptEverywhere(ReloadReport& report);
  void ForwardEverywhere(ReloadReport& report);
  LockTable::Held LockNetwork(std::string_view name);
  std::optional<Network> ChangeNetwork(std::string_view name,
                                       const std::function<void(Network&)>& change);
  void AddShared(std::string_view network, const std::string& backend,
                 const firewall::Rules& rules);
  void WithdrawShared(const Network& network);
  void ForgetUnshared(std::string_view name);
  void VerifyRules(const EndpointKey& key, const std::vector<Attachment>& attachments,
                   FirewallReport& report);
  firewall::Ledger MakeLedger();
  std::vector<Endpoint> RecordedHere();
  std::vector<firewall::Rules> LiveRules(std::string_view backend);
  bool IsDeadOwner(std::string_view owner);
  void Mark(std::string_view step);

  ControllerOptions options_;
  std::optional<netns::NetNs> opened_netns_;
  const netns::NetNs& own_netns_;  ///< the host's: work led into a sandbox comes back here
  HostIdentity host_;
  FileStore store_;
  Journal journal_;
  LockTable locks_;
  HostKernel kernel_;
  MissingSandboxes missing_;
};

}  // namespace cnm
