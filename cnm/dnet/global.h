// global.h: what stands before dnet's command: which server, what to log.
#pragma once

#include <string>
#include <vector>

#include "cnm/api/client_tls.h"
#include "common/http/client.h"

namespace cnm::dnet {

/// The words before the command, and the command's. The long names work too, which libnetwork's
/// never did.
struct Global {
  bool daemon = false;                  ///< -d
  std::string host;                     ///< -H, else $DNET_HOST, else the default
  std::string log_level = "info";       ///< -l
  bool debug = false;                   ///< -D
  std::string config_file;              ///< -c
  api::ClientTls tls = {};              ///< --tlsverify ...: the client's, and the daemon's
  bool help = false;                    ///< --help, -h
  bool version = false;                 ///< --version, -v
  std::vector<std::string> words = {};  ///< the command and what follows
};

/// @param environment $DNET_HOST, or "". @throws Error kEnvironment for a flag that is none
Global ParseGlobal(const std::vector<std::string>& words, const std::string& environment);

/// The overview of flags and commands.
std::string GlobalHelp();

/// @throws Error kEnvironment "Unable to parse logging level: X"
void CheckLogLevel(const std::string& level);

/// "tcp://host:port"; an empty host is 0.0.0.0, this host.
/// @throws Error kConfig "dnet currently only supports tcp transport"
http::ServerAddress ServerOf(const std::string& host);

/// Where the daemon listens, "host:port". Without TLS all addresses of the host (0.0.0.0) become
/// 127.0.0.1: who can connect configures this host's network, and nothing tells who that is.
/// @throws Error as ServerOf
std::string ListenAddress(const std::string& host, bool tls = false);

}  // namespace cnm::dnet
