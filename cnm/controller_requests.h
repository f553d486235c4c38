// controller_requests.h: what is asked of the core, and what it reports.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "cnm/attachment.h"
#include "cnm/endpoint.h"
#include "common/base/error.h"
#include "common/base/rollback.h"
#include "common/firewall/firewall.h"
#include "common/net/mac.h"
#include "common/netns/netns.h"

namespace cnm {

/// What an endpoint is asked to be.
struct EndpointSpec {
  EndpointKey key;
  std::string sandbox_path;     ///< as the caller names it
  std::optional<net::Mac> mac;  ///< of the link in the sandbox; chosen by the driver otherwise
  Rollback::Observer observer;  ///< tests fail each step with it
  std::string details = {};     ///< Endpoint::details
};

/// How an endpoint that was created is to join a sandbox whose door moves the link itself.
struct JoinSpec {
  EndpointKey key;
  std::string sandbox_path;  ///< as the caller names it; it need not exist here
  std::optional<firewall::Isolation> isolation = {};
  /// Where the link is to wait for the door, which is the sandbox if it can be entered: to move a
  /// link there later takes the kernel 10 to 30 ms. nullptr = on the host
  const netns::NetNs* waits_in = nullptr;
  Rollback::Observer observer = {};  ///< tests fail each step with it
};

/// Which endpoints of a door that joins later have ended without anybody saying so.
struct ReconcileRequest {
  std::string door;
  bool keep_dead = false;  ///< the dead only leave their sandboxes: their door knows them still
  /// Whether one that is in no sandbox is forgotten, and goes.
  std::function<bool(const Endpoint&)> forgotten = {};
  /// Whether whoever moves the link of a joined one into its sandbox must have done so by now: then
  /// one whose link is on the host was moved back, and has ended.
  std::function<bool(const Endpoint&)> moved = {};
  std::function<void(const Endpoint&)> after = {};  ///< told of each that went or left, as it was
};

/// Whom a garbage collection may touch.
struct GarbageRequest {
  std::string network;
  /// A meta plugin's name: only its attachments go, and a foreign record with its last. "" = whole
  /// endpoints.
  std::string plugin = {};
  /// As RemovalSpec::restore, for that plugin's attachments.
  std::function<void(const Attachment&)> restore = {};
  /// Endpoints that live; nullopt = no list was given: only the provably dead go.
  std::optional<std::vector<EndpointKey>> valid;
  bool dry_run = false;
};

/// What it did, or would do.
struct GarbageReport {
  struct Item {
    Endpoint endpoint;
    std::string why;  ///< "abandoned", "not listed", "dead", "of another runtime: /usr/bin/podman"
  };
  std::vector<Item> removed;
  std::vector<Item> kept;
  std::vector<Error> errors;
};

/// What Reload programmed.
struct ReloadReport {
  size_t endpoints = 0;
  std::vector<std::string> backends;
  std::vector<Error> errors;
};

/// What stands in the packet filters, and what should and does not.
struct FirewallReport {
  struct Item {
    std::string backend;
    firewall::Programmed rule;
  };
  struct Loss {
    EndpointKey key;
    std::string plugin;
    std::string backend;
    std::string what;  ///< the first difference
  };
  std::vector<Item> programmed;
  std::vector<Loss> missing;
};

}  // namespace cnm
