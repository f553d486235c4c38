// sandbox_namespace.cc: the files on which network namespaces are mounted.
#include "cnm/engine/sandbox_namespace.h"

#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <exception>
#include <string_view>
#include <thread>
#include <utility>

#include <fmt/format.h>

#include "common/base/atomic_file.h"
#include "common/base/error.h"
#include "common/base/fd.h"
#include "common/base/rollback.h"
#include "common/netlink/socket.h"

namespace cnm::engine {
namespace {

constexpr int kLoopback = 1;  // its ifindex in every namespace

void SetLoopbackUp() {
  netlink::LinkChange up;
  up.up = true;
  netlink::Socket::Open().Execute(netlink::ChangeLink(kLoopback, up));
}

void Mount(const std::string& source, const std::string& path) {
  if (::mount(source.c_str(), path.c_str(), nullptr, MS_BIND, nullptr) != 0) {
    throw SystemError(Code::kNetns, fmt::format("mount network namespace {}", path), errno);
  }
}

/// The empty file to mount on. What a killed process left mounted there is unmounted.
void MakeMountPoint(const std::string& path) {
  MakeDirectories(path.substr(0, path.rfind('/')));
  RemoveNamespace(path);
  const Fd file(::open(path.c_str(), O_RDONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0444));
  if (!file) throw SystemError(Code::kNetns, fmt::format("create {}", path), errno);
}

/// One line of /proc/net/dev behind the name: 16 numbers, of which eight are told.
InterfaceStatistics ParseCounters(std::string_view text) {
  InterfaceStatistics s;
  uint64_t ignored = 0;
  uint64_t* const columns[] = {&s.rx_bytes, &s.rx_packets, &s.rx_errors, &s.rx_dropped,
                               &ignored,    &ignored,      &ignored,     &ignored,
                               &s.tx_bytes, &s.tx_packets, &s.tx_errors, &s.tx_dropped};
  for (uint64_t* column : columns) {
    text.remove_prefix(std::min(text.find_first_not_of(' '), text.size()));
    const auto end = std::from_chars(text.data(), text.data() + text.size(), *column).ptr;
    text.remove_prefix(static_cast<size_t>(end - text.data()));
  }
  return s;
}

}  // namespace

netns::Identity MakeNamespace(const std::string& path) {
  MakeMountPoint(path);
  Rollback undo;
  undo.Push("create network namespace", [&] { RemoveNamespace(path); });
  netns::Identity identity;
  std::exception_ptr failure;
  std::thread maker([&] {  // it ends in the new namespace, which lives on by its mount
    try {
      if (::unshare(CLONE_NEWNET) != 0) {
        throw SystemError(Code::kNetns, fmt::format("create network namespace {}", path), errno);
      }
      Mount("/proc/thread-self/ns/net", path);
      identity = netns::CurrentIdentity();
      SetLoopbackUp();
    } catch (...) {
      failure = std::current_exception();
    }
  });
  maker.join();
  if (failure) std::rethrow_exception(failure);
  undo.Commit();
  return identity;
}

netns::Identity BindNamespace(const std::string& path, const netns::NetNs& source) {
  MakeMountPoint(path);
  Rollback undo;
  undo.Push("bind network namespace", [&] { RemoveNamespace(path); });
  Mount(fmt::format("/proc/self/fd/{}", source.fd()), path);
  source.Run(SetLoopbackUp);
  undo.Commit();
  return source.identity();
}

bool RemoveNamespace(const std::string& path) {
  if (::access(path.c_str(), F_OK) != 0) return false;
  if (::umount2(path.c_str(), MNT_DETACH) != 0 && errno != EINVAL) {  // EINVAL: not mounted
    throw SystemError(Code::kNetns, fmt::format("unmount {}", path), errno);
  }
  return RemoveFile(path);
}

std::optional<netns::NetNs> FindNamespace(const std::string& path,
                                          const netns::Identity& identity) {
  auto found = netns::NetNs::TryOpen(path);
  if (found && found->identity() != identity) found.reset();
  return found;
}

std::map<std::string, InterfaceStatistics> ParseStatistics(const std::string& text) {
  std::map<std::string, InterfaceStatistics> statistics;
  std::string_view rest = text;
  while (!rest.empty()) {
    std::string_view line = rest.substr(0, rest.find('\n'));
    rest.remove_prefix(std::min(line.size() + 1, rest.size()));
    const size_t colon = line.find(':');
    if (colon == std::string_view::npos) continue;  // the two heading lines
    std::string_view name = line.substr(0, colon);
    name.remove_prefix(std::min(name.find_first_not_of(' '), name.size()));
    statistics[std::string(name)] = ParseCounters(line.substr(colon + 1));
  }
  return statistics;
}

std::map<std::string, InterfaceStatistics> ReadStatistics(const netns::NetNs& sandbox,
                                                          const std::vector<std::string>& links) {
  std::map<std::string, InterfaceStatistics> all;
  sandbox.Run([&] {
    const Fd file(::open("/proc/thread-self/net/dev", O_RDONLY | O_CLOEXEC));
    if (!file) throw SystemError(Code::kIo, "read /proc/net/dev", errno);
    all = ParseStatistics(ReadAll(file.get(), size_t{1} << 20, "/proc/net/dev"));
  });
  std::map<std::string, InterfaceStatistics> wanted;
  for (const std::string& link : links) {
    const auto found = all.find(link);
    if (found != all.end()) wanted.insert(*found);
  }
  return wanted;
}

}  // namespace cnm::engine
