// result_decode.cc: results of any version as one value.
#include <fmt/format.h>

#include "common/base/error.h"
#include "plugins/cni/result.h"
#include "plugins/cni/version.h"

namespace cnm::cni {
namespace {

using json::Object;

/// "" counts as absent, as in Go's net.IP.
std::optional<net::Address> OptionalAddress(const Object& object, std::string_view key) {
  std::string text;
  object.Optional(key, text);
  if (text.empty()) return std::nullopt;
  std::optional<net::Address> address = net::Address::Parse(text);
  if (address) return address;
  throw Error(Code::kDecode,
              fmt::format("{}.{}: want an IP address, got {:?}", object.path(), key, text));
}

net::Prefix RequiredPrefix(const Object& object, std::string_view key) {
  std::string text;
  object.Required(key, text);
  const std::optional<net::Prefix> prefix = net::Prefix::Parse(text);
  if (prefix) return *prefix;
  throw Error(Code::kDecode, fmt::format("{}.{}: want an IP address with prefix length, got {:?}",
                                         object.path(), key, text));
}

RouteSpec DecodeRoute(const Object& object) {
  RouteSpec route;
  route.destination = RequiredPrefix(object, "dst");
  route.gateway = OptionalAddress(object, "gw");
  object.Optional("mtu", route.mtu);
  object.Optional("advmss", route.advmss);
  object.Optional("priority", route.priority);
  uint32_t number = 0;
  if (object.Optional("table", number)) route.table = number;
  if (object.Optional("scope", number, {0, UINT8_MAX})) route.scope = static_cast<uint8_t>(number);
  return route;
}

void DecodeRoutes(const Object& object, std::vector<RouteSpec>& routes) {
  for (const Object& route : object.Objects("routes")) routes.push_back(DecodeRoute(route));
}

ResultInterface DecodeInterface(const Object& object) {
  ResultInterface interface;
  object.Optional("name", interface.name);
  object.Optional("mac", interface.mac);
  object.Optional("sandbox", interface.sandbox);
  object.Optional("mtu", interface.mtu);
  object.Optional("socketPath", interface.socket_path);
  object.Optional("pciID", interface.pci_id);
  return interface;
}

ResultAddress DecodeAddress(const Object& object) {
  ResultAddress ip;
  ip.address = RequiredPrefix(object, "address");
  ip.gateway = OptionalAddress(object, "gateway");
  int64_t index = 0;
  if (object.Optional("interface", index, {INT32_MIN, INT32_MAX})) {
    ip.interface_index = static_cast<int>(index);
  }
  return ip;
}

void Decode020(const Object& object, Result& result) {
  for (const std::string_view key : {"ip4", "ip6"}) {
    const std::optional<Object> ip = object.OptionalObject(key);
    if (!ip) continue;
    result.ips.push_back({RequiredPrefix(*ip, "ip"), OptionalAddress(*ip, "gateway"), {}});
    DecodeRoutes(*ip, result.routes);
  }
}

void DecodeLists(const Object& object, Result& result) {
  for (const Object& o : object.Objects("interfaces")) {
    result.interfaces.push_back(DecodeInterface(o));
  }
  for (const Object& o : object.Objects("ips")) result.ips.push_back(DecodeAddress(o));
  DecodeRoutes(object, result.routes);
}

std::string VersionOf(const Object& object, std::string_view assumed) {
  std::string version;
  object.Optional("cniVersion", version);
  return version.empty() ? std::string(assumed) : version;
}

std::string_view FamilyVersions(ResultFamily family) {
  switch (family) {
    case ResultFamily::k020:
      return "0.1.0 0.2.0";
    case ResultFamily::k040:
      return "0.3.0 0.3.1 0.4.0";
    case ResultFamily::k100:
      break;
  }
  return "1.0.0 1.1.0";
}

bool IsOfFamily(std::string_view version, ResultFamily family) {
  for (const std::string_view known : kVersions) {
    if (known == version) return FamilyOf(version) == family;
  }
  return false;
}

Result DecodePrevious(const Object& object, std::string_view config_version) {
  const std::string version = VersionOf(object, config_version);
  const ResultFamily family = FamilyOf(config_version);
  if (!IsOfFamily(version, family)) {
    throw Error(Code::kDecode,
                fmt::format("result type supports [{}] but unmarshalled CNIVersion is {:?}",
                            FamilyVersions(family), version));
  }
  return DecodeResult(object, version);
}

}  // namespace

DnsSettings DecodeDns(const Object& object) {
  DnsSettings dns;
  object.Optional("nameservers", dns.nameservers);
  object.Optional("domain", dns.domain);
  object.Optional("search", dns.search);
  object.Optional("options", dns.options);
  return dns;
}

Result DecodeResult(const Object& object, std::string_view assumed) {
  Result result;
  const bool early = FamilyOf(VersionOf(object, assumed)) == ResultFamily::k020;
  (early ? Decode020 : DecodeLists)(object, result);
  if (const std::optional<Object> dns = object.OptionalObject("dns")) result.dns = DecodeDns(*dns);
  return result;
}

std::optional<Result> DecodePrevResult(const Object& config, std::string_view config_version) {
  try {
    const std::optional<Object> previous = config.OptionalObject("prevResult");
    if (!previous) return std::nullopt;
    return DecodePrevious(*previous, config_version);
  } catch (Error& e) {
    e.AddContext("could not parse prevResult");
    throw;
  }
}

}  // namespace cnm::cni
