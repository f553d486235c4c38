// listen.h: sockets that listen for connections: our own, and those systemd hands over.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "common/base/fd.h"

struct sockaddr_storage;

namespace cnm::http {

/// A unix socket in the file system.
struct UnixSocket {
  std::string path;        ///< at most 107 bytes; its directory must exist
  unsigned mode = 0600;    ///< who may connect needs write permission
  std::string group = {};  ///< a name; "": the process's own
};

/// Listens on a unix socket, replacing one on which nobody listens any more. The file is never
/// open to more than `mode` and `group` say. Whoever stops listening removes it (RemoveFile).
/// @throws Error kInUse "listen on PATH: another process listens there"; kConfig for a path that is
///         too long or an unknown group; kIo
Fd ListenUnix(const UnixSocket& socket);

/// Listens on a numeric address of either family; port 0: any free one. IPv6 sockets are for IPv6
/// alone. @throws Error kConfig "listen on ADDRESS: not an IP address"; kInUse; kIo
Fd ListenTcp(const std::string& address, uint16_t port);

/// The port a TCP socket is bound to.
uint16_t PortOf(const Fd& socket);

/// "192.0.2.1:2385" or "[2001:db8::1]:2385"; "" for what is no TCP address.
std::string TcpText(const sockaddr_storage& name);

/// What a TCP socket is bound to, as TcpText; "" for another kind of socket.
std::string BoundTo(const Fd& socket);

/// A socket that was listening when this process was started.
struct Activated {
  std::string name;  ///< FileDescriptorName= of the socket unit; "" if none was given
  Fd fd;
};

/// Takes the descriptors of systemd's socket activation (sd_listen_fds(3): LISTEN_PID, LISTEN_FDS,
/// LISTEN_FDNAMES) and removes those variables, so that no child takes them again. Call once,
/// before there are threads. Empty without activation.
/// @throws Error kEnvironment if one of them is not a listening stream socket
std::vector<Activated> TakeActivatedSockets();

}  // namespace cnm::http
