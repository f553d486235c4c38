// allocator.cc: pools and addresses on request, over a store shared with other processes.
//
// Keys: "ipam/pools/<space>" holds the table of pools; "ipam/bits/<pool id>/<generation>" what is
// taken of one master. A pool that is made again gets a new generation, so that bits which a crash
// left behind, or a late request of the old pool, cannot disturb it.
#include "ipam/allocator.h"

#include <utility>

#include <fmt/format.h>

#include "common/base/error.h"

namespace cnm::ipam {
namespace {

// Each round one of the contenders succeeds, so only a store that lies gets here.
constexpr int kMaxRounds = 1000;

std::string TableKey(std::string_view space) {
  return fmt::format("ipam/pools/{}", space);
}

std::string BitsKey(const PoolId& id, uint64_t generation) {
  return fmt::format("ipam/bits/{}/{}", id.Master().ToString(), generation);
}

/// What addresses may be picked from.
const net::Prefix& RangeOf(const PoolId& id) {
  return id.sub_pool ? *id.sub_pool : id.subnet;
}

[[noreturn]] void FailBusy(const std::string& key) {
  throw Error(Code::kTryAgain, fmt::format("change {}: others change it all the time", key));
}

}  // namespace

PoolId Allocator::RequestPool(const PoolRequest& request) {
  if (request.space.empty() || request.space.find('/') != std::string::npos) {
    throw Error(Code::kConfig, fmt::format("invalid address space \"{}\"", request.space));
  }
  if (request.sub_pool && !request.subnet) {
    throw Error(Code::kConfig,
                fmt::format("sub-pool {} without a pool", request.sub_pool->ToString()));
  }
  PoolId id;
  if (request.subnet) {
    id = PoolId::Make(request.space, *request.subnet, request.sub_pool);
    const PoolBits check(id.subnet);  // throws when the pool is too small
  }
  ChangePools(request.space, [&](PoolTable& table) {
    if (request.subnet) {
      table.Add(id, request.share);
    } else {
      id = TakePredefined(table, request);
    }
  });
  return id;
}

void Allocator::ReleasePool(const PoolId& id) {
  std::optional<uint64_t> gone;
  ChangePools(id.space, [&](PoolTable& table) { gone = table.Remove(id); });
  if (!gone) return;
  const std::string key = BitsKey(id, *gone);
  const auto bits = store_.Get(key);
  if (bits) store_.Delete(key, bits->version);  // lost to a late request: nobody reads it again
}

net::Prefix Allocator::RequestAddress(const PoolId& id, const AddressRequest& request) {
  const net::Prefix& range = RangeOf(id);
  net::Prefix taken{{}, id.subnet.length};
  ChangeBits(id, [&](PoolBits& bits) {
    if (!request.address) {
      const auto any = bits.TakeAny(range, request.serial);
      if (!any) {
        throw Error(Code::kExhausted,
                    fmt::format("no available addresses on pool {}", id.ToString()));
      }
      taken.address = *any;
    } else {
      taken.address = *request.address;
      if (bits.Take(range, taken.address)) return;
      throw Error(Code::kInUse, fmt::format("requested address {} is in use on pool {}",
                                            taken.address.ToString(), id.ToString()));
    }
  });
  return taken;
}

void Allocator::ReleaseAddress(const PoolId& id, const net::Address& address) {
  ChangeBits(id, [&](PoolBits& bits) { bits.Give(RangeOf(id), address); });
}

PoolTable Allocator::Pools(std::string_view space) {
  const auto stored = store_.Get(TableKey(space));
  return stored ? PoolTable::Decode(stored->value) : PoolTable();
}

PoolId Allocator::TakePredefined(PoolTable& table, const PoolRequest& request) {
  const uint32_t count = PredefinedCount(request.space, request.family);
  uint32_t& next = next_predefined_[request.space];
  for (uint32_t i = 0; i < count; ++i) {
    const uint32_t index = (next + i) % count;
    PoolId id{request.space, PredefinedAt(request.space, index), std::nullopt};
    if (table.FindOverlap(id.subnet)) continue;
    table.Add(id, false);
    next = index + 1;
    return id;
  }
  throw Error(Code::kNotFound,
              fmt::format("could not find an available, non-overlapping {} address pool among the "
                          "defaults to assign to the network",
                          request.family == net::Family::kIpv4 ? "IPv4" : "IPv6"));
}

void Allocator::ChangePools(const std::string& space,
                            const std::function<void(PoolTable&)>& change) {
  const std::string key = TableKey(space);
  for (int round = 0; round < kMaxRounds; ++round) {
    const auto stored = store_.Get(key);
    PoolTable table = stored ? PoolTable::Decode(stored->value) : PoolTable();
    change(table);
    if (store_.Put(key, table.Encode(), stored ? stored->version : 0)) return;
  }
  FailBusy(key);
}

void Allocator::ChangeBits(const PoolId& id, const std::function<void(PoolBits&)>& change) {
  const std::string key = BitsKey(id, Pools(id.space).GenerationOf(id));
  for (int round = 0; round < kMaxRounds; ++round) {
    const auto stored = store_.Get(key);
    PoolBits bits = stored ? PoolBits::Decode(id.subnet, stored->value) : PoolBits(id.subnet);
    change(bits);
    if (store_.Put(key, bits.Encode(), stored ? stored->version : 0)) return;
  }
  FailBusy(key);
}

}  // namespace cnm::ipam
