// doors.h: the sockets on which cnmd listens, by who may knock.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "cnm/daemon/config/config.h"
#include "common/base/fd.h"
#include "common/http/message.h"

namespace cnm::daemon {

/// Listening sockets of both doors.
struct Doors {
  std::vector<Fd> api;
  std::vector<Fd> docker;
  std::vector<uint16_t> tcp_ports;  ///< of config.tcp, in that order
  std::vector<std::string> files;   ///< made here, to be removed at the end
};

/// Opens what the configuration names; a unix socket that systemd has opened already takes the
/// place of ours. The REST API's is root's and the group's (0660), Docker's root's alone (0600).
/// Directories are made. Call once, before there are threads.
/// @throws Error as http/listen.h's
Doors OpenDoors(const Config& config);

/// Whether a request that came by TCP is a web page's: pages of any site can reach loopback
/// addresses through the browser of somebody here, and must not configure the network. Told by an
/// Origin, or a Host that is a foreign name.
bool IsForgedByAPage(const http::Request& request);

}  // namespace cnm::daemon
