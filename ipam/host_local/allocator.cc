// allocator.cc: what a whole host-local ADD does.
#include "ipam/host_local/allocator.h"

#include <algorithm>
#include <optional>
#include <string>

#include <fmt/format.h>

#include "common/base/error.h"

namespace cnm::host_local {
namespace {

/// Gives each set the first requested address that lies in it; every one must be used.
std::vector<Want> PlanWants(const Config& config) {
  std::vector<Want> wants;
  std::vector<net::Address> unused = config.requested;
  for (const RangeSet& set : config.range_sets) {
    Want& want = wants.emplace_back();
    want.set = &set;
    const auto found = std::ranges::find_if(
        unused, [&](const net::Address& address) { return set.Find(address) != nullptr; });
    if (found == unused.end()) continue;
    want.requested = *found;
    unused.erase(found);
  }
  if (unused.empty()) return wants;
  std::string list;
  for (const net::Address& address : unused) list += " " + address.ToString();
  throw Error(Code::kConfig, fmt::format("failed to allocate all requested IPs:{}", list),
              "each range set gives one address, and these lie in none that is left");
}

}  // namespace

AddResult Add(const Config& config, const Owner& owner, LeaseDirectory& directory,
              const std::function<Life(const Lease&)>& life) {
  AddResult result;
  if (!config.resolv_conf.empty()) result.dns = ReadResolvConf(config.resolv_conf);
  result.routes = config.routes;
  result.addresses = directory.Allocate(owner, PlanWants(config), life);
  return result;
}

}  // namespace cnm::host_local
