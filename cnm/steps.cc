// steps.cc: an endpoint's life in steps: created, joined, left, deleted; and the networks that are
// made before their endpoints.
//
// Theory of operation: between creation and deletion the record says `created` (in no sandbox) or
// `ready` (in one). A join writes the names and rules it is going to make into the `created` record
// first, a leave makes the record `created` first and empties it last: so whatever a killed process
// left is in the record, and the next join, leave or deletion removes it.

#include <fmt/format.h>

#include "cnm/controller.h"
#include "cnm/id.h"
#include "common/base/atomic_file.h"
#include "common/base/error.h"

namespace cnm {
namespace {

void ForgetJoin(Endpoint& endpoint) {
  endpoint.state = EndpointState::kCreated;
  endpoint.attachments.clear();
  endpoint.sandbox = {};
  if (!endpoint.host_link) return;
  endpoint.host_link->ifindex = 0;
  endpoint.host_link->peer.clear();
}

}  // namespace

// ---- networks -----------------------------------------------------------------------------------

void Controller::CreateNetwork(const Network& network, const std::vector<net::Prefix>& gateways) {
  MakeDirectories(options_.paths.runtime, 0700);
  CheckNetwork(network);
  DriverFor(network.driver).CreateNetwork(network, gateways, kernel_, store_);
  EnsureNetwork(network);
}

bool Controller::DeleteNetwork(const Network& network) {
  for (const Endpoint& endpoint : RecordedHere()) {
    if (endpoint.key.network != network.name || IsDead(endpoint)) continue;
    throw Error(Code::kInUse, fmt::format("network {} has an endpoint", network.name),
                fmt::format("{}, made by {}", Describe(endpoint.key), endpoint.runtime));
  }
  const bool removed = DriverFor(network.driver).DeleteNetwork(network, kernel_, store_);
  const LockTable::Held lock = LockNetwork(network.name);
  if (const auto recorded = journal_.FindNetwork(network.name)) WithdrawShared(*recorded);
  return journal_.RemoveNetwork(network.name) || removed;
}

// ---- endpoints ----------------------------------------------------------------------------------

Endpoint Controller::CreateEndpoint(const Network& network, const EndpointSpec& spec,
                                    AddressSource* source) {
  const Driver& driver = DriverFor(network.driver);
  CheckNetwork(network);
  Endpoint endpoint = NewEndpoint(network, spec);
  const LockTable::Held lock = Lock(spec.key, endpoint.owner);
  ClearWay(spec.key, endpoint.owner);
  driver.CreateEndpoint(network, endpoint);
  endpoint.attachments.clear();  // rules come with the join
  if (source != nullptr) endpoint.address_source = source->Journal();

  Rollback undo(spec.observer);
  undo.Push("record", [&] {
    if (!undo.failed()) journal_.RemoveEndpoint(endpoint.owner);
  });
  journal_.Write(endpoint);
  if (source != nullptr) {
    endpoint.addressing = source->Request();
    undo.Push("addresses", [&] { source->Release(); });
    endpoint.address_source = source->Journal();  // it may know more now
  }
  endpoint.state = EndpointState::kCreated;
  journal_.Write(endpoint);
  undo.Commit();
  return endpoint;
}

/// The record to join with, free of what a killed join or leave left; a ready one is joined
/// already.
Endpoint Controller::GetForJoin(const JoinSpec& spec, std::string_view owner) {
  std::optional<Endpoint> endpoint = journal_.FindEndpoint(owner);
  if (endpoint) RefuseElsewhere(*endpoint);
  const bool usable =
      endpoint && endpoint->host == host_ &&
      (endpoint->state == EndpointState::kCreated || endpoint->state == EndpointState::kReady);
  if (!usable) throw Error(Code::kNotFound, fmt::format("{}: there is none", Describe(spec.key)));
  if (endpoint->state == EndpointState::kReady && !IsDead(*endpoint)) {
    if (endpoint->sandbox.path == spec.sandbox_path) return *std::move(endpoint);
    throw Error(Code::kExists,
                fmt::format("{} is in sandbox {}", Describe(spec.key), endpoint->sandbox.path));
  }
  if (HasLinksOrRules(*endpoint)) Unjoin(*endpoint);
  return *std::move(endpoint);
}

/// Names the links and rules that the join will make.
void Controller::PlanJoin(const Network& network, const JoinSpec& spec, Endpoint& endpoint) {
  const Driver& driver = DriverFor(network.driver);
  endpoint.sandbox = {.path = spec.sandbox_path, .identity = {}};
  driver.CreateEndpoint(network, endpoint);
  if (endpoint.host_link) endpoint.host_link->peer = PeerLinkName(endpoint.owner, 0);
  driver.PlanAddressing(network, endpoint);
  ChooseBackends(endpoint.attachments);
  if (spec.isolation) {
    EnsureAttachment(endpoint, network.driver, kernel_.DefaultBackend()).rules.isolation =
        spec.isolation;
  }
  for (Attachment& attachment : endpoint.attachments) NameRules(endpoint, attachment);
}

Endpoint Controller::Join(const Network& network, const JoinSpec& spec) {
  const std::string owner = OwnerOf(spec.key.network, spec.key.container_id, spec.key.ifname);
  const LockTable::Held lock = Lock(spec.key, owner);
  Endpoint endpoint = GetForJoin(spec, owner);
  if (endpoint.state == EndpointState::kReady) return endpoint;
  PlanJoin(network, spec, endpoint);

  Rollback undo(spec.observer);
  undo.Push("record", [&] {
    if (undo.failed()) return;
    ForgetJoin(endpoint);
    journal_.Write(endpoint);
  });
  journal_.Write(endpoint);
  Program(endpoint, network.driver, undo);
  DriverFor(network.driver)
      .Join(network, endpoint,
            {.sandbox = nullptr,
             .host = kernel_,
             .store = store_,
             .undo = undo,
             .waits_in = spec.waits_in,
             .journal = [&] { journal_.Write(endpoint); }});
  endpoint.state = EndpointState::kReady;
  journal_.Write(endpoint);
  undo.Commit();
  return endpoint;
}

/// Removes what a join made, and records that.
void Controller::Unjoin(Endpoint& endpoint) {
  if (endpoint.state != EndpointState::kCreated) {
    endpoint.state = EndpointState::kCreated;
    journal_.Write(endpoint);  // from here on a kill is finished by anybody
  }
  Teardown teardown;
  Withdraw(endpoint, "", teardown);
  teardown.Try("leave", [&] { DriverFor(endpoint.driver).Leave(endpoint, kernel_); });
  teardown.ThrowIfFailed();
  ForgetJoin(endpoint);
  journal_.Write(endpoint);
}

bool Controller::Leave(const EndpointKey& key) {
  const std::string owner = OwnerOf(key.network, key.container_id, key.ifname);
  const LockTable::Held lock = Lock(key, owner);
  std::optional<Endpoint> endpoint = journal_.FindEndpoint(owner);
  if (!endpoint || endpoint->foreign() || endpoint->host != host_) return false;
  const bool settled =
      endpoint->state == EndpointState::kReady || endpoint->state == EndpointState::kCreated;
  if (!settled || !HasLinksOrRules(*endpoint)) return false;
  Unjoin(*endpoint);
  return true;
}

bool Controller::DeleteEndpoint(const EndpointKey& key) {
  const std::string owner = OwnerOf(key.network, key.container_id, key.ifname);
  const LockTable::Held lock = Lock(key, owner);
  std::optional<Endpoint> endpoint = journal_.FindEndpoint(owner);
  if (!endpoint) return false;
  Remove(*std::move(endpoint), Removal::kAsked, {});
  return true;
}

}  // namespace cnm
