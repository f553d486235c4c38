// liveness.cc: whether an endpoint's container is provably gone.
#include "cnm/liveness.h"

#include <sys/stat.h>

#include <cerrno>
#include <chrono>
#include <thread>

#include <fmt/format.h>

namespace cnm {
namespace {

bool HostLinkGone(const Endpoint& endpoint, HostKernel& host) {
  const HostLink& recorded = *endpoint.host_link;
  const std::optional<netlink::Link> link = host.links().FindLink(recorded.name);
  return !link || link->ifindex != recorded.ifindex || link->alias != endpoint.owner;
}

}  // namespace

bool SandboxExists(const Sandbox& sandbox) {
  struct stat st {};
  const std::string path = fmt::format("/proc/1/root{}", sandbox.path);
  if (::stat(path.c_str(), &st) != 0) return errno != ENOENT;
  return netns::Identity{st.st_dev, st.st_ino} == sandbox.identity;
}

Liveness LivenessOf(const Endpoint& endpoint, const HostIdentity& here, HostKernel& host) {
  if (endpoint.host.boot_id != here.boot_id) return Liveness::kDead;
  if (endpoint.host.netns != here.netns) return Liveness::kAlive;
  if (endpoint.host_link) return HostLinkGone(endpoint, host) ? Liveness::kDead : Liveness::kAlive;
  if (SandboxExists(endpoint.sandbox)) return Liveness::kAlive;
  // A runtime may be re-mounting the path at this very moment; a second look is part of the proof.
  std::this_thread::sleep_for(std::chrono::seconds(1));
  return SandboxExists(endpoint.sandbox) ? Liveness::kAlive : Liveness::kDead;
}

}  // namespace cnm
