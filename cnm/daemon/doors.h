// doors.h: the sockets on which cnmd listens, by who may knock.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "cnm/daemon/config/config.h"
#include "common/base/fd.h"
#include "common/http/message.h"
#include "common/http/tls.h"

namespace cnm::daemon {

/// Listening sockets of both doors.
struct Doors {
  std::vector<Fd> api;
  std::vector<Fd> tcp;  ///< for the REST API, with TLS if `tls` is not null
  http::TlsContext tls;
  std::vector<Fd> docker;
  std::vector<uint16_t> tcp_ports;  ///< of config.tcp, in that order
  std::vector<std::string> files;   ///< made here, to be removed at the end
};

/// Checks who may come by TCP: whoever can connect configures this host's network. So without TLS
/// only loopback addresses may be listened on; with it, any.
/// @returns the TLS to serve TCP with; null for none
/// @throws Error kConfig "listen on 0.0.0.0:2385: not a loopback address, ...", for files named
///         without tlsverify, and as http::MakeServerTls
http::TlsContext CheckDoors(const Config& config);

/// Opens what the configuration names; a unix socket that systemd has opened already takes the
/// place of ours, and its TCP sockets are held to the same rules. The REST API's is root's and the
/// group's (0660), Docker's root's alone (0600). Directories are made. Call once, before there are
/// threads.
/// @throws Error as CheckDoors and http/listen.h's
Doors OpenDoors(const Config& config);

/// Whether a request that came by TCP is a web page's: pages of any site can reach loopback
/// addresses through the browser of somebody here, and must not configure the network. Told by an
/// Origin, or a Host that is a foreign name; with TLS our certificate has said whether the name is.
bool IsForgedByAPage(const http::Request& request);

}  // namespace cnm::daemon
