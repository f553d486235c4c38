// gateway.cc: the gateway addresses on a bridge, which several networks may share.
#include <linux/rtnetlink.h>

#include <algorithm>
#include <cerrno>

#include <fmt/format.h>

#include "cnm/drivers/bridge/links.h"
#include "common/base/error.h"
#include "common/base/log.h"
#include "common/json/object.h"
#include "common/json/writer.h"

namespace cnm::bridge {
namespace {

/// One address that a network put on a link.
struct Claim {
  std::string address;  ///< "10.1.0.1/24"
  std::string network;
};

std::string RecordKey(const std::string& link) {
  return fmt::format("bridges/{}", link);
}

std::vector<Claim> DecodeClaims(const std::string& text) {
  std::vector<Claim> claims;
  for (const json::Object& o : json::Parse(text, "bridge record").Objects("addresses")) {
    Claim claim;
    o.Required("address", claim.address);
    o.Required("network", claim.network);
    claims.push_back(std::move(claim));
  }
  return claims;
}

std::string EncodeClaims(const std::string& link, const std::vector<Claim>& claims) {
  json::Writer w;
  w.BeginObject().Member("schema", 1).Member("bridge", link);
  w.Key("addresses").BeginArray();
  for (const Claim& claim : claims) {
    w.BeginObject().Member("address", claim.address).Member("network", claim.network).EndObject();
  }
  return w.EndArray().EndObject().Take();
}

/// An unreadable record is put aside: then every address but the wanted ones is foreign.
std::vector<Claim> ReadClaims(const std::string& link, Store& store,
                              std::optional<StoredDocument>* document = nullptr) {
  std::optional<StoredDocument> found = store.Get(RecordKey(link));
  std::vector<Claim> claims;
  try {
    if (found) claims = DecodeClaims(found->json);
  } catch (const Error& e) {
    Warn(e.message());
    store.Quarantine(RecordKey(link));
    found.reset();
  }
  if (document != nullptr) *document = std::move(found);
  return claims;
}

void AddClaim(const std::string& link, const Claim& claim, Store& store) {
  for (;;) {  // ends: each lost race means that somebody else's claim was recorded
    std::optional<StoredDocument> document;
    std::vector<Claim> claims = ReadClaims(link, store, &document);
    std::erase_if(claims, [&](const Claim& c) { return c.address == claim.address; });
    claims.push_back(claim);
    const uint64_t version = document ? document->version : kAbsent;
    if (store.Put(RecordKey(link), EncodeClaims(link, claims), version)) return;
  }
}

/// Forgets what the network put on the link. @returns that
std::vector<Claim> TakeClaims(const std::string& link, const std::string& network, Store& store) {
  for (;;) {  // ends: as in AddClaim
    std::optional<StoredDocument> document;
    std::vector<Claim> kept = ReadClaims(link, store, &document);
    std::vector<Claim> taken = kept;
    std::erase_if(taken, [&](const Claim& c) { return c.network != network; });
    std::erase_if(kept, [&](const Claim& c) { return c.network == network; });
    if (taken.empty()) return taken;
    const bool done =
        kept.empty()
            ? store.Delete(RecordKey(link), document->version)
            : store.Put(RecordKey(link), EncodeClaims(link, kept), document->version).has_value();
    if (done) return taken;
  }
}

/// The link, what is wanted on it, and how to get there.
struct Place {
  const netlink::Link& link;
  const GatewayPlan& plan;
  netlink::Socket& socket;
  Store& store;
};

/// Why `present`, which is none of the wanted addresses, cannot stay beside them; nullopt if it
/// can.
std::optional<std::string> ConflictOf(const net::Prefix& present, const Place& place) {
  for (const net::Prefix& wanted : place.plan.gateways) {
    if (!wanted.Overlaps(present)) continue;
    return fmt::format("{} overlaps {}", present.ToString(), wanted.ToString());
  }
  if (!present.address.is_v4()) return std::nullopt;
  const std::string text = present.ToString();
  for (const Claim& claim : ReadClaims(place.link.name, place.store)) {
    if (claim.address == text) return std::nullopt;
  }
  return fmt::format("it has {}, which no recorded network put there", text);
}

/// Throws for the first address that cannot stay beside the wanted ones, or removes it if the plan
/// says so.
void ResolveConflict(const net::Prefix& present, const Place& place) {
  const std::vector<net::Prefix>& gateways = place.plan.gateways;
  if (std::find(gateways.begin(), gateways.end(), present) != gateways.end()) return;
  const auto wanted = std::find_if(gateways.begin(), gateways.end(), [&](const auto& g) {
    return g.address.family() == present.address.family();
  });
  if (wanted == gateways.end()) return;  // a family this network does not route
  const std::optional<std::string> conflict = ConflictOf(present, place);
  if (!conflict) return;
  if (!place.plan.force) {
    throw Error(
        Code::kConfig,
        fmt::format("\"{}\" already has an IP address different from {}", place.link.name,
                    wanted->ToString()),
        fmt::format("{}; set forceAddress to replace it, or use another bridge", *conflict));
  }
  place.socket.Execute(netlink::RemoveAddress(place.link.ifindex, present));
}

}  // namespace

void EnsureGatewayAddresses(const netlink::Link& link, const GatewayPlan& plan,
                            netlink::Socket& socket, Store& store) {
  const Place place{link, plan, socket, store};
  const std::vector<netlink::LinkAddress> present = socket.Addresses(link.ifindex);
  for (const netlink::LinkAddress& address : present) {
    // Link-local addresses are nobody's gateway.
    if (address.scope == RT_SCOPE_UNIVERSE) ResolveConflict(address.prefix, place);
  }
  for (const net::Prefix& gateway : plan.gateways) {
    const bool there = std::any_of(present.begin(), present.end(),
                                   [&](const auto& a) { return a.prefix == gateway; });
    if (there) continue;
    AddClaim(link.name, {gateway.ToString(), plan.network}, store);
    // EEXIST: a parallel ADD of the same network was faster.
    socket.Execute(netlink::AddAddress(link.ifindex, gateway, true).Tolerate(EEXIST));
  }
}

std::vector<GatewayClaim> ListGatewayClaims(Store& store) {
  std::vector<GatewayClaim> all;
  for (const StoredDocument& document : store.List("bridges")) {
    const std::string link = document.key.substr(document.key.find('/') + 1);
    try {
      for (const Claim& claim : DecodeClaims(document.json)) {
        const auto address = net::Prefix::Parse(claim.address);
        if (address) all.push_back({link, *address, claim.network});
      }
    } catch (const Error& e) {
      Warn(fmt::format("{}: {}", document.key, e.message()));
    }
  }
  return all;
}

void RemoveGatewayAddresses(const std::string& link, int ifindex, const std::string& network,
                            netlink::Socket& socket, Store& store) {
  for (const Claim& claim : TakeClaims(link, network, store)) {
    const std::optional<net::Prefix> address = net::Prefix::Parse(claim.address);
    if (!address || ifindex == 0) continue;
    // EADDRNOTAVAIL: somebody else took it away.
    socket.Execute(netlink::RemoveAddress(ifindex, *address).Tolerate(EADDRNOTAVAIL));
  }
}

}  // namespace cnm::bridge
