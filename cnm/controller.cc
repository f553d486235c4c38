// controller.cc: the core: networks, endpoints and sandboxes brought together. What meta plugins
// add is in attachments.cc, taking away in removal.cc, garbage collection in garbage.cc, reloading
// in reload.cc.
#include "cnm/controller.h"

#include <unistd.h>

#include <algorithm>

#include <fmt/format.h>

#include "cnm/id.h"
#include "common/base/error.h"
#include "common/base/log.h"

namespace cnm {
namespace {

/// Whatever its endpoints share.
bool IsSame(const Network& recorded, const Network& wanted) {
  return recorded.driver == wanted.driver && recorded.id == wanted.id &&
         recorded.options == wanted.options;
}

}  // namespace

Controller::Controller(ControllerOptions options)
    : options_(std::move(options)),
      opened_netns_(options_.own_netns == nullptr ? std::optional(netns::NetNs::Current())
                                                  : std::nullopt),
      own_netns_(opened_netns_ ? *opened_netns_ : *options_.own_netns),
      host_(CurrentHost(own_netns_)),
      store_(options_.paths.runtime, Durability::kVolatile),
      journal_(store_),
      locks_(options_.paths.runtime + "/lock"),
      kernel_(MakeLedger(), options_.background) {}

void Controller::Mark(std::string_view step) {
  if (options_.steps != nullptr) options_.steps->Mark(step);
}

firewall::Ledger Controller::MakeLedger() {
  return {.live = [this](std::string_view backend) { return LiveRules(backend); },
          .dead = [this](std::string_view owner) { return IsDeadOwner(owner); }};
}

bool Controller::IsDeadOwner(std::string_view owner) {
  if (const std::optional<Endpoint> endpoint = journal_.FindEndpoint(owner)) {
    return !IsProgrammed(*endpoint);
  }
  for (const Network& network : journal_.Networks()) {
    if (!network.attachments.empty() && OwnerOf(network.name, "", "") == owner) return false;
  }
  // Journal before everything: rules without a record belong to nobody, unless the record was lost;
  // then the link that carries the owner speaks.
  const auto link = kernel_.links().FindLink(HostLinkName(owner, 0));
  return !link || link->alias != owner;
}

/// Whether its rules are to stand: it lives, and is in a sandbox or on its way into one.
bool Controller::IsProgrammed(const Endpoint& endpoint) {
  if (endpoint.state == EndpointState::kCreated) return locks_.IsHeld(LockKey(endpoint.owner));
  return !IsDead(endpoint);
}

/// Abandoned, or provably gone.
bool Controller::IsDead(const Endpoint& endpoint) {
  const bool settled =
      endpoint.state == EndpointState::kReady || endpoint.state == EndpointState::kCreated;
  if (!settled) return !locks_.IsHeld(LockKey(endpoint.owner));
  return LivenessOf(endpoint) == Liveness::kDead;
}

const Driver& Controller::DriverFor(std::string_view type) const {
  for (const Driver* driver : options_.drivers) {
    if (driver->type() == type) return *driver;
  }
  throw Error(Code::kUnsupportedField, fmt::format("network driver {}: not in this program", type));
}

LockTable::Held Controller::Lock(const EndpointKey& key, std::string_view owner) {
  try {
    return locks_.Acquire(LockKey(owner), Describe(key), options_.holder);
  } catch (const Error& e) {
    if (e.code() != Code::kIo) throw;
  }
  MakeDirectories(options_.paths.runtime, 0700);  // whoever comes first makes it
  return locks_.Acquire(LockKey(owner), Describe(key), options_.holder);
}

/// A state directory that cannot be written must not stop a removal: it goes on by derived names.
std::optional<LockTable::Held> Controller::LockForRemoval(const EndpointKey& key,
                                                          std::string_view owner) {
  try {
    return Lock(key, owner);
  } catch (const Error& e) {
    if (e.code() != Code::kIo) throw;
    Warn(fmt::format("{}: removing without a lock", e.message()));
    return std::nullopt;
  }
}

std::optional<Endpoint> Controller::FindEndpoint(const EndpointKey& key) {
  return journal_.FindEndpoint(OwnerOf(key.network, key.container_id, key.ifname));
}

std::vector<Endpoint> Controller::FindEndpoints(std::string_view container_id,
                                                std::string_view ifname) {
  std::vector<Endpoint> endpoints = journal_.Endpoints();
  std::erase_if(endpoints, [&](const Endpoint& e) {
    return e.key.container_id != container_id || e.key.ifname != ifname;
  });
  return endpoints;
}

Liveness Controller::LivenessOf(const Endpoint& endpoint) {
  return cnm::LivenessOf(endpoint, host_, kernel_, missing_);
}

bool Controller::HasLiveEndpoints(std::string_view network) {
  const std::vector<Endpoint> endpoints = journal_.Endpoints();
  return std::any_of(endpoints.begin(), endpoints.end(), [&](const Endpoint& e) {
    const bool settled = e.state == EndpointState::kReady || e.state == EndpointState::kCreated;
    return e.key.network == network && settled && e.host == host_ &&
           LivenessOf(e) == Liveness::kAlive;
  });
}

/// What is recorded of the network now. @throws Error kConfig when live endpoints forbid the change
/// to `wanted`
std::optional<Network> Controller::CheckNetwork(const Network& wanted) {
  std::optional<Network> recorded = journal_.FindNetwork(wanted.name);
  if (!recorded || IsSame(*recorded, wanted)) return recorded;
  std::optional<std::string> conflict;
  if (recorded->driver != wanted.driver) {
    conflict = fmt::format("its driver is {}, this one says {}", recorded->driver, wanted.driver);
  } else {
    conflict = DriverFor(wanted.driver).Conflict(*recorded, wanted);
  }
  if (conflict && HasLiveEndpoints(wanted.name)) {
    throw Error(Code::kConfig, fmt::format("network {} is in use: {}", wanted.name, *conflict),
                "see cnmctl network ls; use another name, or stop its containers first");
  }
  return recorded;
}

/// Unless another door came to use it meanwhile.
void Controller::ForgetUnshared(std::string_view name) {
  const std::optional<Network> now = journal_.FindNetwork(name);
  if (now && now->attachments.empty()) journal_.RemoveNetwork(name);
}

Network Controller::EnsureNetwork(const Network& wanted) {
  for (int attempt = 0; attempt < 16; ++attempt) {
    const std::optional<Network> recorded = CheckNetwork(wanted);
    if (recorded && IsSame(*recorded, wanted)) return *recorded;
    Network changed = wanted;
    if (recorded) changed.attachments = recorded->attachments;
    if (journal_.Write(changed, recorded)) return changed;
  }
  throw Error(Code::kTryAgain, fmt::format("record network {}: it keeps changing", wanted.name));
}

/// Of this boot, but of a host side that is not ours to touch.
bool Controller::IsElsewhere(const Endpoint& endpoint) const {
  return endpoint.host.boot_id == host_.boot_id && endpoint.host.netns != host_.netns;
}

void Controller::RefuseElsewhere(const Endpoint& endpoint) const {
  if (!IsElsewhere(endpoint)) return;
  throw Error(Code::kExists, fmt::format("{} exists already", Describe(endpoint.key)),
              "it belongs to another host network namespace: DEL it there first");
}

/// Makes room for a new endpoint of this owner: what a killed process or a dead container left is
/// removed, a live endpoint is an error.
void Controller::ClearWay(const EndpointKey& key, std::string_view owner) {
  std::optional<Endpoint> left = journal_.FindEndpoint(owner);
  if (!left) return;
  RefuseElsewhere(*left);
  const bool settled =
      left->state == EndpointState::kReady || left->state == EndpointState::kCreated;
  if (settled && LivenessOf(*left) == Liveness::kAlive) {
    throw Error(Code::kExists, fmt::format("{} exists already", Describe(key)),
                fmt::format("made by {} in {}, host link {}; DEL it first", left->runtime,
                            left->sandbox.path, left->host_link ? left->host_link->name : "none"));
  }
  Remove(*std::move(left), Removal::kGarbage, {});
}

Endpoint Controller::NewEndpoint(const Network& network, const EndpointSpec& spec) const {
  Endpoint endpoint;
  endpoint.owner = OwnerOf(spec.key.network, spec.key.container_id, spec.key.ifname);
  endpoint.key = spec.key;
  endpoint.driver = network.driver;
  endpoint.door = options_.door;
  endpoint.runtime = options_.runtime;
  endpoint.host = host_;
  endpoint.sandbox.path = spec.sandbox_path;
  endpoint.details = spec.details;
  if (spec.mac) endpoint.mac = *spec.mac;
  return endpoint;
}

Attached Controller::Attach(const Network& network, const EndpointSpec& spec,
                            const netns::NetNs& sandbox, AddressSource* source) {
  const Driver& driver = DriverFor(network.driver);
  const std::optional<Network> recorded = CheckNetwork(network);
  Endpoint endpoint = NewEndpoint(network, spec);
  endpoint.sandbox.identity = sandbox.identity();
  const LockTable::Held lock = Lock(spec.key, endpoint.owner);
  ClearWay(spec.key, endpoint.owner);
  driver.CreateEndpoint(network, endpoint);
  if (source != nullptr) endpoint.address_source = source->Journal();

  Rollback undo(spec.observer);
  undo.Push("record", [&] {
    if (!undo.failed()) journal_.RemoveEndpoint(endpoint.owner);
  });
  journal_.Write(endpoint);
  Mark("journal");
  if (source != nullptr) {
    endpoint.addressing = source->Request();
    undo.Push("addresses", [&] {
      if (undo.failed()) return;  // a link that could not be removed may still use them
      own_netns_.Enter();         // where the IPAM was asked
      source->Release();
    });
    Mark("addresses");
  }
  driver.PlanAddressing(network, endpoint);
  if (!endpoint.attachments.empty()) {
    ChooseBackends(endpoint.attachments);
    journal_.Write(endpoint);  // rules name addresses; links and leases are found by owner
    Program(endpoint, network.driver, undo);
    Mark("firewall");
  }
  Attached attached = driver.Join(
      network, endpoint,
      {.sandbox = &sandbox, .host = kernel_, .store = store_, .undo = undo, .journal = [&] {
         journal_.Write(endpoint);
       }});
  Mark("links");
  if (!recorded ||
      !IsSame(*recorded, network)) {  // only now: a refused ADD leaves no network behind
    if (!recorded) undo.Push("network", [&] { ForgetUnshared(network.name); });
    EnsureNetwork(network);
  }
  endpoint.state = EndpointState::kReady;
  journal_.Write(endpoint);
  undo.Commit();
  Mark("ready");
  return attached;
}

void Controller::Check(const Network& network, const EndpointKey& key, const Attached& expected,
                       const netns::NetNs& sandbox, AddressSource* source) {
  if (source != nullptr) source->Check();
  // What the reference plugins made has no record, and its rules are not ours to judge.
  const std::optional<Endpoint> endpoint = FindEndpoint(key);
  if (endpoint) VerifyAttachments(*endpoint, network.driver);
  DriverFor(network.driver).Check(network, expected, sandbox, kernel_);
}

void Controller::Ready(const Network& network) {
  const std::string& directory = options_.paths.runtime;
  if (::access(directory.c_str(), F_OK) != 0) {
    MakeDirectories(directory, 0700);
  } else if (::access(directory.c_str(), W_OK) != 0) {
    throw SystemError(Code::kUnavailable, fmt::format("state directory {}", directory), errno);
  }
  DriverFor(network.driver).Ready(network, kernel_);
}

}  // namespace cnm
