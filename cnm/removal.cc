// removal.cc: taking endpoints away, with and without a record.
#include <fmt/format.h>

#include "cnm/controller.h"
#include "cnm/id.h"
#include "cnm/teardown.h"
#include "common/base/error.h"
#include "common/base/log.h"
#include "common/firewall/select.h"

namespace cnm {

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
  std::optional<Endpoint> endpoint = FindForRemoval(owner);
  const bool whole = endpoint && !endpoint->foreign();
  Teardown teardown;
  if (endpoint) {
    teardown.TryUnwrapped([&] { Remove(*std::move(endpoint), Removal::kAsked, sandbox); });
  }
  if (!whole) {
    teardown.TryUnwrapped([&] { RemoveUnrecorded(key, driver, sandbox, source); });
  }
  teardown.ThrowIfFailed();
}

/// A step of a removal that only the state directory can fail: without it the removal still works.
void Controller::TryJournal(const std::function<void()>& step) {
  try {
    step();
  } catch (const Error& e) {
    if (e.code() != Code::kIo) throw;
    Warn(e.message());
  }
}

/// Says so when the endpoint is not ours to touch.
bool Controller::LeftAlone(const Endpoint& endpoint) const {
  if (!IsElsewhere(endpoint)) return false;
  Warn(fmt::format("{} belongs to another host network namespace: left alone",
                   Describe(endpoint.key)));
  return true;
}

void Controller::Remove(Endpoint endpoint, Removal removal,
                        const std::optional<netns::NetNs>& sandbox) {
  if (LeftAlone(endpoint)) return;
  const bool same_boot = endpoint.host.boot_id == host_.boot_id;
  const bool was_complete = endpoint.state != EndpointState::kPending;
  if (endpoint.state == EndpointState::kReady || endpoint.state == EndpointState::kCreated) {
    // From here on a kill is finished by anybody. What nobody asked to remove keeps its protection
    // below.
    endpoint.state =
        removal == Removal::kAsked ? EndpointState::kPending : EndpointState::kCondemned;
    TryJournal([&] { journal_.Write(endpoint); });
  }
  Teardown teardown;
  if (same_boot && !endpoint.attachments.empty()) {
    Withdraw(endpoint, "", teardown);
    Mark("firewall");
  }
  bool link_found = false;
  const bool left = !same_boot || endpoint.foreign() || teardown.Try("leave", [&] {
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
  // An endpoint whose sandbox was never known is of a door whose ids come once.
  const bool known_sandbox = endpoint.sandbox.identity != netns::Identity{};
  const bool perhaps_made_anew = known_sandbox && removal == Removal::kGarbage && was_complete &&
                                 same_boot && !link_found && SandboxExists(endpoint.sandbox);
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
  const bool left = teardown.Try("leave", [&] {
    ours = DriverFor(driver).LeaveUnrecorded(key, sandbox, kernel_);
    own_netns_.Enter();
  });
  // With the journal before everything, nothing of ours exists without a record unless records were
  // lost; the derived link is the sign of that, and only then is a dump of the tables worth its
  // cost.
  const std::string owner = OwnerOf(key.network, key.container_id, key.ifname);
  const std::vector<std::string> backends = firewall::PresentBackends();
  const firewall::Foreign foreign = ExceptRecorded({.network = key.network,
                                                    .container_id = key.container_id,
                                                    .ifname = key.ifname,
                                                    .masquerade = true,
                                                    .spoof_guard = true},
                                                   owner, backends);
  for (const std::string& backend : backends) {
    teardown.Try("rules", [&] {
      firewall::Firewall& firewall = kernel_.firewall(backend);
      if (ours) firewall.RemoveByOwner(owner);
      firewall.RemoveForeign(foreign);
    });
  }
  Mark("links");
  if (left && source != nullptr) {
    teardown.TryUnwrapped([&] { source->Release(); });
    Mark("addresses");
  }
  teardown.ThrowIfFailed();
}

}  // namespace cnm
