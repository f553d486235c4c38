// result_print.cc: a result as JSON of any version.
//
// The order of the keys is that of the reference: versions before 1.0.0 in the order of the
// specification, later ones alphabetical.
#include <algorithm>

#include "common/base/error.h"
#include "common/json/writer.h"
#include "plugins/cni/result.h"
#include "plugins/cni/version.h"

namespace cnm::cni {
namespace {

using json::Writer;

void UnlessZero(Writer& writer, std::string_view key, uint32_t value) {
  if (value != 0) writer.Member(key, value);
}

void UnlessEmpty(Writer& writer, std::string_view key, const std::vector<std::string>& values) {
  if (values.empty()) return;
  writer.Key(key).BeginArray();
  for (const std::string& value : values) writer.String(value);
  writer.EndArray();
}

void Gateway(Writer& writer, std::string_view key, const std::optional<net::Address>& gateway) {
  if (gateway) writer.Member(key, gateway->ToString());
}

void Scope(Writer& writer, const RouteSpec& route) {
  if (route.scope) writer.Member("scope", uint32_t{*route.scope});
}

void Table(Writer& writer, const RouteSpec& route) {
  if (route.table) writer.Member("table", *route.table);
}

void EarlyRoute(Writer& writer, const RouteSpec& route) {
  writer.BeginObject().Member("dst", route.destination.ToString());
  Gateway(writer, "gw", route.gateway);
  UnlessZero(writer, "mtu", route.mtu);
  UnlessZero(writer, "advmss", route.advmss);
  UnlessZero(writer, "priority", route.priority);
  Table(writer, route);
  Scope(writer, route);
  writer.EndObject();
}

void Route(Writer& writer, const RouteSpec& route) {
  writer.BeginObject();
  UnlessZero(writer, "advmss", route.advmss);
  writer.Member("dst", route.destination.ToString());
  Gateway(writer, "gw", route.gateway);
  UnlessZero(writer, "mtu", route.mtu);
  UnlessZero(writer, "priority", route.priority);
  Scope(writer, route);
  Table(writer, route);
  writer.EndObject();
}

void EarlyDns(Writer& writer, const DnsSettings& dns) {
  writer.Key("dns").BeginObject();
  UnlessEmpty(writer, "nameservers", dns.nameservers);
  writer.MemberUnlessEmpty("domain", dns.domain);
  UnlessEmpty(writer, "search", dns.search);
  UnlessEmpty(writer, "options", dns.options);
  writer.EndObject();
}

void Dns(Writer& writer, const DnsSettings& dns) {
  if (dns.empty()) return;
  writer.Key("dns").BeginObject();
  writer.MemberUnlessEmpty("domain", dns.domain);
  UnlessEmpty(writer, "nameservers", dns.nameservers);
  UnlessEmpty(writer, "options", dns.options);
  UnlessEmpty(writer, "search", dns.search);
  writer.EndObject();
}

/// An array of `values`, each written by `print`; nothing when there are none.
template <class T>
void List(Writer& writer, std::string_view key, const std::vector<T>& values,
          void (*print)(Writer&, const T&)) {
  if (values.empty()) return;
  writer.Key(key).BeginArray();
  for (const T& value : values) print(writer, value);
  writer.EndArray();
}

/// 0.1.0, 0.2.0: the first address of the family with the family's routes, of which destination and
/// gateway.
/// @returns false if there is no such address
bool FamilyOfAddress(Writer& writer, const Result& result, net::Family family) {
  const auto first = std::find_if(result.ips.begin(), result.ips.end(), [&](const auto& ip) {
    return ip.address.address.family() == family;
  });
  if (first == result.ips.end()) return false;
  writer.Key(family == net::Family::kIpv4 ? "ip4" : "ip6").BeginObject();
  writer.Member("ip", first->address.ToString());
  Gateway(writer, "gateway", first->gateway);
  std::vector<RouteSpec> routes;
  for (const RouteSpec& route : result.routes) {
    if (route.destination.address.family() != family) continue;
    routes.push_back({.destination = route.destination, .gateway = route.gateway});
  }
  List(writer, "routes", routes, EarlyRoute);
  writer.EndObject();
  return true;
}

void Print020(Writer& writer, const Result& result) {
  const bool v4 = FamilyOfAddress(writer, result, net::Family::kIpv4);
  const bool v6 = FamilyOfAddress(writer, result, net::Family::kIpv6);
  if (!v4 && !v6) throw Error(Code::kConfig, "cannot convert: no valid IP addresses");
  EarlyDns(writer, result.dns);
}

void EarlyInterface(Writer& writer, const ResultInterface& interface) {
  writer.BeginObject().Member("name", interface.name);
  writer.MemberUnlessEmpty("mac", interface.mac).MemberUnlessEmpty("sandbox", interface.sandbox);
  writer.EndObject();
}

void EarlyAddress(Writer& writer, const ResultAddress& ip) {
  writer.BeginObject().Member("version", ip.address.address.is_v4() ? "4" : "6");
  if (ip.interface_index) writer.Member("interface", *ip.interface_index);
  writer.Member("address", ip.address.ToString());
  Gateway(writer, "gateway", ip.gateway);
  writer.EndObject();
}

void Print040(Writer& writer, const Result& result) {
  List(writer, "interfaces", result.interfaces, EarlyInterface);
  List(writer, "ips", result.ips, EarlyAddress);
  List(writer, "routes", result.routes, EarlyRoute);
  EarlyDns(writer, result.dns);
}

void Interface(Writer& writer, const ResultInterface& interface) {
  writer.BeginObject().MemberUnlessEmpty("mac", interface.mac);
  UnlessZero(writer, "mtu", interface.mtu);
  writer.Member("name", interface.name);
  writer.MemberUnlessEmpty("pciID", interface.pci_id);
  writer.MemberUnlessEmpty("sandbox", interface.sandbox);
  writer.MemberUnlessEmpty("socketPath", interface.socket_path);
  writer.EndObject();
}

void Address(Writer& writer, const ResultAddress& ip) {
  writer.BeginObject().Member("address", ip.address.ToString());
  Gateway(writer, "gateway", ip.gateway);
  if (ip.interface_index) writer.Member("interface", *ip.interface_index);
  writer.EndObject();
}

void Print100(Writer& writer, const Result& result) {
  Dns(writer, result.dns);
  List(writer, "interfaces", result.interfaces, Interface);
  List(writer, "ips", result.ips, Address);
  List(writer, "routes", result.routes, Route);
}

}  // namespace

std::string PrintResult(const Result& result, std::string_view version) {
  Writer writer(json::Style::kIndented);
  const ResultFamily family = FamilyOf(version);
  writer.BeginObject().Member("cniVersion", version.empty() ? kOldestVersion : version);
  switch (family) {
    case ResultFamily::k020:
      Print020(writer, result);
      break;
    case ResultFamily::k040:
      Print040(writer, result);
      break;
    case ResultFamily::k100:
      Print100(writer, result);
      break;
  }
  writer.EndObject();
  return writer.Take();
}

}  // namespace cnm::cni
