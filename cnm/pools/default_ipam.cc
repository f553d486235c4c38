// default_ipam.cc: the IPAM driver "default".
#include "cnm/pools/default_ipam.h"

#include <algorithm>
#include <string_view>
#include <utility>

#include <fmt/format.h>

#include "cnm/engine/pool_request.h"
#include "cnm/lease_source.h"
#include "cnm/pools/lease_network.h"
#include "common/base/error.h"
#include "ipam/host_local/range.h"
#include "ipam/pool.h"
#include "ipam/pool_bits.h"

namespace cnm::pools {
namespace {

using host_local::LeaseDirectory;
using host_local::RangeSet;

std::string Option(const std::map<std::string, std::string>& options, const std::string& key) {
  const auto found = options.find(key);
  return found == options.end() ? std::string() : found->second;
}

std::string SpaceOf(const engine::PoolSpec& spec) {
  if (spec.address_space.empty()) return ipam::kLocalSpace;
  if (!IsAddressSpace(spec.address_space)) {
    throw Error(Code::kConfig, fmt::format("invalid address space {}", spec.address_space),
                fmt::format("want {} or {}", ipam::kLocalSpace, ipam::kGlobalSpace));
  }
  return spec.address_space;
}

/// A bridge with an address of 0.0.0.0/0 would be the host's default route, one of 127.0.0.0/8 in
/// the way of its loopback.
void CheckHosts(const net::Prefix& pool) {
  for (const char* const text :
       {"0.0.0.0/8", "127.0.0.0/8", "224.0.0.0/4", "::1/128", "ff00::/8"}) {
    if (!pool.Overlaps(*net::Prefix::Parse(text))) continue;
    throw Error(Code::kConfig,
                fmt::format("pool {} overlaps {}, whose addresses no container can have",
                            pool.ToString(), text));
  }
}

void CheckSpec(const engine::PoolSpec& spec) {
  if (spec.sub_pool && !spec.pool) {
    throw Error(Code::kConfig,
                fmt::format("sub-pool {} without a pool", spec.sub_pool->ToString()));
  }
  if (spec.pool && spec.pool->address.is_v4() == spec.ipv6) {
    throw Error(Code::kConfig,
                fmt::format("pool {} is not IPv{}", spec.pool->ToString(), spec.ipv6 ? 6 : 4));
  }
  if (spec.pool) CheckHosts(*spec.pool);
}

/// Refuses a pool that another network's is in the way of, or that another network has.
void CheckOwner(const ipam::PoolId& id, const std::string& network, const PoolBook& book) {
  const auto in_the_way = book.table.FindOverlap(id.subnet);
  if (!in_the_way) return;
  const std::string& holder = book.states.at(in_the_way->subnet).network;
  if (in_the_way->subnet == id.subnet && holder == network) return;
  if (holder.empty()) {
    throw Error(Code::kOverlap, fmt::format("pool {} overlaps with {} in this address space",
                                            id.ToString(), in_the_way->ToString()));
  }
  throw Error(
      Code::kOverlap,
      fmt::format("pool {} overlaps with {} of network {}: option {}={} shares that pool",
                  id.ToString(), in_the_way->subnet.ToString(), holder, kNetworkOption, holder));
}

/// The addresses of `part` that may be given out: not the subnet's own, nor its IPv4 broadcast.
RangeSet MakeSet(const net::Prefix& subnet, const net::Prefix& part, const net::Address& gateway) {
  host_local::Range range;
  range.subnet = subnet;
  range.first = part.address == subnet.address ? part.address.Next() : part.address;
  range.last = part.Last();
  if (range.last.is_v4() && range.last == subnet.Last()) {
    range.last = subnet.address.Plus(range.last.DistanceFrom(subnet.address) - 1);
  }
  range.gateway = gateway;
  return {.ranges = {std::move(range)}, .excluded = {}};
}

}  // namespace

struct DefaultIpam::View {
  ipam::PoolId id;
  PoolState state;
  std::string lease_network;
  uint32_t uses = 0;

  /// Never given to those who want any: the gateway; of a network that CNI may share also when
  /// nobody has requested one, because there it is the first address by convention.
  net::Address Gateway() const {
    if (state.gateway) return *state.gateway;
    return state.network.empty() ? id.subnet.address : id.subnet.address.Next();
  }
};

DefaultIpam::DefaultIpam(DefaultIpamOptions options)
    : options_(std::move(options)), store_(options_.durable_directory, Durability::kDurable) {}

std::string DefaultIpam::LocalSpace() {
  return ipam::kLocalSpace;
}

std::string DefaultIpam::GlobalSpace() {
  return ipam::kGlobalSpace;
}

engine::Pool DefaultIpam::RequestPool(const engine::PoolSpec& spec) {
  const std::string space = SpaceOf(spec);
  const std::string network = Option(spec.options, kNetworkOption);
  const std::string request = Option(spec.options, engine::kRequestOption);
  if (Option(spec.options, engine::kFindOption) == "true") return FindPool(space, request);
  CheckSpec(spec);
  if (!network.empty()) OpenLeases(options_.leases_directory, network);  // throws for a bad name
  ipam::PoolId id;
  const std::scoped_lock lock(mutex_);
  books_.Change(space, [&](PoolBook& book) {
    const auto given = request.empty() ? std::nullopt : book.FindRequest(request);
    if (given) {
      id = ParsePoolId(*given);
      return;
    }
    id = Choose(spec, space, network, book);
    book.table.Add(id, true);
    PoolState& state = book.states[id.subnet];
    state.network = network;
    if (!request.empty()) state.requests[request] = id.ToString();
  });
  return {.id = id.ToString(), .pool = id.subnet};
}

engine::Pool DefaultIpam::FindPool(const std::string& space, const std::string& request) {
  const std::scoped_lock lock(mutex_);
  const auto given = books_.Read(space).FindRequest(request);
  if (!given) throw Error(Code::kNotFound, fmt::format("request {} was given no pool", request));
  return {.id = *given, .pool = ParsePoolId(*given).subnet};
}

ipam::PoolId DefaultIpam::Choose(const engine::PoolSpec& spec, const std::string& space,
                                 const std::string& network, PoolBook& book) {
  const net::Family family = spec.ipv6 ? net::Family::kIpv6 : net::Family::kIpv4;
  std::optional<net::Prefix> subnet = spec.pool;
  if (!subnet && !network.empty()) subnet = book.PoolOf(network, family);
  if (!subnet) subnet = ChoosePredefined(space, spec.ipv6, book);
  ipam::PoolId id = ipam::PoolId::Make(space, *subnet, spec.sub_pool);
  const ipam::PoolBits check(id.subnet);  // throws when the pool is too small
  CheckOwner(id, network, book);
  return id;
}

net::Prefix DefaultIpam::ChoosePredefined(const std::string& space, bool ipv6,
                                          const PoolBook& book) {
  const net::Family family = ipv6 ? net::Family::kIpv6 : net::Family::kIpv4;
  const uint32_t count = ipam::PredefinedCount(space, family);
  const std::vector<net::Prefix> used =
      count > 0 ? options_.subnets_in_use() : std::vector<net::Prefix>();
  uint32_t& next = next_predefined_[space];
  for (uint32_t i = 0; i < count; ++i) {
    const uint32_t index = (next + i) % count;
    const net::Prefix candidate = ipam::PredefinedAt(space, index);
    const auto overlaps = [&](const net::Prefix& subnet) { return subnet.Overlaps(candidate); };
    if (book.table.FindOverlap(candidate) || std::ranges::any_of(used, overlaps)) continue;
    next = index + 1;
    return candidate;
  }
  throw Error(Code::kNotFound,
              fmt::format("could not find an available, non-overlapping IPv{} address pool among "
                          "the defaults to assign to the network",
                          ipv6 ? 6 : 4));
}

DefaultIpam::View DefaultIpam::Look(const std::string& pool_id) {
  View view{.id = ParsePoolId(pool_id)};
  const std::scoped_lock lock(mutex_);
  const PoolBook& book = books_.Read(view.id.space);
  book.table.GenerationOf(view.id);  // throws when it is not there
  view.state = book.states.at(view.id.subnet);
  view.lease_network = book.LeaseNetwork(view.id.space, view.id.subnet);
  view.uses = book.UsesOf(view.id.subnet);
  return view;
}

std::optional<net::Prefix> DefaultIpam::RequestAddress(
    const std::string& pool_id, const std::optional<net::Address>& address,
    const std::map<std::string, std::string>& options) {
  const View view = Look(pool_id);
  if (Option(options, engine::kRequestTypeLabel) == engine::kGatewayLabel) {
    return RequestGateway(view, address);
  }
  if (address == view.Gateway() && address != view.id.subnet.address) {
    throw Error(Code::kInUse, fmt::format("requested address {} is in use on pool {}: it is the "
                                          "gateway",
                                          address->ToString(), view.id.ToString()));
  }
  return Reserve(view, kPoolPurpose, address);
}

net::Prefix DefaultIpam::Reserve(const View& view, const std::string& purpose,
                                 const std::optional<net::Address>& address) {
  const net::Prefix& subnet = view.id.subnet;
  const net::Prefix part = address ? subnet : view.id.sub_pool.value_or(subnet);
  const RangeSet set = MakeSet(subnet, part, view.Gateway());
  if (address && set.Find(*address) == nullptr) {
    throw Error(Code::kConfig, fmt::format("requested address {} is out of range of {}",
                                           address->ToString(), view.id.ToString()));
  }
  LeaseDirectory leases = OpenLeases(options_.leases_directory, view.lease_network);
  const uint32_t cursor = subnet.address.is_v4() ? 0 : 1;
  try {
    return leases.Reserve(purpose, {.set = &set, .requested = address, .cursor = cursor}).prefix;
  } catch (const Error& error) {
    if (error.code() == Code::kExhausted) {
      throw Error(Code::kExhausted,
                  fmt::format("no available addresses on pool {}", view.id.ToString()),
                  error.details());
    }
    if (error.code() != Code::kInUse || !address) throw;
    throw Error(Code::kInUse,
                fmt::format("requested address {} is in use on pool {}: {}", address->ToString(),
                            view.id.ToString(), error.details()));
  }
}

net::Prefix DefaultIpam::RequestGateway(const View& view,
                                        const std::optional<net::Address>& address) {
  net::Prefix gateway{{}, view.id.subnet.length};
  if (address || view.state.gateway) {
    gateway = Reserve(view, kGatewayPurpose, address ? address : view.state.gateway);
  } else {
    try {
      gateway = Reserve(view, kGatewayPurpose, view.id.subnet.address.Next());
    } catch (const Error& error) {
      if (error.code() != Code::kInUse) throw;
      gateway = Reserve(view, kGatewayPurpose, std::nullopt);
    }
  }
  const std::scoped_lock lock(mutex_);
  books_.Change(view.id.space, [&](PoolBook& book) {
    const auto state = book.states.find(view.id.subnet);
    if (state != book.states.end()) state->second.gateway = gateway.address;
  });
  return gateway;
}

void DefaultIpam::ReleaseAddress(const std::string& pool_id, const net::Address& address) {
  const View view = Look(pool_id);
  LeaseDirectory leases = OpenLeases(options_.leases_directory, view.lease_network);
  leases.ReleaseAddress(address, PoolOwner(address));
  if (view.uses > 1 || !leases.ReleaseAddress(address, GatewayOwner(address))) return;
  const std::scoped_lock lock(mutex_);
  books_.Change(view.id.space, [&](PoolBook& book) {
    const auto state = book.states.find(view.id.subnet);
    if (state != book.states.end() && state->second.gateway == address) {
      state->second.gateway.reset();
    }
  });
}

}  // namespace cnm::pools
