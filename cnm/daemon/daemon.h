// daemon.h: cnmd: the doors that stay open, on the same networks, pools and endpoints as CNI's.
//
// Theory of operation: one thread runs everything that waits (connections, signals, the kernel's
// news about links); requests run on the servers' workers. All state is in stores, written before
// it is answered, so that the daemon may be killed at any time and started again; endpoints do not
// notice. Without requests and news nothing wakes it up.
#pragma once

#include <functional>

#include "cnm/daemon/config/config.h"
#include "cnm/engine/engine.h"

namespace cnm::daemon {

/// What a daemon is started with.
struct DaemonOptions {
  Config config = {};
  /// Serve and announce the plugin "test", as dnet's daemon does.
  bool test_plugin = false;
  /// Called when everything listens: with the engine, and the TCP ports in the order of config.tcp
  /// (a port 0 has become a number). What it throws ends the daemon.
  std::function<void(engine::Engine& engine, const std::vector<uint16_t>& ports)> ready = {};
};

/// Serves until SIGTERM or SIGINT, then lets running requests finish. Tells systemd (NOTIFY_SOCKET)
/// when it is ready, and takes listening sockets from it: one called "docker" is for Docker's
/// protocol, all others are for the REST API.
/// @returns the process's exit status, 0
/// @throws Error when it cannot start
int RunDaemon(const DaemonOptions& options);

}  // namespace cnm::daemon
