// pool_book.cc: the durable record of one address space.
#include "cnm/pools/pool_book.h"

#include <utility>

#include <fmt/format.h>

#include "cnm/pools/lease_network.h"
#include "common/base/error.h"
#include "common/json/object.h"
#include "common/json/writer.h"

namespace cnm::pools {
namespace {

constexpr int64_t kSchema = 1;
// Each round one of the contenders succeeds, so only a store that lies gets here.
constexpr int kMaxRounds = 1000;

std::string KeyOf(std::string_view space) {
  return fmt::format("pools/{}", space);
}

}  // namespace

bool IsAddressSpace(std::string_view space) {
  return space == ipam::kLocalSpace || space == ipam::kGlobalSpace;
}

ipam::PoolId ParsePoolId(const std::string& pool_id) {
  ipam::PoolId id = ipam::PoolId::Parse(pool_id);
  if (!IsAddressSpace(id.space)) {
    throw Error(Code::kNotFound, fmt::format("pool {}: no such pool", pool_id));
  }
  return id;
}

std::string PoolBook::LeaseNetwork(std::string_view space, const net::Prefix& subnet) const {
  const auto state = states.find(subnet);
  if (state != states.end() && !state->second.network.empty()) return state->second.network;
  return LeaseNetworkOf(space, subnet);
}

uint32_t PoolBook::UsesOf(const net::Prefix& subnet) const {
  uint32_t uses = 0;
  for (const auto& [id, use] : table.pools()) {
    if (id.subnet == subnet) uses += use.uses;
  }
  return uses;
}

std::optional<std::string> PoolBook::FindRequest(const std::string& name) const {
  for (const auto& [subnet, state] : states) {
    const auto found = state.requests.find(name);
    if (found != state.requests.end()) return found->second;
  }
  return std::nullopt;
}

void PoolBook::ForgetSurplus(const ipam::PoolId& id) {
  const auto state = states.find(id.subnet);
  if (state == states.end()) return;
  const auto use = table.pools().find(id);
  size_t uses = use == table.pools().end() ? 0 : use->second.uses;
  const std::string text = id.ToString();
  std::erase_if(state->second.requests, [&](const auto& request) {
    if (request.second != text) return false;
    if (uses == 0) return true;
    --uses;
    return false;
  });
}

std::optional<net::Prefix> PoolBook::PoolOf(std::string_view network, net::Family family) const {
  for (const auto& [subnet, state] : states) {
    if (state.network == network && subnet.address.family() == family) return subnet;
  }
  return std::nullopt;
}

std::string EncodePoolBook(const PoolBook& book) {
  json::Writer w;
  w.BeginObject().Member("schema", kSchema).Key("table").Raw(book.table.Encode());
  w.Key("masters").BeginArray();
  for (const auto& [subnet, state] : book.states) {
    w.BeginObject().Member("subnet", subnet.ToString());
    w.MemberUnlessEmpty("network", state.network);
    if (state.gateway) w.Member("gateway", state.gateway->ToString());
    if (!state.requests.empty()) {
      w.Key("requests").BeginObject();
      for (const auto& [name, id] : state.requests) w.Member(name, id);
      w.EndObject();
    }
    w.EndObject();
  }
  return w.EndArray().EndObject().Take();
}

PoolBook DecodePoolBook(std::string_view json) {
  const json::Object o = json::Parse(json, "address space");
  int64_t schema = 0;
  o.Optional("schema", schema);
  if (schema > kSchema) {
    throw Error(Code::kTryAgain,
                fmt::format("address space: schema {} is newer than ours, {}", schema, kSchema));
  }
  PoolBook book;
  book.table = ipam::PoolTable::Decode(o.RequiredObject("table").Text());
  for (const auto& [id, use] : book.table.pools()) book.states[id.subnet];
  for (const json::Object& master : o.Objects("masters")) {
    std::string text;
    master.Required("subnet", text);
    const auto subnet = net::Prefix::Parse(text);
    if (!subnet || !book.states.contains(*subnet)) master.Fail("subnet", "is not in the table");
    PoolState& state = book.states[*subnet];
    master.Optional("network", state.network);
    text.clear();
    master.Optional("gateway", text);
    state.gateway = net::Address::Parse(text);
    if (const auto requests = master.OptionalObject("requests")) {
      for (const auto& [name, id] : requests->Members()) state.requests[name] = id.String();
    }
  }
  return book;
}

const PoolBooks::Cached& PoolBooks::Refresh(const std::string& space) {
  const auto stored = store_.Get(KeyOf(space));
  Cached& cached = cached_[space];
  if (!stored) {
    cached = {};
  } else if (cached.version != stored->version) {
    cached = {.version = stored->version, .book = DecodePoolBook(stored->json)};
  }
  return cached;
}

const PoolBook& PoolBooks::Read(const std::string& space) {
  return Refresh(space).book;
}

void PoolBooks::Change(const std::string& space, const std::function<void(PoolBook&)>& change) {
  const std::string key = KeyOf(space);
  for (int round = 0; round < kMaxRounds; ++round) {
    const Cached& before = Refresh(space);
    PoolBook book = before.book;
    change(book);
    if (book == before.book) return;
    if (const auto version = store_.Put(key, EncodePoolBook(book), before.version)) {
      cached_[space] = {.version = *version, .book = std::move(book)};
      return;
    }
  }
  throw Error(Code::kTryAgain, fmt::format("change {}: others change it all the time", key));
}

}  // namespace cnm::pools
