// replayed_ipam.cc: an IPAM driver for Docker, whose replays and repetitions are no new requests.
#include "cnm/daemon/docker/replayed_ipam.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "cnm/engine/identifier.h"
#include "cnm/engine/pool_request.h"
#include "common/base/clock.h"
#include "common/base/error.h"
#include "common/base/log.h"
#include "ipam/pool.h"

namespace cnm::docker {
namespace {

constexpr char kKey[] = "docker/pools";

std::string TextOf(const engine::PoolSpec& spec) {
  std::string text = fmt::format("{} {} {} {}", spec.address_space, spec.ipv6 ? 6 : 4,
                                 spec.pool ? spec.pool->ToString() : "any",
                                 spec.sub_pool ? spec.sub_pool->ToString() : "all");
  for (const auto& [key, value] : spec.options) text += fmt::format(" {}={}", key, value);
  return text;
}

}  // namespace

ReplayedIpam::ReplayedIpam(std::shared_ptr<engine::IpamDriver> driver, ReplayedIpamOptions options)
    : driver_(std::move(driver)),
      options_(std::move(options)),
      store_(options_.durable_directory, Durability::kDurable) {}

/// Nobody else writes it.
PoolLedger& ReplayedIpam::Ledger() {
  if (ledger_) return *ledger_;
  const auto document = store_.Get(kKey);
  ledger_ = document ? DecodePoolLedger(document->json) : PoolLedger();
  for (const auto& [request, grant] : ledger_->open) unanswered_.insert(request);
  Recover();
  return *ledger_;
}

void ReplayedIpam::Write() {
  store_.Put(kKey, Encode(*ledger_), kAnyVersion);
}

/// Ends the releases during which an earlier process was killed.
void ReplayedIpam::Recover() {
  if (ledger_->releasing.empty()) return;
  for (const auto& [request, pool] : ledger_->releasing) driver_->ReleaseRequest(pool, request);
  ledger_->releasing.clear();
  Write();
}

void ReplayedIpam::Activated() {
  const std::scoped_lock lock(mutex_);
  unclaimed_ = Ledger().uses;
}

bool ReplayedIpam::AddNetwork(const engine::NetworkConfig& network) {
  const std::scoped_lock lock(mutex_);
  if (!Ledger().networks.contains(network.id)) CountClaimed(network);
  const bool added = Ledger().AddNetwork(network, NowSeconds());
  if (Ledger().networks.contains(network.id) && added) Write();
  return added;
}

void ReplayedIpam::RemoveNetwork(const std::string& id) {
  const std::scoped_lock lock(mutex_);
  if (!Ledger().networks.contains(id)) return;
  Ledger().RemoveNetwork(id, NowSeconds());
  Write();
}

void ReplayedIpam::GiveUp(const std::string& id) {
  const std::scoped_lock lock(mutex_);
  Ledger().RemoveNetwork(id, NowSeconds());
  Write();
  const auto deleted = Ledger().deleted.find(id);
  if (deleted == Ledger().deleted.end()) return;
  const std::vector<std::string> pools = deleted->second.pools;
  for (const std::string& pool : pools) Release(pool);
}

std::map<std::string, uint32_t> ReplayedIpam::Unattached() {
  const std::scoped_lock lock(mutex_);
  return Ledger().Unattached();
}

bool ReplayedIpam::Has(const std::string& network_id) {
  const std::scoped_lock lock(mutex_);
  return Ledger().networks.contains(network_id);
}

std::vector<std::string> ReplayedIpam::Ended() {
  const std::scoped_lock lock(mutex_);
  return Ledger().Ended();
}

void ReplayedIpam::ReleaseForgotten(unsigned seconds) {
  const std::scoped_lock lock(mutex_);
  const int64_t latest = NowSeconds() - seconds;
  const PoolLedger seen = Ledger();
  for (const auto& [request, grant] : seen.open) {
    if (grant.since > latest) continue;
    Warn(fmt::format("docker did not receive its pool ({}): released", grant.asked));
    if (grant.pool.empty()) {
      Abandon(request);
    } else {
      Ledger().open.erase(request);  // written with the release
      Release(grant.pool, request);
    }
  }
  for (const auto& [id, network] : seen.deleted) {
    if (network.since > latest) continue;
    Warn(fmt::format("docker did not release the pools of network {}: released", id));
    for (const std::string& pool : network.pools) Release(pool);
  }
}

/// Gives up what the driver may have given to this request.
void ReplayedIpam::Abandon(const std::string& request) {
  const std::string& asked = Ledger().open.at(request).asked;
  try {
    const engine::Pool pool = driver_->RequestPool(
        {.address_space = asked.substr(0, asked.find(' ')),
         .options = {{engine::kRequestOption, request}, {engine::kFindOption, "true"}}});
    driver_->ReleaseRequest(pool.id, request);
  } catch (const Error& e) {
    if (e.code() != Code::kNotFound) throw;
  }
  Ledger().open.erase(request);
  Write();
}

bool ReplayedIpam::Claim(const std::string& pool_id) {
  const auto found = unclaimed_.find(pool_id);
  if (found == unclaimed_.end() || found->second == 0) return false;
  --found->second;
  if (Ledger().Close(pool_id, false)) Write();
  return true;
}

/// A name for the request: the one of the same that was not answered, or a new one.
std::string ReplayedIpam::NameRequest(const std::string& asked) {
  for (const std::string& request : unanswered_) {
    const auto grant = Ledger().open.find(request);
    if (grant == Ledger().open.end() || grant->second.asked != asked) continue;
    std::string found = request;
    unanswered_.erase(found);
    return found;
  }
  std::string made = engine::NewId();
  Ledger().open[made] = {.asked = asked, .pool = {}, .since = NowSeconds()};
  Write();  // before the request: a kill must not leave a use that nobody knows of
  return made;
}

engine::Pool ReplayedIpam::RequestPool(const engine::PoolSpec& spec) {
  const std::scoped_lock lock(mutex_);
  if (spec.pool) {
    const std::string& space = spec.address_space.empty() ? LocalSpace() : spec.address_space;
    const auto id = ipam::PoolId::Make(space, *spec.pool, spec.sub_pool);
    if (Claim(id.ToString())) {
      claimed_[id.ToString()] = {.asked = spec, .since = NowSeconds()};
      return {.id = id.ToString(), .pool = id.subnet};
    }
  }
  return Grant(spec);
}

/// One use more.
engine::Pool ReplayedIpam::Grant(const engine::PoolSpec& spec) {
  PoolLedger& ledger = Ledger();
  const std::string request = NameRequest(TextOf(spec));
  engine::PoolSpec named = spec;
  named.options[engine::kRequestOption] = request;
  engine::Pool pool;
  try {
    pool = driver_->RequestPool(named);
  } catch (const Error&) {
    ledger.open.erase(request);
    Write();
    throw;
  }
  claimed_.erase(pool.id);
  PoolLedger::Grant& grant = ledger.open.at(request);
  if (!grant.pool.empty()) return pool;  // it is counted
  grant.pool = pool.id;
  ledger.Gain(pool.id, NowSeconds(), request);
  Write();
  return pool;
}

/// Docker creates a network right after it requested its pools, and never creates one again that it
/// replays: what was taken for a replay of an older network's pool was a use more.
void ReplayedIpam::CountClaimed(const engine::NetworkConfig& network) {
  const int64_t latest = NowSeconds() - PoolLedger::kCreationTime;
  for (const auto* pools : {&network.ipv4, &network.ipv6}) {
    for (const engine::PoolData& pool : *pools) {
      const auto claim = std::ranges::find_if(claimed_, [&](const auto& claimed) {
        const ipam::PoolId id = ipam::PoolId::Parse(claimed.first);
        return id.space == pool.address_space && id.subnet == pool.pool.Subnet() &&
               claimed.second.since >= latest;
      });
      if (claim == claimed_.end()) continue;
      const auto [id, claimed] = *claim;
      Grant(claimed.asked);
      Ledger().Close(id, true);  // its gateway was requested before the network is created
      ++unclaimed_[id];
    }
  }
}

void ReplayedIpam::ReleasePool(const std::string& pool_id) {
  const std::scoped_lock lock(mutex_);
  Release(pool_id);
}

void ReplayedIpam::Release(const std::string& pool_id, const std::string& wanted) {
  PoolLedger& ledger = Ledger();
  const std::string request = ledger.TakeName(pool_id, wanted);
  if (!ledger.Lose(pool_id)) {
    throw Error(Code::kNotFound, fmt::format("pool {}: docker has none", pool_id));
  }
  if (!request.empty()) ledger.releasing[request] = pool_id;
  // One use less: it had been claimed, or will not be.
  const uint32_t left = ledger.uses.contains(pool_id) ? ledger.uses.at(pool_id) : 0;
  if (const auto open = unclaimed_.find(pool_id); open != unclaimed_.end()) {
    open->second = std::min(open->second, left);
  }
  Write();
  if (request.empty()) return driver_->ReleasePool(pool_id);  // counted before uses had names
  driver_->ReleaseRequest(pool_id, request);
  ledger.releasing.erase(request);
  Write();
}

std::optional<net::Prefix> ReplayedIpam::RequestAddress(
    const std::string& pool_id, const std::optional<net::Address>& address,
    const std::map<std::string, std::string>& options) {
  {
    const std::scoped_lock lock(mutex_);
    const auto type = options.find(engine::kRequestTypeLabel);
    const bool gateway = type != options.end() && type->second == engine::kGatewayLabel;
    if (Ledger().Close(pool_id, gateway)) Write();
  }
  try {
    return driver_->RequestAddress(pool_id, address, options);
  } catch (const Error& e) {
    if (e.code() != Code::kInUse || !address || !options_.held(*address)) throw;
    return net::Prefix{*address, ipam::PoolId::Parse(pool_id).subnet.length};
  }
}

void ReplayedIpam::ReleaseAddress(const std::string& pool_id, const net::Address& address) {
  driver_->ReleaseAddress(pool_id, address);
}

}  // namespace cnm::docker
