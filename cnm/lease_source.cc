// lease_source.cc: addresses that a caller has chosen, leased in host-local's directory.
#include "cnm/lease_source.h"

#include <algorithm>
#include <array>
#include <utility>

#include <fmt/format.h>

#include "cnm/id.h"
#include "common/base/error.h"
#include "common/json/object.h"
#include "common/json/writer.h"

namespace cnm {
namespace {

using host_local::LeaseDirectory;

/// A set that holds nothing but what is wanted: who asks has chosen already.
host_local::RangeSet SetOf(const net::Prefix& prefix) {
  host_local::Range range;
  range.subnet = prefix.Subnet();
  range.first = prefix.address;
  range.last = prefix.address;
  range.gateway = range.subnet.address;
  return {.ranges = {std::move(range)}, .excluded = {}};
}

/// The network configuration that host-local's DEL would read.
std::string ConfigOf(const std::string& data_dir, const std::string& network) {
  json::Writer w;
  w.BeginObject().Member("cniVersion", "1.0.0").Member("name", network);
  w.Member("type", "bridge").Key("ipam").BeginObject().Member("type", "host-local");
  w.Member("dataDir", data_dir).EndObject().EndObject();
  return w.Take();
}

std::string HolderOf(const net::Address& address, const LeaseDirectory& leases) {
  const std::optional<host_local::Lease> lease = leases.Find(address);
  if (!lease) return "";
  if (lease->owner.container_id.empty()) return "its lease file does not say for whom";
  return fmt::format("held by container {} {}", lease->owner.container_id, lease->owner.ifname);
}

}  // namespace

LeaseDirectory OpenLeases(const std::string& data_dir, const std::string& network) {
  return LeaseDirectory({.data_dir = data_dir,
                         .network = network,
                         .hash =
                             [network](const host_local::Owner& o) {
                               return OwnerOf(network, o.container_id, o.ifname);
                             },
                         .boot_id = ""});
}

host_local::Owner PoolOwner(const net::Address& address) {
  return {host_local::kReservedId, fmt::format("pool:{}", address.ToString())};
}

LeaseSource::LeaseSource(LeaseSpec spec) : spec_(std::move(spec)) {
  for (const LeasedGrant& wanted : spec_.grants) {
    const bool known =
        std::find(networks_.begin(), networks_.end(), wanted.network) != networks_.end();
    if (!known) networks_.push_back(wanted.network);
  }
}

void LeaseSource::Take(const LeasedGrant& wanted) {
  LeaseDirectory leases = OpenLeases(spec_.data_dir, wanted.network);
  const net::Address& address = wanted.grant.prefix.address;
  if (leases.Transfer(address, PoolOwner(address), owner())) {
    pooled_.push_back(address);
    return;
  }
  const host_local::RangeSet set = SetOf(wanted.grant.prefix);
  const uint32_t cursor = address.is_v4() ? 0 : 1;  // as pools number them
  const std::array<host_local::Want, 1> wants{
      {{.set = &set, .requested = address, .cursor = cursor}}};
  try {
    leases.Allocate(owner(), wants);
  } catch (const Error& e) {
    if (e.code() != Code::kInUse) throw;
    throw Error(
        Code::kInUse,
        fmt::format("address {} of network {} is taken", address.ToString(), wanted.network),
        HolderOf(address, leases));
  }
}

Addressing LeaseSource::Request() {
  Addressing addressing;
  addressing.addresses.reserve(spec_.grants.size());
  try {
    for (const LeasedGrant& wanted : spec_.grants) {
      Take(wanted);
      addressing.addresses.push_back(wanted.grant);
    }
  } catch (const Error&) {
    Release();
    throw;
  }
  return addressing;
}

void LeaseSource::Release() {
  for (const std::string& network : networks_) {
    LeaseDirectory leases = OpenLeases(spec_.data_dir, network);
    for (const net::Address& address : pooled_) {
      leases.Transfer(address, owner(), PoolOwner(address));
    }
    leases.Release(owner());
  }
}

void LeaseSource::Free() {
  for (const std::string& network : networks_) OpenLeases(spec_.data_dir, network).Release(owner());
}

void LeaseSource::Check() {
  for (const std::string& network : networks_) {
    OpenLeases(spec_.data_dir, network).CheckHeld(owner());
  }
}

std::string LeaseSource::Journal() const {
  json::Writer w;
  w.BeginObject().Member("type", "host-local");
  w.Member("config", ConfigOf(spec_.data_dir, networks_.empty() ? "" : networks_.front()));
  w.Member("args", "").Member("path", "").Member("netns", "").Member("ifname", "");
  w.Member("containerId", spec_.endpoint_id).Member("dataDir", spec_.data_dir);
  w.Key("networks").BeginArray();
  for (const std::string& network : networks_) w.String(network);
  w.EndArray().Key("pooled").BeginArray();
  for (const net::Address& address : pooled_) w.String(address.ToString());
  return w.EndArray().EndObject().Take();
}

bool LeaseSource::Wrote(std::string_view journal) {
  return json::Parse(journal, "address source").Has("pooled");
}

LeaseSource LeaseSource::FromJournal(std::string_view journal) {
  const json::Object o = json::Parse(journal, "address source");
  LeaseSpec spec;
  o.Required("dataDir", spec.data_dir);
  o.Required("containerId", spec.endpoint_id);
  LeaseSource source(std::move(spec));
  o.Optional("networks", source.networks_);
  std::vector<std::string> pooled;
  o.Optional("pooled", pooled);
  source.pooled_.reserve(pooled.size());
  for (const std::string& text : pooled) {
    if (const auto address = net::Address::Parse(text)) source.pooled_.push_back(*address);
  }
  return source;
}

}  // namespace cnm
