// doors.cc: the sockets on which cnmd listens.
#include "cnm/daemon/doors.h"

#include <grp.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <filesystem>
#include <optional>
#include <string_view>
#include <utility>

#include <fmt/format.h>

#include "common/base/atomic_file.h"
#include "common/base/error.h"
#include "common/http/listen.h"
#include "common/net/address.h"

namespace cnm::daemon {
namespace {

std::optional<gid_t> FindGroup(const std::string& name) {
  group entry{};
  group* found = nullptr;
  std::array<char, 16384> buffer{};
  if (name.empty() ||
      ::getgrnam_r(name.c_str(), &entry, buffer.data(), buffer.size(), &found) != 0 ||
      found == nullptr) {
    return std::nullopt;
  }
  return entry.gr_gid;
}

/// The state directory is closed to everybody but root; the group may pass to the socket in it, and
/// sees nothing else.
void LetGroupThrough(const std::string& directory, gid_t group) {
  if (::chown(directory.c_str(), static_cast<uid_t>(-1), group) == 0) {
    ::chmod(directory.c_str(), 0710);  // a failure leaves it closed: root can still use the socket
  }
}

void ListenForApi(const Config& config, Doors& doors) {
  const std::string directory = std::filesystem::path(config.socket).parent_path();
  const bool state = directory == config.runtime_directory;
  MakeDirectories(directory, state ? 0700 : 0755);
  const std::optional<gid_t> group = FindGroup(config.group);
  if (group && state) LetGroupThrough(directory, *group);
  if (!doors.api.empty()) return;  // systemd listens there already
  doors.api.push_back(http::ListenUnix({.path = config.socket,
                                        .mode = group ? 0660U : 0600U,
                                        .group = group ? config.group : std::string()}));
  doors.files.push_back(config.socket);
}

void ListenForDocker(const Config& config, Doors& doors) {
  MakeDirectories(std::filesystem::path(config.docker_socket).parent_path());
  doors.docker.push_back(http::ListenUnix({.path = config.docker_socket, .mode = 0600}));
  doors.files.push_back(config.docker_socket);
}

void RefuseForeign(std::string_view text) {
  if (net::Address::Parse(ParseTcpEndpoint(text).address)->IsLoopback()) return;
  throw Error(Code::kConfig,
              fmt::format("listen on {}: not a loopback address, and tlsverify is off", text),
              "whoever can connect configures this host's network; use 127.0.0.1 or [::1], or set "
              "tlsverify, tlscacert, tlscert and tlskey");
}

void TakeActivated(http::Activated activated, Doors& doors) {
  const std::string address = http::BoundTo(activated.fd);
  const bool docker = activated.name == "docker";
  if (docker && !address.empty()) {
    throw Error(Code::kConfig, fmt::format("listen on {}: Docker's socket is a unix socket, never "
                                           "TCP",
                                           address));
  }
  if (!address.empty() && !doors.tls) RefuseForeign(address);
  auto& door = docker ? doors.docker : address.empty() ? doors.api : doors.tcp;
  door.push_back(std::move(activated.fd));
}

}  // namespace

http::TlsContext CheckDoors(const Config& config) {
  if (config.tls_verify) return http::MakeServerTls(config.tls_files);
  if (config.tls_files != Config().tls_files) {
    throw Error(Code::kConfig, "tlscacert, tlscert or tlskey is set, and tlsverify is off",
                "set tlsverify: clients without a certificate are never served");
  }
  for (const std::string& text : config.tcp) RefuseForeign(text);
  return nullptr;
}

Doors OpenDoors(const Config& config) {
  Doors doors{.tls = CheckDoors(config)};
  for (http::Activated& activated : http::TakeActivatedSockets()) {
    TakeActivated(std::move(activated), doors);
  }
  if (!config.socket.empty()) ListenForApi(config, doors);
  if (doors.docker.empty() && config.docker) ListenForDocker(config, doors);
  doors.tcp_ports.reserve(config.tcp.size());
  for (const std::string& text : config.tcp) {
    const TcpEndpoint endpoint = ParseTcpEndpoint(text);
    doors.tcp.push_back(http::ListenTcp(endpoint.address, endpoint.port));
    doors.tcp_ports.push_back(http::PortOf(doors.tcp.back()));
  }
  return doors;
}

bool IsForgedByAPage(const http::Request& request) {
  if (request.peer.address.empty()) return false;
  if (http::FindHeader(request.headers, "Origin")) return true;
  if (request.peer.tls) return false;
  std::string_view host = http::FindHeader(request.headers, "Host").value_or("");
  if (host.starts_with('[')) {
    host = host.substr(1, host.find(']') - 1);
  } else {
    host = host.substr(0, host.rfind(':'));
  }
  return !host.empty() && host != "localhost" && !net::Address::Parse(host);
}

}  // namespace cnm::daemon
