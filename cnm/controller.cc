// controller.cc: the core: networks, endpoints and sandboxes brought together. Garbage collection
// is in garbage.cc.
#include "cnm/controller.h"

#include <unistd.h>

#include <algorithm>

#include <fmt/format.h>

#include "cnm/id.h"
#include "cnm/teardown.h"
#include "common/base/error.h"
#include "common/base/log.h"

namespace cnm {
namespace {

std::string Describe(const EndpointKey& key) {
  return fmt::format("endpoint {} of container {} on network {}", key.ifname, key.container_id,
                     key.network);
}

}  // namespace

Controller::Controller(ControllerOptions options)
    : options_(std::move(options)),
      own_netns_(netns::NetNs::Current()),
      host_(CurrentHost(own_netns_)),
      store_(options_.paths.runtime, Durability::kVolatile),
      journal_(store_),
      locks_(options_.paths.runtime + "/lock"),
      kernel_(MakeLedger()) {}

void Controller::Mark(std::string_view step) {
  if (options_.steps != nullptr) options_.steps->Mark(step);
}

firewall::Ledger Controller::MakeLedger() {
  return {.live =
              [this] {
                std::vector<firewall::Rules> live;
                for (Endpoint& endpoint : journal_.Endpoints()) {
                  if (!endpoint.rules.empty() && endpoint.host == host_ && !IsDead(endpoint)) {
                    live.push_back(std::move(endpoint.rules));
                  }
                }
                return live;
              },
          .dead =
              [this](std::string_view owner) {
                const std::optional<Endpoint> endpoint = journal_.FindEndpoint(owner);
                // Journal before everything: rules without a record belong to nobody, unless the
                // record was lost; then the link that carries the owner speaks.
                if (!endpoint) {
                  const auto link = kernel_.links().FindLink(HostLinkName(owner, 0));
                  return !link || link->alias != owner;
                }
                return IsDead(*endpoint);
              }};
}

/// Abandoned, or provably gone.
bool Controller::IsDead(const Endpoint& endpoint) {
  if (endpoint.state != EndpointState::kReady) return !locks_.IsHeld(LockKey(endpoint.owner));
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
  return cnm::LivenessOf(endpoint, host_, kernel_);
}

bool Controller::HasLiveEndpoints(std::string_view network) {
  const std::vector<Endpoint> endpoints = journal_.Endpoints();
  return std::any_of(endpoints.begin(), endpoints.end(), [&](const Endpoint& e) {
    return e.key.network == network && e.state == EndpointState::kReady && e.host == host_ &&
           LivenessOf(e) == Liveness::kAlive;
  });
}

/// What is recorded of the network now. @throws Error kConfig when live endpoints forbid the change
/// to `wanted`
std::optional<Network> Controller::CheckNetwork(const Network& wanted) {
  std::optional<Network> recorded = journal_.FindNetwork(wanted.name);
  if (!recorded || recorded == wanted) return recorded;
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

Network Controller::EnsureNetwork(const Network& wanted) {
  for (int attempt = 0; attempt < 16; ++attempt) {
    const std::optional<Network> recorded = CheckNetwork(wanted);
    if (recorded == wanted || journal_.Write(wanted, recorded)) return wanted;
  }
  throw Error(Code::kTryAgain, fmt::format("record network {}: it keeps changing", wanted.name));
}

/// Makes room for a new endpoint of this owner: what a killed process or a dead container left is
/// removed, a live endpoint is an error.
void Controller::ClearWay(const EndpointKey& key, std::string_view owner) {
  std::optional<Endpoint> left = journal_.FindEndpoint(owner);
  if (!left) return;
  if (left->host.boot_id == host_.boot_id && left->host.netns != host_.netns) {
    throw Error(Code::kExists, fmt::format("{} exists already", Describe(key)),
                "it belongs to another host network namespace: DEL it there first");
  }
  if (left->state == EndpointState::kReady && LivenessOf(*left) == Liveness::kAlive) {
    throw Error(Code::kExists, fmt::format("{} exists already", Describe(key)),
                fmt::format("made by {} in {}, host link {}; DEL it first", left->runtime,
                            left->sandbox.path, left->host_link ? left->host_link->name : "none"));
  }
  Remove(*std::move(left), Removal::kGarbage, {});
}

Endpoint Controller::NewEndpoint(const Network& network, const EndpointSpec& spec,
                                 const netns::NetNs& sandbox) const {
  Endpoint endpoint;
  endpoint.owner = OwnerOf(spec.key.network, spec.key.container_id, spec.key.ifname);
  endpoint.key = spec.key;
  endpoint.driver = network.driver;
  endpoint.door = options_.door;
  endpoint.runtime = options_.runtime;
  endpoint.host = host_;
  endpoint.sandbox = {.path = spec.sandbox_path, .identity = sandbox.identity()};
  if (spec.mac) endpoint.mac = *spec.mac;
  endpoint.rules.owner = endpoint.owner;
  endpoint.rules.network = spec.key.network;
  return endpoint;
}

Attached Controller::Attach(const Network& network, const EndpointSpec& spec,
                            const netns::NetNs& sandbox, AddressSource* source) {
  const Driver& driver = DriverFor(network.driver);
  const std::optional<Network> recorded = CheckNetwork(network);
  Endpoint endpoint = NewEndpoint(network, spec, sandbox);
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
  if (!endpoint.rules.empty()) {
    journal_.Write(endpoint);  // rules name addresses; links and leases are found by owner
    undo.Push("rules", [&] { kernel_.firewall(endpoint.firewall).Remove(endpoint.rules); });
    kernel_.firewall(endpoint.firewall).Add(endpoint.rules);
    Mark("firewall");
  }
  Attached attached = driver.Join(
      network, endpoint,
      {.sandbox = sandbox, .host = kernel_, .store = store_, .undo = undo, .journal = [&] {
         journal_.Write(endpoint);
       }});
  Mark("links");
  if (recorded != network) {  // only now: a refused ADD leaves no network behind
    if (!recorded) undo.Push("network", [&] { journal_.RemoveNetwork(network.name); });
    EnsureNetwork(network);
  }
  endpoint.state = EndpointState::kReady;
  journal_.Write(endpoint);
  undo.Commit();
  Mark("ready");
  return attached;
}

/// The record, if the store can be read at all: a removal goes on without it.
std::optional<Endpoint> Controller::FindForRemoval(std::string_view owner) {
  try {
    return journal_.FindEndpoint(owner);
  } catch (const Error& e) {
    Warn(fmt::format("{}: going on by derived names", e.message()));
    return std::nullopt;
  }
}

void Controller::Detach(const EndpointKey& key, std::string_view driver,
                        const std::optional<netns::NetNs>& sandbox, AddressSource* source) {
  const std::string owner = OwnerOf(key.network, key.container_id, key.ifname);
  const std::optional<LockTable::Held> lock = LockForRemoval(key, owner);
  if (std::optional<Endpoint> endpoint = FindForRemoval(owner)) {
    Remove(*std::move(endpoint), Removal::kAsked, sandbox);
  } else {
    RemoveUnrecorded(key, driver, sandbox, source);
  }
}

/// A step of a removal that only the state directory can fail: without it the removal still works.
template <class Step>
void Controller::TryJournal(Step step) {
  try {
    step();
  } catch (const Error& e) {
    if (e.code() != Code::kIo) throw;
    Warn(e.message());
  }
}

void Controller::Remove(Endpoint endpoint, Removal removal,
                        const std::optional<netns::NetNs>& sandbox) {
  const bool same_boot = endpoint.host.boot_id == host_.boot_id;
  if (same_boot && endpoint.host.netns != host_.netns) {
    Warn(fmt::format("{} belongs to another host network namespace: left alone",
                     Describe(endpoint.key)));
    return;
  }
  const bool was_complete = endpoint.state != EndpointState::kPending;
  if (endpoint.state == EndpointState::kReady) {
    // From here on a kill is finished by anybody. What nobody asked to remove keeps its protection
    // below.
    endpoint.state =
        removal == Removal::kAsked ? EndpointState::kPending : EndpointState::kCondemned;
    TryJournal([&] { journal_.Write(endpoint); });
  }
  Teardown teardown;
  if (same_boot && !endpoint.rules.empty()) {
    teardown.Try("rules", [&] { kernel_.firewall(endpoint.firewall).Remove(endpoint.rules); });
    Mark("firewall");
  }
  bool link_found = false;
  const bool left = !same_boot || teardown.Try("leave", [&] {
    const Driver& driver = DriverFor(endpoint.driver);
    link_found = driver.Leave(endpoint, kernel_);
    // Another implementation may have removed our link and made its own for the same container.
    const bool same_sandbox = sandbox && sandbox->identity() == endpoint.sandbox.identity;
    if (!link_found && removal == Removal::kAsked && same_sandbox) {
      driver.LeaveUnrecorded(endpoint.key, sandbox, kernel_);
      own_netns_.Enter();
    }
  });
  Mark("links");
  const bool perhaps_made_anew = removal == Removal::kGarbage && was_complete && same_boot &&
                                 !link_found && SandboxExists(endpoint.sandbox);
  // An address whose link may still be there is not free; nor is one that another implementation
  // may have leased anew for the same container.
  if (left && !perhaps_made_anew && !endpoint.address_source.empty()) {
    teardown.TryUnwrapped([&] { options_.release_addresses(endpoint.address_source); });
    Mark("addresses");
  }
  if (teardown.ok()) TryJournal([&] { journal_.RemoveEndpoint(endpoint.owner); });
  teardown.ThrowIfFailed();
}

void Controller::RemoveUnrecorded(const EndpointKey& key, std::string_view driver,
                                  const std::optional<netns::NetNs>& sandbox,
                                  AddressSource* source) {
  Teardown teardown;
  bool ours = false;
  const bool left = teardown.Try(
      "leave", [&] { ours = DriverFor(driver).LeaveUnrecorded(key, sandbox, kernel_); });
  // With the journal before everything, nothing of ours exists without a record unless records were
  // lost; the derived link is the sign of that, and only then is a dump of the tables worth its
  // cost.
  if (ours) {
    teardown.Try("rules", [&] {
      kernel_.firewall("nftables")
          .RemoveByOwner(OwnerOf(key.network, key.container_id, key.ifname));
    });
  }
  Mark("links");
  if (left && source != nullptr) {
    teardown.TryUnwrapped([&] { source->Release(); });
    Mark("addresses");
  }
  teardown.ThrowIfFailed();
}

void Controller::Check(const Network& network, const EndpointKey& key, const Attached& expected,
                       const netns::NetNs& sandbox, AddressSource* source) {
  if (source != nullptr) source->Check();
  // What the reference plugins made has no record, and its rules are not ours to judge.
  const std::optional<Endpoint> endpoint = FindEndpoint(key);
  if (endpoint && !endpoint->rules.empty()) {
    kernel_.firewall(endpoint->firewall).Verify(endpoint->rules);
  }
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
