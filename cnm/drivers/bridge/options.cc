// options.cc: what a bridge network can be asked to be.
#include "cnm/drivers/bridge/options.h"

#include <algorithm>

#include <fmt/format.h>

#include "common/base/error.h"
#include "common/json/writer.h"
#include "common/net/link_name.h"

namespace cnm::bridge {
namespace {

constexpr uint32_t kMaxVlan = 4094;

Error TrunkError(const json::Object& entry, std::string_view message) {
  return Error(Code::kConfig, std::string(message), entry.path());
}

/// One entry of vlanTrunk: {"id": 5} or {"minID": 5, "maxID": 9}, or both.
void DecodeTrunkEntry(const json::Object& entry, std::vector<uint16_t>& vlans) {
  int64_t low = 0;
  int64_t high = 0;
  int64_t id = 0;
  const bool has_low = entry.Optional("minID", low);
  const bool has_high = entry.Optional("maxID", high);
  if (has_low && (low <= 0 || low > kMaxVlan)) {
    throw TrunkError(entry, "incorrect trunk minID parameter");
  }
  if (has_high && (high <= 0 || high > kMaxVlan)) {
    throw TrunkError(entry, "incorrect trunk maxID parameter");
  }
  if (has_low != has_high) {
    throw TrunkError(entry, fmt::format("minID and maxID should be configured simultaneously, {} "
                                        "is missing",
                                        has_low ? "maxID" : "minID"));
  }
  if (low > high) throw TrunkError(entry, "minID is greater than maxID in trunk parameter");
  for (int64_t vlan = low; has_low && vlan <= high; ++vlan) {
    vlans.push_back(static_cast<uint16_t>(vlan));
  }
  if (entry.Optional("id", id)) {
    if (id <= 0 || id > kMaxVlan) throw TrunkError(entry, "incorrect trunk id parameter");
    vlans.push_back(static_cast<uint16_t>(id));
  }
}

void DecodeVlans(const json::Object& object, Options& options) {
  int64_t vlan = 0;
  if (object.Optional("vlan", vlan)) {
    if (vlan < 0 || vlan > kMaxVlan) {
      throw Error(Code::kConfig,
                  fmt::format("invalid VLAN ID {} (must be between 0 and 4094)", vlan),
                  object.path() + ".vlan");
    }
    options.vlan = static_cast<uint16_t>(vlan);
  }
  options.trunk_given = object.OptionalArray("vlanTrunk").has_value();
  for (const json::Object& entry : object.Objects("vlanTrunk")) {
    DecodeTrunkEntry(entry, options.trunk);
  }
  std::sort(options.trunk.begin(), options.trunk.end());
  options.trunk.erase(std::unique(options.trunk.begin(), options.trunk.end()), options.trunk.end());
}

void CheckMasqueradeBackend(const json::Object& object, const Options& options) {
  const std::string& backend = options.ip_masq_backend;
  if (backend.empty() || backend == "nftables" || backend == "iptables") return;
  throw Error(Code::kConfig, fmt::format("unknown ipmasq backend \"{}\"", backend),
              object.path() + ".ipMasqBackend; use nftables or iptables, or leave it out");
}

void CheckBridgeName(const json::Object& object, const std::string& name) {
  if (net::IsLinkName(name)) return;
  object.Fail("bridge", fmt::format("{:?} is no link name: want 1 to 15 bytes without '/', ':', "
                                    "white space and control characters",
                                    name));
}

void WriteTrunk(json::Writer& w, const Options& options) {
  if (!options.trunk_given) return;
  w.Key("vlanTrunk").BeginArray();
  for (const uint16_t vlan : options.trunk) {
    w.BeginObject().Member("id", uint32_t{vlan}).EndObject();
  }
  w.EndArray();
}

void WriteFlag(json::Writer& w, std::string_view key, bool value) {
  if (value) w.Member(key, true);
}

}  // namespace

Options Decode(const json::Object& object) {
  Options options;
  object.Optional("bridge", options.bridge);
  object.Optional("isGateway", options.is_gateway);
  object.Optional("isDefaultGateway", options.is_default_gateway);
  object.Optional("forceAddress", options.force_address);
  object.Optional("ipMasq", options.ip_masq);
  object.Optional("ipMasqBackend", options.ip_masq_backend);
  object.Optional("mtu", options.mtu, {0, 65535});
  object.Optional("hairpinMode", options.hairpin);
  object.Optional("promiscMode", options.promiscuous);
  object.Optional("preserveDefaultVlan", options.preserve_default_vlan);
  object.Optional("macspoofchk", options.mac_spoof_check);
  object.Optional("enabledad", options.enable_dad);
  object.Optional("disableContainerInterface", options.disable_container_interface);
  object.Optional("portIsolation", options.port_isolation);
  DecodeVlans(object, options);
  CheckBridgeName(object, options.bridge);
  CheckMasqueradeBackend(object, options);
  if (options.mtu != 0 && options.mtu < 68) {
    object.Fail("mtu", fmt::format("{} is not in 68..65535 (0 = kernel default)", options.mtu));
  }
  if (options.hairpin && options.promiscuous) {
    throw Error(Code::kConfig, "cannot set hairpin mode and promiscuous mode at the same time",
                fmt::format("{0}.hairpinMode, {0}.promiscMode: choose one", object.path()));
  }
  if (options.is_default_gateway) options.is_gateway = true;
  return options;
}

std::string Encode(const Options& options) {
  json::Writer w;
  w.BeginObject().Member("bridge", options.bridge);
  WriteFlag(w, "isGateway", options.is_gateway);
  WriteFlag(w, "isDefaultGateway", options.is_default_gateway);
  WriteFlag(w, "forceAddress", options.force_address);
  WriteFlag(w, "ipMasq", options.ip_masq);
  w.MemberUnlessEmpty("ipMasqBackend", options.ip_masq_backend);
  if (options.mtu != 0) w.Member("mtu", options.mtu);
  WriteFlag(w, "hairpinMode", options.hairpin);
  WriteFlag(w, "promiscMode", options.promiscuous);
  if (options.vlan != 0) w.Member("vlan", uint32_t{options.vlan});
  WriteTrunk(w, options);
  WriteFlag(w, "preserveDefaultVlan", options.preserve_default_vlan);
  WriteFlag(w, "macspoofchk", options.mac_spoof_check);
  WriteFlag(w, "enabledad", options.enable_dad);
  WriteFlag(w, "disableContainerInterface", options.disable_container_interface);
  WriteFlag(w, "portIsolation", options.port_isolation);
  return w.EndObject().Take();
}

}  // namespace cnm::bridge
