// records.cc: networks and endpoints as JSON documents.
#include "cnm/engine/records.h"

#include <fmt/format.h>

#include "cnm/attachment_record.h"
#include "cnm/engine/labels.h"
#include "cnm/engine/record_json.h"
#include "common/json/object.h"
#include "common/json/writer.h"

namespace cnm::engine {
namespace {

using json::Object;
using json::Writer;

void WriteHolds(Writer& w, std::string_view key, const std::vector<PoolHold>& holds) {
  if (holds.empty()) return;
  w.Key(key).BeginArray();
  for (const PoolHold& hold : holds) {
    w.BeginObject().Member("id", hold.id);
    if (hold.gateway_requested) w.Member("gatewayRequested", true);
    if (hold.sub_pool) w.Member("subPool", hold.sub_pool->ToString());
    w.Key("pool");
    EncodePools({hold.data}, w);
    w.EndObject();
  }
  w.EndArray();
}

std::vector<PoolHold> ReadHolds(const Object& o, std::string_view key) {
  const std::vector<Object> elements = o.Objects(key);
  std::vector<PoolHold> holds;
  holds.reserve(elements.size());
  for (const Object& element : elements) {
    PoolHold hold;
    element.Required("id", hold.id);
    element.Optional("gatewayRequested", hold.gateway_requested);
    if (element.Has("subPool")) hold.sub_pool = GetPrefix(element, "subPool");
    const std::vector<PoolData> data = DecodePools(element, "pool");
    if (data.size() != 1) element.Fail("pool", "want one pool");
    hold.data = data.front();
    holds.push_back(std::move(hold));
  }
  return holds;
}

std::vector<PoolData> DataOf(const std::vector<PoolHold>& holds) {
  std::vector<PoolData> data;
  data.reserve(holds.size());
  for (const PoolHold& hold : holds) data.push_back(hold.data);
  return data;
}

void Write(Writer& w, const JoinInfo& join) {
  w.BeginObject();
  w.MemberUnlessEmpty("srcName", join.src_name);
  w.MemberUnlessEmpty("dstPrefix", join.dst_prefix);
  w.MemberUnlessEmpty("dstName", join.dst_name);
  if (join.gateway) w.Member("gateway", join.gateway->ToString());
  if (join.gateway_ipv6) w.Member("gatewayIPv6", join.gateway_ipv6->ToString());
  if (join.disable_gateway_service) w.Member("disableGatewayService", true);
  if (join.in_sandbox) w.Member("inSandbox", true);
  if (!join.routes.empty()) {
    w.Key("routes").BeginArray();
    for (const StaticRoute& route : join.routes) {
      w.BeginObject().Member("dst", route.destination.ToString());
      if (route.next_hop) w.Member("via", route.next_hop->ToString());
      w.EndObject();
    }
    w.EndArray();
  }
  w.EndObject();
}

JoinInfo ReadJoin(const Object& o) {
  JoinInfo join;
  o.Optional("srcName", join.src_name);
  o.Optional("dstPrefix", join.dst_prefix);
  o.Optional("dstName", join.dst_name);
  join.gateway = FindAddress(o, "gateway");
  join.gateway_ipv6 = FindAddress(o, "gatewayIPv6");
  o.Optional("disableGatewayService", join.disable_gateway_service);
  o.Optional("inSandbox", join.in_sandbox);
  const std::vector<Object> routes = o.Objects("routes");
  join.routes.reserve(routes.size());
  for (const Object& route : routes) {
    join.routes.push_back({GetPrefix(route, "dst"), FindAddress(route, "via")});
  }
  return join;
}

/// What an endpoint has only while it is joined.
void WriteMembership(Writer& w, const EndpointRecord& record) {
  w.BeginObject().Member("sandbox", record.sandbox_id);
  if (record.moving) w.Member("moving", true);
  if (record.join_spec.priority != 0) w.Member("priority", record.join_spec.priority);
  WriteTexts(w, "aliases", record.join_spec.aliases);
  w.MemberUnlessEmpty("link", record.link);
  if (record.published) w.Member("published", true);
  w.Key("info");
  Write(w, record.join);
  w.EndObject();
}

void ReadMembership(const Object& o, EndpointRecord& record) {
  o.Required("sandbox", record.sandbox_id);
  o.Optional("moving", record.moving);
  int64_t priority = 0;
  o.Optional("priority", priority, {INT32_MIN, INT32_MAX});
  record.join_spec.priority = static_cast<int>(priority);
  record.join_spec.aliases = ReadTexts(o, "aliases");
  o.Optional("link", record.link);
  o.Optional("published", record.published);
  record.join = ReadJoin(o.RequiredObject("info"));
}

}  // namespace

std::string Encode(const NetworkRecord& record) {
  Writer w(json::Style::kIndented);
  BeginRecord(w, record.pending);
  w.Member("name", record.name).Member("id", record.config.id).Member("type", record.type);
  w.Key("config");
  EncodeNetworkOptions(record.config, w);
  w.MemberUnlessEmpty("ipam", record.ipam);
  WriteTexts(w, "ipamOptions", record.ipam_options);
  WriteHolds(w, "ipv4", record.ipv4);
  WriteHolds(w, "ipv6", record.ipv6);
  w.Member("created", record.created_ns);
  return w.EndObject().Take();
}

NetworkRecord DecodeNetworkRecord(std::string_view json) {
  NetworkRecord record;
  const Object o = OpenRecord(json, "network record", record.pending);
  o.Required("name", record.name);
  o.Required("id", record.config.id);
  o.Required("type", record.type);
  record.config.name = record.name;
  DecodeNetworkOptions(o.RequiredObject("config"), record.config);
  o.Optional("ipam", record.ipam);
  record.ipam_options = ReadTexts(o, "ipamOptions");
  record.ipv4 = ReadHolds(o, "ipv4");
  record.ipv6 = ReadHolds(o, "ipv6");
  o.Optional("created", record.created_ns);
  record.config.ipv4 = DataOf(record.ipv4);
  record.config.ipv6 = DataOf(record.ipv6);
  return record;
}

std::string Encode(const EndpointRecord& record) {
  Writer w(json::Style::kIndented);
  BeginRecord(w, record.pending);
  w.Member("name", record.name).Member("id", record.id).Member("network", record.network_id);
  w.Member("boot", record.boot_id);
  w.Key("interface");
  EncodeInterface(record.interface, w);
  w.MemberUnlessEmpty("pool", record.pool);
  w.MemberUnlessEmpty("poolIPv6", record.pool_ipv6);
  w.MemberUnlessEmpty("aliases", record.aliases);
  if (record.gateway) w.Member("gateway", true);
  if (!record.options.empty()) w.Key("options").Raw(record.options);
  w.Key("ports").BeginObject();
  w.Key(kPortMapLabel);
  EncodePortBindings(record.port_bindings, w);
  w.Key(kExposedPortsLabel);
  EncodeExposedPorts(record.exposed_ports, w);
  w.EndObject();
  if (!record.sandbox_id.empty()) {
    w.Key("joined");
    WriteMembership(w, record);
  }
  return w.EndObject().Take();
}

EndpointRecord DecodeEndpointRecord(std::string_view json) {
  EndpointRecord record;
  const Object o = OpenRecord(json, "endpoint record", record.pending);
  o.Required("name", record.name);
  o.Required("id", record.id);
  o.Required("network", record.network_id);
  o.Required("boot", record.boot_id);
  record.interface = DecodeInterface(o, "interface");
  o.Optional("pool", record.pool);
  o.Optional("poolIPv6", record.pool_ipv6);
  o.Optional("aliases", record.aliases);
  o.Optional("gateway", record.gateway);
  if (const auto options = o.OptionalObject("options")) record.options = options->Text();
  const Object ports = o.RequiredObject("ports");
  record.port_bindings = DecodePortBindings(ports);
  record.exposed_ports = DecodeExposedPorts(ports);
  if (const auto joined = o.OptionalObject("joined")) ReadMembership(*joined, record);
  return record;
}

}  // namespace cnm::engine
