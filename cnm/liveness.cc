// liveness.cc: whether an endpoint's container is provably gone.
#include "cnm/liveness.h"

#include <sys/stat.h>

#include <cerrno>
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

void MissingSandboxes::Look(const Sandbox& sandbox) {
  if (!SandboxExists(sandbox)) since_.emplace(sandbox.path, Clock::now());
}

bool MissingSandboxes::IsGone(const Sandbox& sandbox) {
  Look(sandbox);
  const auto since = since_.find(sandbox.path);
  if (since == since_.end()) return false;
  std::this_thread::sleep_until(since->second + std::chrono::seconds(1));
  return !SandboxExists(sandbox);
}

Liveness LivenessOf(const Endpoint& endpoint, const HostIdentity& here, HostKernel& host,
                    MissingSandboxes& missing) {
  if (endpoint.host.boot_id != here.boot_id) return Liveness::kDead;
  if (endpoint.host.netns != here.netns) return Liveness::kAlive;
  if (endpoint.state == EndpointState::kCreated) return Liveness::kAlive;
  const bool gone =
      endpoint.host_link ? HostLinkGone(endpoint, host) : missing.IsGone(endpoint.sandbox);
  return gone ? Liveness::kDead : Liveness::kAlive;
}

}  // namespace cnm
