// listen.cc: sockets that listen for connections.
#include "common/http/listen.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <grp.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <cstdlib>
#include <cstring>
#include <string_view>
#include <system_error>

#include <fmt/format.h>

#include "common/base/error.h"

namespace cnm::http {
namespace {

constexpr int kFirstActivated = 3;  // SD_LISTEN_FDS_START

Error ListenError(std::string_view where) {
  return SystemError(errno == EADDRINUSE ? Code::kInUse : Code::kIo,
                     fmt::format("listen on {}", where), errno);
}

sockaddr_un UnixAddress(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.empty() || path.size() >= sizeof(address.sun_path)) {
    throw Error(Code::kConfig, fmt::format("listen on {}: the path must have 1 to {} bytes", path,
                                           sizeof(address.sun_path) - 1));
  }
  std::memcpy(address.sun_path, path.data(), path.size());
  return address;
}

Fd OpenSocket(int family, std::string_view where) {
  Fd fd(::socket(family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!fd) throw ListenError(where);
  return fd;
}

/// Removes a socket on which nobody listens. Another kind of file stays, and bind fails.
void RemoveStale(const UnixSocket& socket, const sockaddr_un& address) {
  const Fd probe = OpenSocket(AF_UNIX, socket.path);
  if (::connect(probe.get(), reinterpret_cast<const sockaddr*>(&address), sizeof(address)) == 0 ||
      errno == EAGAIN) {
    throw Error(Code::kInUse,
                fmt::format("listen on {}: another process listens there", socket.path));
  }
  struct stat status {};
  const bool refused = errno == ECONNREFUSED;
  if (refused && ::lstat(socket.path.c_str(), &status) == 0 && S_ISSOCK(status.st_mode)) {
    ::unlink(socket.path.c_str());
  }
}

gid_t GroupId(const std::string& name) {
  group entry{};
  group* found = nullptr;
  std::array<char, 16384> names;  // NOLINT(cppcoreguidelines-pro-type-member-init): filled
  if (::getgrnam_r(name.c_str(), &entry, names.data(), names.size(), &found) != 0 ||
      found == nullptr) {
    throw Error(Code::kConfig, fmt::format("unknown group: {}", name));
  }
  return found->gr_gid;
}

/// The variable's value, "" if it is not set.
std::string Variable(const char* name) {
  const char* value = ::getenv(name);  // NOLINT(concurrency-mt-unsafe): before there are threads
  return value == nullptr ? "" : value;
}

int NumberOf(std::string_view text) {
  int number = -1;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  return error == std::errc() && end == text.data() + text.size() ? number : -1;
}

int SocketOption(int fd, int option) {
  int value = -1;
  socklen_t size = sizeof(value);
  return ::getsockopt(fd, SOL_SOCKET, option, &value, &size) == 0 ? value : -1;
}

Fd TakeActivated(int number) {
  Fd fd(number);
  const int flags = ::fcntl(number, F_GETFL);
  if (flags < 0 || SocketOption(number, SO_ACCEPTCONN) != 1 ||
      SocketOption(number, SO_TYPE) != SOCK_STREAM) {
    throw Error(Code::kEnvironment,
                fmt::format("socket activation: descriptor {} is not a listening socket", number));
  }
  ::fcntl(number, F_SETFL, flags | O_NONBLOCK);
  ::fcntl(number, F_SETFD, FD_CLOEXEC);
  return fd;
}

}  // namespace

Fd ListenUnix(const UnixSocket& socket) {
  const sockaddr_un address = UnixAddress(socket.path);
  const bool has_group = !socket.group.empty();
  const gid_t gid = has_group ? GroupId(socket.group) : gid_t{0};
  RemoveStale(socket, address);
  Fd fd = OpenSocket(AF_UNIX, socket.path);
  // The file gets the descriptor's mode: closed to all others until it has its group.
  if (::fchmod(fd.get(), 0600) != 0 ||
      ::bind(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof(address)) != 0 ||
      (has_group && ::chown(socket.path.c_str(), static_cast<uid_t>(-1), gid) != 0) ||
      ::chmod(socket.path.c_str(), socket.mode) != 0 || ::listen(fd.get(), SOMAXCONN) != 0) {
    throw ListenError(socket.path);
  }
  return fd;
}

Fd ListenTcp(const std::string& address, uint16_t port) {
  sockaddr_in6 v6{};
  sockaddr_in v4{};
  v4.sin_family = AF_INET;
  v6.sin6_family = AF_INET6;
  v4.sin_port = v6.sin6_port = htons(port);
  const bool is_v4 = ::inet_pton(AF_INET, address.c_str(), &v4.sin_addr) == 1;
  if (!is_v4 && ::inet_pton(AF_INET6, address.c_str(), &v6.sin6_addr) != 1) {
    throw Error(Code::kConfig, fmt::format("listen on {}: not an IP address", address));
  }
  const auto* name =
      is_v4 ? reinterpret_cast<const sockaddr*>(&v4) : reinterpret_cast<const sockaddr*>(&v6);
  const std::string where = fmt::format(fmt::runtime(is_v4 ? "{}:{}" : "[{}]:{}"), address, port);
  Fd fd = OpenSocket(name->sa_family, where);
  const int yes = 1;
  ::setsockopt(fd.get(), SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes));
  if (!is_v4) ::setsockopt(fd.get(), IPPROTO_IPV6, IPV6_V6ONLY, &yes, sizeof(yes));
  if (::bind(fd.get(), name, is_v4 ? sizeof(v4) : sizeof(v6)) != 0 ||
      ::listen(fd.get(), SOMAXCONN) != 0) {
    throw ListenError(where);
  }
  return fd;
}

uint16_t PortOf(const Fd& socket) {
  sockaddr_in6 name{};  // the port of both families is at the same place
  socklen_t size = sizeof(name);
  if (::getsockname(socket.get(), reinterpret_cast<sockaddr*>(&name), &size) != 0) return 0;
  return ntohs(name.sin6_port);
}

std::string TcpText(const sockaddr_storage& name) {
  std::array<char, INET6_ADDRSTRLEN> text{};
  if (name.ss_family == AF_INET) {
    const auto* v4 = reinterpret_cast<const sockaddr_in*>(&name);
    ::inet_ntop(AF_INET, &v4->sin_addr, text.data(), text.size());
    return fmt::format("{}:{}", text.data(), ntohs(v4->sin_port));
  }
  if (name.ss_family == AF_INET6) {
    const auto* v6 = reinterpret_cast<const sockaddr_in6*>(&name);
    ::inet_ntop(AF_INET6, &v6->sin6_addr, text.data(), text.size());
    return fmt::format("[{}]:{}", text.data(), ntohs(v6->sin6_port));
  }
  return {};
}

std::string BoundTo(const Fd& socket) {
  sockaddr_storage name{};
  socklen_t size = sizeof(name);
  if (::getsockname(socket.get(), reinterpret_cast<sockaddr*>(&name), &size) != 0) return {};
  return TcpText(name);
}

std::vector<Activated> TakeActivatedSockets() {
  const bool ours = NumberOf(Variable("LISTEN_PID")) == ::getpid();
  const int count = ours ? NumberOf(Variable("LISTEN_FDS")) : 0;
  const std::string names = Variable("LISTEN_FDNAMES");
  for (const char* name : {"LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES"}) {
    ::unsetenv(name);  // NOLINT(concurrency-mt-unsafe): before there are threads
  }
  std::vector<Activated> sockets;
  std::string_view rest = names;
  for (int number = kFirstActivated; number < kFirstActivated + count; ++number) {
    const size_t end = std::min(rest.find(':'), rest.size());
    sockets.push_back({std::string(rest.substr(0, end)), TakeActivated(number)});
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  return sockets;
}

}  // namespace cnm::http
