// pool.cc: pools of addresses, by value.
#include "ipam/pool.h"

#include <iterator>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "common/base/error.h"
#include "common/json/object.h"
#include "common/json/writer.h"

namespace cnm::ipam {
namespace {

std::vector<std::string_view> Split(std::string_view text, char separator) {
  std::vector<std::string_view> parts;
  for (size_t end = text.find(separator); end != std::string_view::npos;
       end = text.find(separator)) {
    parts.push_back(text.substr(0, end));
    text.remove_prefix(end + 1);
  }
  parts.push_back(text);
  return parts;
}

std::optional<net::Prefix> ParseSubnet(std::string_view address, std::string_view length) {
  const auto prefix = net::Prefix::Parse(fmt::format("{}/{}", address, length));
  if (!prefix || prefix->Subnet() != *prefix) return std::nullopt;
  return prefix;
}

[[noreturn]] void FailUnknown(const PoolId& id) {
  throw Error(Code::kNotFound, fmt::format("pool {}: no such pool", id.ToString()));
}

}  // namespace

PoolId PoolId::Make(std::string space, const net::Prefix& subnet,
                    const std::optional<net::Prefix>& sub_pool) {
  PoolId id{std::move(space), subnet.Subnet(), std::nullopt};
  if (!sub_pool) return id;
  id.sub_pool = sub_pool->Subnet();
  if (!id.subnet.Contains(id.sub_pool->address) || id.sub_pool->length < id.subnet.length) {
    throw Error(Code::kConfig, fmt::format("sub-pool {} is not in pool {}", id.sub_pool->ToString(),
                                           id.subnet.ToString()));
  }
  return id;
}

std::string PoolId::ToString() const {
  std::string text = fmt::format("{}/{}", space, subnet.ToString());
  if (sub_pool) text += "/" + sub_pool->ToString();
  return text;
}

PoolId PoolId::Parse(std::string_view text) {
  const std::vector<std::string_view> parts = Split(text, '/');
  PoolId id;
  bool valid = (parts.size() == 3 || parts.size() == 5) && !parts[0].empty();
  if (valid) {
    id.space = parts[0];
    const auto subnet = ParseSubnet(parts[1], parts[2]);
    valid = subnet.has_value();
    id.subnet = subnet.value_or(net::Prefix{});
  }
  if (valid && parts.size() == 5) {
    id.sub_pool = ParseSubnet(parts[3], parts[4]);
    valid = id.sub_pool && id.sub_pool->length >= id.subnet.length &&
            id.subnet.Contains(id.sub_pool->address);
  }
  // Only one spelling names a pool: it is a key.
  if (!valid || id.ToString() != text) {
    throw Error(Code::kConfig, fmt::format("invalid pool id {}", text));
  }
  return id;
}

void PoolTable::Add(const PoolId& id, bool share) {
  const auto known = pools_.find(id);
  if (known != pools_.end() && share) {
    ++known->second.uses;
    return;
  }
  const PoolId master = id.Master();
  std::optional<PoolId> in_the_way;
  if (known != pools_.end()) {
    in_the_way = id;
  } else if (!pools_.contains(master)) {
    in_the_way = FindOverlap(id.subnet);
  }
  if (in_the_way) {
    throw Error(Code::kOverlap, fmt::format("pool {} overlaps with {} in this address space",
                                            id.ToString(), in_the_way->ToString()));
  }
  if (!pools_.contains(master)) pools_[master].generation = ++last_generation_;
  ++pools_[id].uses;
}

std::optional<uint64_t> PoolTable::Remove(const PoolId& id) {
  const auto found = pools_.find(id);
  if (found == pools_.end() || found->second.uses == 0) FailUnknown(id);
  --found->second.uses;
  if (found->second.uses == 0 && id.sub_pool) pools_.erase(found);
  const auto master = pools_.find(id.Master());
  if (master->second.uses > 0 || HasSubPools(id.Master())) return std::nullopt;
  const uint64_t generation = master->second.generation;
  pools_.erase(master);
  return generation;
}

uint64_t PoolTable::GenerationOf(const PoolId& id) const {
  const auto found = pools_.find(id);
  if (found == pools_.end()) FailUnknown(id);
  return pools_.at(id.Master()).generation;
}

std::optional<PoolId> PoolTable::FindOverlap(const net::Prefix& subnet) const {
  // Masters are disjoint and sorted, so only the neighbours can be in the way.
  const std::string space = pools_.empty() ? "" : pools_.begin()->first.space;
  const auto next = pools_.lower_bound({space, subnet, std::nullopt});
  if (next != pools_.end() && next->first.subnet.Overlaps(subnet)) return next->first.Master();
  if (next == pools_.begin()) return std::nullopt;
  const PoolId& previous = std::prev(next)->first;
  return previous.subnet.Overlaps(subnet) ? std::optional(previous.Master()) : std::nullopt;
}

bool PoolTable::HasSubPools(const PoolId& master) const {
  const auto next = pools_.upper_bound(master);
  return next != pools_.end() && next->first.Master() == master;
}

std::string PoolTable::Encode() const {
  json::Writer w;
  w.BeginObject().Member("generation", last_generation_).Key("pools").BeginArray();
  for (const auto& [id, use] : pools_) {
    w.BeginObject().Member("id", id.ToString()).Member("uses", use.uses);
    if (use.generation != 0) w.Member("generation", use.generation);
    w.EndObject();
  }
  w.EndArray().EndObject();
  return w.Take();
}

PoolTable PoolTable::Decode(std::string_view text) {
  const json::Object o = json::Parse(text, "address pools");
  PoolTable table;
  o.Optional("generation", table.last_generation_);
  for (const json::Object& pool : o.Objects("pools")) {
    std::string id;
    pool.Required("id", id);
    PoolUse& use = table.pools_[PoolId::Parse(id)];
    pool.Optional("uses", use.uses);
    pool.Optional("generation", use.generation);
  }
  for (const auto& [id, use] : table.pools_) {
    if (!table.pools_.contains(id.Master())) {
      throw Error(Code::kDecode, fmt::format("address pools: {} has no master", id.ToString()));
    }
  }
  return table;
}

uint32_t PredefinedCount(std::string_view space, net::Family family) {
  if (family != net::Family::kIpv4) return 0;
  if (space == kLocalSpace) return 31;
  return space == kGlobalSpace ? 65536 : 0;
}

net::Prefix PredefinedAt(std::string_view space, uint32_t index) {
  if (index >= PredefinedCount(space, net::Family::kIpv4)) {
    throw Error(Code::kInternal, "no such predefined pool");
  }
  const auto at = [&](const char* base, unsigned step_bits, uint32_t n) {
    return net::Prefix{net::Address::Parse(base)->Plus(uint64_t{n} << step_bits),
                       static_cast<uint8_t>(32 - step_bits)};
  };
  if (space == kGlobalSpace) return at("10.0.0.0", 8, index);
  return index < 15 ? at("172.17.0.0", 16, index) : at("192.168.0.0", 12, index - 15);
}

}  // namespace cnm::ipam
