// config.h: what cnmd is told by its configuration file and flags.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "common/http/server.h"
#include "common/http/tls.h"

namespace cnm::daemon {

/// The daemon's settings; the member initialisers are the defaults. Sections and keys of the file
/// are in conf/cnmd.toml. [daemon] is libnetwork's (libnetwork.md §5), the others are ours.
struct Config {
  bool debug = false;           ///< each request is a line on stderr
  std::string default_network;  ///< made at the start and used where none is named; "" = none
  std::string default_driver = "bridge";
  std::vector<std::string> labels;  ///< "key=value", com.docker.network... only

  std::string socket = "/run/cnm/cnmd.sock";  ///< of the REST API; "" = none
  std::string group = "cnm";     ///< may use it besides root; without such a group root alone may
  std::vector<std::string> tcp;  ///< "127.0.0.1:2385" for the REST API; without TLS only loopback
  bool tls_verify = false;       ///< TLS on TCP, and only for clients with a certificate
  http::TlsFiles tls_files = http::TlsFilesIn("/etc/cnm/tls");
  bool docker = true;  ///< serve Docker's plugin protocol
  std::string docker_socket = "/run/docker/plugins/cnm.sock";

  bool userland_proxy = false;  ///< published ports are also served by the daemon itself

  std::string runtime_directory = "/run/cnm";
  std::string durable_directory = "/var/lib/cnm";
  std::string lease_directory = "/var/lib/cni/networks";
  std::string files_directory = "/var/lib/docker/network/files";
  std::string netns_directory = "/var/run/docker/netns";

  http::Limits limits;
};

/// A host and a port to listen on.
struct TcpEndpoint {
  std::string address;  ///< numeric
  uint16_t port = 0;
  bool operator==(const TcpEndpoint&) const = default;
};

/// "127.0.0.1:2385", "[::1]:2385", also with "tcp://" before it.
/// @throws Error kConfig "listen on localhost:2385: reason"
TcpEndpoint ParseTcpEndpoint(std::string_view text);

/// Reads TOML text over the defaults in `config`; `name` is what errors call the file. Keys match
/// without regard to case, as they do for libnetwork.
/// @returns a warning for each unknown key, with the nearest known one, and each section that has
///          no meaning here
/// @throws Error kDecode "NAME line 3: reason" for what is no TOML or has the wrong type; kConfig
///         for a value out of range or a [globalstore]
std::vector<std::string> ReadConfig(std::string_view text, const std::string& name, Config& config);

/// ReadConfig of a file. @throws Error kIo also when there is none
std::vector<std::string> ReadConfigFile(const std::string& path, Config& config);

}  // namespace cnm::daemon
