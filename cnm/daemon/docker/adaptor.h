// adaptor.h: Docker's door: the plugin protocol of its network and IPAM drivers (libnetwork.md B.1,
// B.2), answered by a network driver and an address allocator of ours.
//
// What Docker does with it: it activates the plugin once in its life, then posts one JSON object a
// call. It never creates a network twice, not even after its own restart, and forgets an object
// whose removal failed: so every call may come again, and what is gone is removed successfully.
// It takes status 404 for "this plugin does not have that method", so no failure may have it.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "cnm/engine/driver.h"
#include "cnm/engine/ipam_driver.h"
#include "common/http/message.h"

namespace cnm::docker {

/// Whom the adaptor speaks for.
struct Backend {
  std::shared_ptr<engine::NetworkDriver> network;
  std::shared_ptr<engine::IpamDriver> ipam;
  /// Called when Docker activates the plugin: a daemon has started, and will ask again for the
  /// pools and addresses of its networks.
  std::function<void()> activated = {};
  /// Called before a network is created; whether it is a new one.
  std::function<bool(const engine::NetworkConfig&)> creating = {};
  /// Called when one is deleted, or a new one could not be created.
  std::function<void(const std::string& id)> deleted = {};
};

/// Answers Docker's calls; from several threads at once.
class Adaptor {
 public:
  explicit Adaptor(Backend backend) : backend_(std::move(backend)) {}

  /// Never throws. 200 and the method's answer; 404 for an unknown method; otherwise an object
  /// whose `Err` (for IpamDriver `Error` too) is the message and details: 400 for what no
  /// repetition will mend, 409 when somebody else is in the way, 503 when it may work later, 500.
  http::Response Handle(const http::Request& request) const;

 private:
  Backend backend_;
};

}  // namespace cnm::docker
