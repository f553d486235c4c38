// set_key.cc: how a container runtime's hook brings a sandbox its namespace.
#include "cnm/engine/set_key.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <cstring>
#include <string_view>

#include <fmt/format.h>

#include "common/base/atomic_file.h"
#include "common/base/error.h"
#include "common/base/log.h"
#include "common/json/object.h"
#include "common/json/writer.h"

namespace cnm::engine {
namespace {

constexpr char kSuccess[] = "success";
constexpr size_t kMessageBytes = 4096;
constexpr int kAcceptPauseMs = 100;
constexpr std::string_view kRootFlag = "-exec-root=";

sockaddr_un AddressOf(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof address.sun_path) {
    throw Error(Code::kIo, fmt::format("socket path {} is too long", path));
  }
  std::memcpy(address.sun_path, path.c_str(), path.size() + 1);
  return address;
}

Fd OpenSocket() {
  Fd fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (!fd) throw SystemError(Code::kIo, "open a unix socket", errno);
  return fd;
}

Fd Listen(const std::string& path) {
  const sockaddr_un address = AddressOf(path);
  Fd fd = OpenSocket();
  MakeDirectories(path.substr(0, path.rfind('/')), 0700);
  RemoveFile(path);
  // No umask, which is the process's: nobody else enters the directory before the mode is set.
  if (::bind(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0 ||
      ::chmod(path.c_str(), 0600) != 0 || ::listen(fd.get(), 16) != 0) {
    throw SystemError(Code::kIo, fmt::format("listen on {}", path), errno);
  }
  return fd;
}

/// One message: read once, because neither side closes its end before the answer.
std::string Receive(int socket) {
  std::string text(kMessageBytes, '\0');
  const ssize_t n = ::recv(socket, text.data(), text.size(), 0);
  if (n < 0) throw SystemError(Code::kIo, "read the set-key socket", errno);
  text.resize(static_cast<size_t>(n));
  return text;
}

void Send(int socket, std::string_view text) {
  if (::send(socket, text.data(), text.size(), MSG_NOSIGNAL) < 0) {
    throw SystemError(Code::kIo, "write the set-key socket", errno);
  }
}

void SetKeyOf(Engine& engine, const std::string& request) {
  const json::Object message = json::Parse(request, "set-key request");
  std::string container;
  std::string key;
  message.Required("ContainerID", container);
  message.Optional("Key", key);
  for (const SandboxInfo& sandbox : engine.Sandboxes()) {
    if (sandbox.container_id == container) {
      engine.SetKey(sandbox.id, key);
      return;
    }
  }
  throw Error(Code::kConfig, fmt::format("no sandbox present for {}", container));
}

std::string NetnsPathOf(const std::string& state) {
  const json::Object paths =
      json::Parse(state, "container state").RequiredObject("namespace_paths");
  std::string path;
  paths.Required("NEWNET", path);
  return path;
}

}  // namespace

std::string SetKeyPath(const std::string& runtime_directory, const std::string& controller_id) {
  return fmt::format("{}/{}.sock", runtime_directory, controller_id);
}

SetKeyListener::SetKeyListener(Engine& engine)
    : engine_(engine),
      path_(SetKeyPath(engine.options().runtime_directory, engine.id())),
      listener_(Listen(path_)),
      stop_(::eventfd(0, EFD_CLOEXEC)) {
  if (!stop_) throw SystemError(Code::kIo, "make an eventfd", errno);
  thread_ = std::thread([this] { Serve(); });
}

SetKeyListener::~SetKeyListener() {
  const uint64_t one = 1;
  if (::write(stop_.get(), &one, sizeof one) != sizeof one) Warn("cannot stop the set-key socket");
  thread_.join();
  ::unlink(path_.c_str());
}

void SetKeyListener::Serve() {
  for (;;) {
    pollfd waits[] = {{listener_.get(), POLLIN, 0}, {stop_.get(), POLLIN, 0}};
    if (::poll(waits, 2, -1) < 0 && errno != EINTR) return;
    if (waits[1].revents != 0) return;
    if (waits[0].revents == 0) continue;
    const Fd client(::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC));
    if (client) {
      Answer(client.get());
    } else if (errno != EINTR && errno != ECONNABORTED) {
      // No descriptor is free: the client stays in the queue, so poll would return at once.
      ::poll(&waits[1], 1, kAcceptPauseMs);
    }
  }
}

void SetKeyListener::Answer(int client) {
  const timeval patience{.tv_sec = 5, .tv_usec = 0};
  ::setsockopt(client, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  ::setsockopt(client, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
  try {
    try {
      SetKeyOf(engine_, Receive(client));
      Send(client, kSuccess);
    } catch (const Error& error) {
      Send(client, error.message());
    }
  } catch (const std::exception& error) {
    Warn(error.what());  // the client is gone: nobody to tell
  }
}

void RunSetKey(const std::vector<std::string>& arguments, const std::string& state) {
  std::string directory = "/run/cnm";
  size_t next = 0;
  if (!arguments.empty() && arguments[0].starts_with(kRootFlag)) {
    directory = arguments[0].substr(kRootFlag.size());
    next = 1;
  }
  if (arguments.size() != next + 2) {
    throw Error(Code::kEnvironment,
                fmt::format("usage: {} [{}DIRECTORY] CONTAINER-ID CONTROLLER-ID", kSetKeyProgram,
                            kRootFlag));
  }
  json::Writer request;
  request.BeginObject();
  request.Member("ContainerID", arguments[next]).Member("Key", NetnsPathOf(state));
  const std::string path = SetKeyPath(directory, arguments[next + 1]);
  const sockaddr_un address = AddressOf(path);
  const Fd socket = OpenSocket();
  if (::connect(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    throw SystemError(Code::kUnavailable, fmt::format("connect to {}", path), errno);
  }
  Send(socket.get(), request.EndObject().Take());
  const std::string answer = Receive(socket.get());
  if (answer != kSuccess) {
    throw Error(Code::kUnavailable,
                fmt::format("failed to set the key of container {}: {}", arguments[next], answer));
  }
}

}  // namespace cnm::engine
