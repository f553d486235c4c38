// host_local.cc: an adapter: CNI in, leases of ipam/host_local out.
//
// https://www.cni.dev/plugins/current/ipam/host-local/
#include "plugins/ipam/host-local/host_local.h"

#include <dirent.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <memory>

#include <fmt/format.h>

#include "cnm/id.h"
#include "cnm/teardown.h"
#include "common/base/error.h"
#include "common/base/log.h"
#include "ipam/host_local/allocator.h"
#include "ipam/host_local/config.h"
#include "ipam/host_local/lease_directory.h"
#include "plugins/cni/args.h"
#include "plugins/cni/open_controller.h"
#include "plugins/cni/valid_attachments.h"

namespace cnm::host_local {
namespace {

LeaseDirectory OpenDirectory(const std::string& data_dir, const std::string& network) {
  return LeaseDirectory(
      {.data_dir = data_dir,
       .network = network,
       .hash = [network](const Owner& o) { return OwnerOf(network, o.container_id, o.ifname); },
       .boot_id = ""});
}

Owner OwnerOfCall(const cni::Call& call) {
  return {call.container_id, call.ifname};
}

Config DecodeCall(const cni::Call& call) {
  std::vector<std::string> requested;
  if (const auto ip = cni::Args::Parse(call.args, {"IP"}).Find("IP")) requested.emplace_back(*ip);
  Config config = DecodeConfig(*call.conf, requested);
  if (call.verb == cni::Verb::kAdd || call.verb == cni::Verb::kStatus) {
    for (const std::string& warning : config.warnings) Warn(warning);
  }
  return config;
}

/// What the core knows of a lease's holder: only an endpoint it recorded can be proven dead.
Life LifeOf(const Lease& lease, const cni::Call& call) {
  Controller controller = cni::OpenController(call, {});
  const std::optional<Endpoint> endpoint =
      controller.FindEndpoint({call.network, lease.owner.container_id, lease.owner.ifname});
  if (!endpoint) return Life::kUnknown;
  return controller.LivenessOf(*endpoint) == Liveness::kDead ? Life::kDead : Life::kAlive;
}

cni::Result Add(const cni::Call& call) {
  const Config config = DecodeCall(call);
  LeaseDirectory directory = OpenDirectory(config.data_dir, config.network);
  const AddResult added = host_local::Add(config, OwnerOfCall(call), directory,
                                          [&](const Lease& lease) { return LifeOf(lease, call); });
  cni::Result result;
  for (const Allocation& allocation : added.addresses) {
    result.ips.push_back({allocation.prefix, allocation.gateway, std::nullopt});
  }
  for (const Route& route : added.routes) {
    result.routes.push_back({route.destination, route.gateway, route.mtu, route.advmss,
                             route.priority, route.table, route.scope});
  }
  result.dns = {added.dns.nameservers, added.dns.domain, added.dns.search, added.dns.options};
  return result;
}

/// The networks that have leases in the default directory: for a DEL that does not say which one it
/// is about.
std::vector<std::string> NetworksIn(const std::string& data_dir) {
  std::vector<std::string> networks;
  const std::unique_ptr<DIR, decltype([](DIR* d) { ::closedir(d); })> dir(
      ::opendir(data_dir.c_str()));
  while (const dirent* entry = dir ? ::readdir(dir.get()) : nullptr) {
    if (entry->d_name[0] != '.') networks.emplace_back(entry->d_name);
  }
  return networks;
}

void Del(const cni::Call& call) {
  const std::string data_dir = call.conf ? DecodeDataDir(*call.conf) : kDefaultDataDir;
  std::vector<std::string> networks{call.network};
  if (call.network.empty()) networks = NetworksIn(data_dir);
  Teardown teardown;
  for (const std::string& network : networks) {
    teardown.TryUnwrapped([&] { OpenDirectory(data_dir, network).Release(OwnerOfCall(call)); });
  }
  teardown.ThrowIfFailed();
}

void Check(const cni::Call& call) {
  const Config config = DecodeCall(call);
  OpenDirectory(config.data_dir, config.network).CheckHeld(OwnerOfCall(call));
}

/// libcni keeps a result file for every attachment that a runtime believes in, also another
/// runtime's.
bool HasLibcniCache(const std::string& network, const Owner& owner) {
  const std::string name = fmt::format("{}-{}-{}", network, owner.container_id, owner.ifname);
  for (const char* directory : {"/var/lib/cni/results", "/var/lib/cni/cache/results"}) {
    if (::access(fmt::format("{}/{}", directory, name).c_str(), F_OK) == 0) return true;
  }
  return false;
}

/// A lease is garbage only if nobody speaks for it: not the list, not a record of the core, whose
/// own collection decides about its addresses, and no runtime's cache.
void Gc(const cni::Call& call) {
  const auto valid = cni::DecodeValidAttachments(*call.conf);
  if (!valid) return;  // no list: nothing can be said about leases without a record
  Controller controller = cni::OpenController(call, {});
  LeaseDirectory directory = OpenDirectory(DecodeDataDir(*call.conf), call.network);
  directory.Collect([&](const Lease& lease) {
    const cni::Attachment holder{lease.owner.container_id, lease.owner.ifname};
    if (std::binary_search(valid->begin(), valid->end(), holder)) return false;
    const EndpointKey key{call.network, holder.container_id, holder.ifname};
    return !controller.FindEndpoint(key) && !HasLibcniCache(call.network, lease.owner);
  });
}

/// The directory, or the nearest one above it that exists, must be one we can write in.
void CheckDataDir(std::string directory) {
  struct stat st {};
  while (::stat(directory.c_str(), &st) != 0 && errno == ENOENT && directory.size() > 1) {
    const size_t slash = directory.rfind('/');
    directory.resize(slash == std::string::npos || slash == 0 ? 1 : slash);
  }
  const int err = !S_ISDIR(st.st_mode)                     ? ENOTDIR
                  : ::access(directory.c_str(), W_OK) != 0 ? errno
                                                           : 0;
  if (err != 0) {
    throw SystemError(Code::kUnavailable, fmt::format("$.ipam.dataDir: {}", directory), err);
  }
}

void Status(const cni::Call& call) {
  const Config config = DecodeCall(call);
  CheckDataDir(config.data_dir + "/" + config.network);
  const std::vector<uint32_t> free =
      OpenDirectory(config.data_dir, config.network).CountFree(config.range_sets);
  for (size_t i = 0; i < free.size(); ++i) {
    if (free[i] > 0) continue;
    throw Error(
        Code::kUnavailable,
        fmt::format("no IP addresses available in range set: {}", config.range_sets[i].ToString()),
        fmt::format("run: cnmctl gc --network {} --dry-run", config.network));
  }
}

}  // namespace

constexpr cni::Plugin kPlugin{
    .name = "host-local", .add = Add, .del = Del, .check = Check, .gc = Gc, .status = Status};

}  // namespace cnm::host_local
