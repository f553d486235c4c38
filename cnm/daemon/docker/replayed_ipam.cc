// replayed_ipam.cc: an IPAM driver for Docker, whose replays are no new requests.
#include "cnm/daemon/docker/replayed_ipam.h"

#include <utility>

#include "common/base/error.h"
#include "common/json/object.h"
#include "common/json/writer.h"
#include "ipam/pool.h"

namespace cnm::docker {
namespace {

constexpr char kKey[] = "docker/pools";

}  // namespace

ReplayedIpam::ReplayedIpam(std::shared_ptr<engine::IpamDriver> driver,
                           const std::string& durable_directory, HeldByDocker held)
    : driver_(std::move(driver)),
      held_(std::move(held)),
      store_(durable_directory, Durability::kDurable) {}

ReplayedIpam::Counts ReplayedIpam::Read() {
  Counts counts;
  const auto document = store_.Get(kKey);
  if (!document) return counts;
  const json::Object pools = json::Parse(document->json, kKey).RequiredObject("pools");
  for (const std::string& id : pools.Keys()) pools.Optional(id, counts[id]);
  return counts;
}

void ReplayedIpam::Write(const Counts& counts) {
  json::Writer writer(json::Style::kIndented);
  writer.BeginObject().Member("schema", 1).Key("pools").BeginObject();
  for (const auto& [id, count] : counts) writer.Member(id, count);
  store_.Put(kKey, writer.EndObject().EndObject().Take(), kAnyVersion);
}

void ReplayedIpam::Activated() {
  const std::scoped_lock lock(mutex_);
  unclaimed_ = Read();
}

bool ReplayedIpam::Claim(const std::string& pool_id) {
  const auto found = unclaimed_.find(pool_id);
  if (found == unclaimed_.end() || found->second == 0) return false;
  --found->second;
  return true;
}

engine::Pool ReplayedIpam::RequestPool(const engine::PoolSpec& spec) {
  const std::scoped_lock lock(mutex_);
  if (spec.pool) {
    const std::string& space = spec.address_space.empty() ? LocalSpace() : spec.address_space;
    const auto id = ipam::PoolId::Make(space, *spec.pool, spec.sub_pool);
    if (Claim(id.ToString())) return {.id = id.ToString(), .pool = id.subnet};
  }
  engine::Pool pool = driver_->RequestPool(spec);
  Counts counts = Read();
  ++counts[pool.id];
  Write(counts);
  return pool;
}

void ReplayedIpam::ReleasePool(const std::string& pool_id) {
  const std::scoped_lock lock(mutex_);
  driver_->ReleasePool(pool_id);
  Counts counts = Read();
  const auto found = counts.find(pool_id);
  if (found == counts.end()) return;
  if (--found->second == 0) counts.erase(found);
  Write(counts);
  // One use less: it had been claimed, or will not be.
  const uint32_t left = counts.contains(pool_id) ? counts[pool_id] : 0;
  if (const auto open = unclaimed_.find(pool_id); open != unclaimed_.end() && open->second > left) {
    open->second = left;
  }
}

std::optional<net::Prefix> ReplayedIpam::RequestAddress(
    const std::string& pool_id, const std::optional<net::Address>& address,
    const std::map<std::string, std::string>& options) {
  try {
    return driver_->RequestAddress(pool_id, address, options);
  } catch (const Error& e) {
    if (e.code() != Code::kInUse || !address || !held_(*address)) throw;
    return net::Prefix{*address, ipam::PoolId::Parse(pool_id).subnet.length};
  }
}

void ReplayedIpam::ReleaseAddress(const std::string& pool_id, const net::Address& address) {
  driver_->ReleaseAddress(pool_id, address);
}

}  // namespace cnm::docker
