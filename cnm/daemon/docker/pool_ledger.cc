// pool_ledger.cc: which of our pools Docker holds.
#include "cnm/daemon/docker/pool_ledger.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "common/json/object.h"
#include "common/json/writer.h"
#include "ipam/pool.h"

namespace cnm::docker {
namespace {

using Counts = std::map<std::string, uint32_t>;
using Times = std::map<std::string, int64_t>;
using Names = std::map<std::string, std::string>;
using Texts = std::map<std::string, std::vector<std::string>>;

bool Has(const std::vector<std::string>& pools, const std::string& pool_id) {
  return std::find(pools.begin(), pools.end(), pool_id) != pools.end();
}

/// The id of the pool in use that this is; one with a sub-pool that is no network's yet, if several
/// are.
std::optional<std::string> IdOf(const engine::PoolData& pool, int64_t now,
                                const PoolLedger& ledger) {
  std::optional<std::string> found;
  for (const auto& [id, granted] : ledger.granted) {
    if (granted + PoolLedger::kCreationTime < now) continue;
    const ipam::PoolId parsed = ipam::PoolId::Parse(id);
    if (parsed.space != pool.address_space || parsed.subnet != pool.pool.Subnet()) continue;
    const bool taken =
        std::any_of(ledger.networks.begin(), ledger.networks.end(),
                    [&key = id](const auto& network) { return Has(network.second, key); });
    if (!found || !taken) found = id;
    if (!taken) break;
  }
  return found;
}

template <class Map>
void EncodeMap(std::string_view name, const Map& map, json::Writer& writer) {
  writer.Key(name).BeginObject();
  for (const auto& [id, value] : map) writer.Member(id, value);
  writer.EndObject();
}

template <class Map>
Map DecodeMap(const json::Object& document, std::string_view name) {
  Map map;
  const auto object = document.OptionalObject(name);
  if (!object) return map;
  for (const std::string& id : object->Keys()) object->Optional(id, map[id]);
  return map;
}

void EncodeTexts(std::string_view name, const std::vector<std::string>& texts,
                 json::Writer& writer) {
  writer.Key(name).BeginArray();
  for (const std::string& text : texts) writer.String(text);
  writer.EndArray();
}

}  // namespace

bool PoolLedger::Close(const std::string& pool_id, bool gateway) {
  auto last = open.end();
  uint32_t count = 0;
  for (auto grant = open.begin(); grant != open.end(); ++grant) {
    if (grant->second.pool != pool_id) continue;
    ++count;
    if (last == open.end() || grant->second.since >= last->second.since) last = grant;
  }
  const auto used = uses.find(pool_id);
  const bool all_open = used != uses.end() && used->second == count;
  if (last == open.end() || !(gateway || all_open)) return false;
  open.erase(last);
  return true;
}

void PoolLedger::Gain(const std::string& pool_id, int64_t now, const std::string& request) {
  ++uses[pool_id];
  granted[pool_id] = now;
  if (!request.empty()) names[pool_id].push_back(request);
}

std::string PoolLedger::TakeName(const std::string& pool_id, const std::string& wanted) {
  const auto known = names.find(pool_id);
  if (known == names.end()) return {};
  std::vector<std::string>& of_pool = known->second;
  const auto found =
      wanted.empty() ? of_pool.begin() : std::find(of_pool.begin(), of_pool.end(), wanted);
  if (found == of_pool.end()) return {};
  std::string name = std::move(*found);
  of_pool.erase(found);
  if (of_pool.empty()) names.erase(known);
  return name;
}

bool PoolLedger::Lose(const std::string& pool_id) {
  Close(pool_id, false);
  const auto found = uses.find(pool_id);
  if (found == uses.end()) return false;
  const auto is_its = [&](const auto& network) { return Has(network.second, pool_id); };
  const auto gone = std::find_if(deleted.begin(), deleted.end(), [&](const auto& network) {
    return Has(network.second.pools, pool_id);
  });
  if (gone != deleted.end()) {
    std::erase(gone->second.pools, pool_id);
    if (gone->second.pools.empty()) deleted.erase(gone);
  } else if (std::any_of(networks.begin(), networks.end(), is_its)) {
    ++released[pool_id];
  }
  if (--found->second > 0) return true;
  uses.erase(found);
  names.erase(pool_id);
  granted.erase(pool_id);
  released.erase(pool_id);
  std::erase_if(open, [&](const auto& grant) { return grant.second.pool == pool_id; });
  for (auto& [id, network] : deleted) std::erase(network.pools, pool_id);
  std::erase_if(deleted, [](const auto& network) { return network.second.pools.empty(); });
  return true;
}

bool PoolLedger::AddNetwork(const engine::NetworkConfig& network, int64_t now) {
  if (networks.contains(network.id)) return false;
  std::vector<std::string> ids;
  for (const auto* pools : {&network.ipv4, &network.ipv6}) {
    for (const engine::PoolData& pool : *pools) {
      if (std::optional<std::string> id = IdOf(pool, now, *this)) ids.push_back(*std::move(id));
    }
  }
  if (!ids.empty()) networks[network.id] = std::move(ids);
  return true;
}

void PoolLedger::RemoveNetwork(const std::string& id, int64_t now) {
  const auto found = networks.find(id);
  if (found == networks.end()) return;
  for (const std::string& pool : found->second) {
    if (!uses.contains(pool)) continue;
    const auto before = released.find(pool);
    if (before == released.end()) {
      Deleted& entry = deleted[id];
      entry.pools.push_back(pool);
      entry.since = now;
    } else if (--before->second == 0) {
      released.erase(before);
    }
  }
  networks.erase(found);
}

std::map<std::string, uint32_t> PoolLedger::Unattached() const {
  Counts left = uses;
  const auto take = [&](const std::vector<std::string>& pools) {
    for (const std::string& pool : pools) {
      const auto found = left.find(pool);
      if (found != left.end() && --found->second == 0) left.erase(found);
    }
  };
  for (const auto& [id, pools] : networks) take(pools);
  for (const auto& [id, network] : deleted) take(network.pools);
  return left;
}

std::vector<std::string> PoolLedger::Ended() const {
  std::vector<std::string> ended;
  for (const auto& [id, pools] : networks) {
    const bool held = std::all_of(pools.begin(), pools.end(),
                                  [&](const auto& pool) { return uses.contains(pool); });
    if (!held) ended.push_back(id);
  }
  return ended;
}

std::string Encode(const PoolLedger& ledger) {
  json::Writer writer(json::Style::kIndented);
  writer.BeginObject().Member("schema", 1);
  EncodeMap("pools", ledger.uses, writer);
  EncodeMap("granted", ledger.granted, writer);
  EncodeMap("released", ledger.released, writer);
  EncodeMap("ending", ledger.releasing, writer);
  writer.Key("names").BeginObject();
  for (const auto& [id, names] : ledger.names) EncodeTexts(id, names, writer);
  writer.EndObject();
  writer.Key("open").BeginObject();
  for (const auto& [name, grant] : ledger.open) {
    writer.Key(name).BeginObject().Member("asked", grant.asked);
    writer.Member("pool", grant.pool).Member("since", grant.since).EndObject();
  }
  writer.EndObject().Key("networks").BeginObject();
  for (const auto& [id, pools] : ledger.networks) EncodeTexts(id, pools, writer);
  writer.EndObject().Key("deleted").BeginObject();
  for (const auto& [id, network] : ledger.deleted) {
    writer.Key(id).BeginObject().Member("since", network.since);
    EncodeTexts("pools", network.pools, writer);
    writer.EndObject();
  }
  return writer.EndObject().EndObject().Take();
}

PoolLedger DecodePoolLedger(std::string_view json) {
  const json::Object document = json::Parse(json, "docker/pools");
  PoolLedger ledger{.uses = DecodeMap<Counts>(document, "pools"),
                    .granted = DecodeMap<Times>(document, "granted"),
                    .networks = DecodeMap<Texts>(document, "networks"),
                    .released = DecodeMap<Counts>(document, "released"),
                    .names = DecodeMap<Texts>(document, "names"),
                    .releasing = DecodeMap<Names>(document, "ending")};
  if (const auto open = document.OptionalObject("open")) {
    for (const std::string& name : open->Keys()) {
      const json::Object entry = open->RequiredObject(name);
      PoolLedger::Grant& grant = ledger.open[name];
      entry.Required("asked", grant.asked);
      entry.Optional("pool", grant.pool);
      entry.Optional("since", grant.since);
    }
  }
  if (const auto deleted = document.OptionalObject("deleted")) {
    for (const std::string& id : deleted->Keys()) {
      const json::Object entry = deleted->RequiredObject(id);
      entry.Optional("pools", ledger.deleted[id].pools);
      entry.Optional("since", ledger.deleted[id].since);
    }
  }
  return ledger;
}

}  // namespace cnm::docker
