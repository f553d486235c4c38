// records.cc: networks and endpoints as JSON documents.
#include "cnm/records.h"

#include <fmt/format.h>

#include "cnm/attachment_record.h"
#include "common/base/error.h"
#include "common/json/object.h"
#include "common/json/writer.h"

namespace cnm {
namespace {

using json::Object;
using json::Writer;

std::string_view StateName(EndpointState state) {
  switch (state) {
    case EndpointState::kReady:
      return "ready";
    case EndpointState::kCondemned:
      return "condemned";
    case EndpointState::kCreated:
      return "created";
    case EndpointState::kPending:
      break;
  }
  return "pending";
}

Object ParseRecord(std::string_view json, std::string_view what) {
  Object record = json::Parse(json, what);
  int64_t schema = 0;
  record.Optional("schema", schema);
  if (schema > kRecordSchema) {
    throw Error(Code::kTryAgain,
                fmt::format("{} has schema {}, this program knows {}", what, schema, kRecordSchema),
                "made by a newer cnm: use that one");
  }
  return record;
}

void Write(Writer& w, const netns::Identity& id) {
  w.BeginObject();
  w.Member("device", static_cast<uint64_t>(id.device));
  w.Member("inode", static_cast<uint64_t>(id.inode));
  w.EndObject();
}

netns::Identity ReadIdentity(const Object& o) {
  int64_t device = 0;
  int64_t inode = 0;
  o.Optional("device", device);
  o.Optional("inode", inode);
  return {static_cast<dev_t>(device), static_cast<ino_t>(inode)};
}

void Write(Writer& w, const RouteSpec& route) {
  w.BeginObject();
  w.Member("dst", route.destination.ToString());
  if (route.gateway) w.Member("gw", route.gateway->ToString());
  if (route.mtu != 0) w.Member("mtu", route.mtu);
  if (route.advmss != 0) w.Member("advmss", route.advmss);
  if (route.priority != 0) w.Member("priority", route.priority);
  if (route.table) w.Member("table", *route.table);
  if (route.scope) w.Member("scope", uint32_t{*route.scope});
  w.EndObject();
}

RouteSpec ReadRoute(const Object& o) {
  RouteSpec route;
  route.destination = GetPrefix(o, "dst");
  route.gateway = FindAddress(o, "gw");
  o.Optional("mtu", route.mtu);
  o.Optional("advmss", route.advmss);
  o.Optional("priority", route.priority);
  uint32_t number = 0;
  if (o.Optional("table", number)) route.table = number;
  if (o.Optional("scope", number, {0, 255})) route.scope = static_cast<uint8_t>(number);
  return route;
}

void Write(Writer& w, const Addressing& addressing) {
  w.Key("addresses").BeginArray();
  for (const AddressGrant& grant : addressing.addresses) {
    w.BeginObject().Member("address", grant.prefix.ToString());
    if (grant.gateway) w.Member("gateway", grant.gateway->ToString());
    w.EndObject();
  }
  w.EndArray();
  w.Key("routes").BeginArray();
  for (const RouteSpec& route : addressing.routes) Write(w, route);
  w.EndArray();
  if (addressing.dns.empty()) return;
  w.Key("dns").BeginObject();
  w.MemberUnlessEmpty("nameservers", addressing.dns.nameservers);
  w.MemberUnlessEmpty("domain", addressing.dns.domain);
  w.MemberUnlessEmpty("search", addressing.dns.search);
  w.MemberUnlessEmpty("options", addressing.dns.options);
  w.EndObject();
}

Addressing ReadAddressing(const Object& o) {
  Addressing addressing;
  for (const Object& grant : o.Objects("addresses")) {
    addressing.addresses.push_back({GetPrefix(grant, "address"), FindAddress(grant, "gateway")});
  }
  for (const Object& route : o.Objects("routes")) addressing.routes.push_back(ReadRoute(route));
  if (const auto dns = o.OptionalObject("dns")) {
    dns->Optional("nameservers", addressing.dns.nameservers);
    dns->Optional("domain", addressing.dns.domain);
    dns->Optional("search", addressing.dns.search);
    dns->Optional("options", addressing.dns.options);
  }
  return addressing;
}

void WriteAttachments(Writer& w, const std::vector<Attachment>& attachments) {
  if (attachments.empty()) return;
  w.Key("attachments").BeginArray();
  for (const Attachment& attachment : attachments) Write(w, attachment);
  w.EndArray();
}

std::vector<Attachment> ReadAttachments(const Object& o) {
  const std::vector<Object> items = o.Objects("attachments");
  std::vector<Attachment> attachments;
  attachments.reserve(items.size());
  for (const Object& item : items) attachments.push_back(ReadAttachment(item));
  return attachments;
}

}  // namespace

std::string Encode(const Network& network) {
  Writer w;
  w.BeginObject().Member("schema", kRecordSchema);
  w.Member("name", network.name).Member("id", network.id).Member("driver", network.driver);
  w.Key("options").Raw(network.options.empty() ? "{}" : network.options);
  WriteAttachments(w, network.attachments);
  return w.EndObject().Take();
}

Network DecodeNetwork(std::string_view json) {
  const Object o = ParseRecord(json, "network record");
  Network network;
  o.Required("name", network.name);
  o.Required("id", network.id);
  o.Required("driver", network.driver);
  network.options = o.RequiredObject("options").Text();
  network.attachments = ReadAttachments(o);
  for (Attachment& attachment : network.attachments) NameRules(network, attachment);
  return network;
}

std::string Encode(const Endpoint& endpoint) {
  Writer w;
  w.BeginObject().Member("schema", kRecordSchema);
  w.Member("state", StateName(endpoint.state));
  w.Member("owner", endpoint.owner).Member("network", endpoint.key.network);
  w.Member("containerID", endpoint.key.container_id).Member("ifname", endpoint.key.ifname);
  w.Member("driver", endpoint.driver).Member("door", endpoint.door);
  w.Member("runtime", endpoint.runtime).Member("bootID", endpoint.host.boot_id);
  Write(w.Key("hostNetns"), endpoint.host.netns);
  w.Key("sandbox").BeginObject().Member("path", endpoint.sandbox.path);
  Write(w.Key("netns"), endpoint.sandbox.identity);
  w.EndObject();
  if (const auto& link = endpoint.host_link) {
    w.Key("hostLink").BeginObject().Member("name", link->name).Member("ifindex", link->ifindex);
    w.Member("mac", link->mac.ToString()).Member("attempt", link->attempt);
    w.MemberUnlessEmpty("peer", link->peer).EndObject();
  }
  w.Member("mac", endpoint.mac.ToString());
  Write(w, endpoint.addressing);
  WriteAttachments(w, endpoint.attachments);
  if (!endpoint.address_source.empty()) w.Key("addressSource").Raw(endpoint.address_source);
  if (!endpoint.details.empty()) w.Key("details").Raw(endpoint.details);
  return w.EndObject().Take();
}

Endpoint DecodeEndpoint(std::string_view json) {
  const Object o = ParseRecord(json, "endpoint record");
  Endpoint endpoint;
  std::string state;
  o.Required("state", state);
  for (const EndpointState known :
       {EndpointState::kReady, EndpointState::kCondemned, EndpointState::kCreated}) {
    if (state == StateName(known)) endpoint.state = known;
  }
  o.Required("owner", endpoint.owner);
  o.Required("network", endpoint.key.network);
  o.Required("containerID", endpoint.key.container_id);
  o.Required("ifname", endpoint.key.ifname);
  o.Optional("driver", endpoint.driver);
  o.Optional("door", endpoint.door);
  o.Optional("runtime", endpoint.runtime);
  o.Required("bootID", endpoint.host.boot_id);
  endpoint.host.netns = ReadIdentity(o.RequiredObject("hostNetns"));
  const Object sandbox = o.RequiredObject("sandbox");
  sandbox.Optional("path", endpoint.sandbox.path);
  endpoint.sandbox.identity = ReadIdentity(sandbox.RequiredObject("netns"));
  if (const auto link = o.OptionalObject("hostLink")) {
    HostLink host_link{.name = {}, .mac = GetMac(*link, "mac")};
    link->Required("name", host_link.name);
    int64_t ifindex = 0;
    link->Optional("ifindex", ifindex, {0, INT32_MAX});
    host_link.ifindex = static_cast<int>(ifindex);
    link->Optional("attempt", host_link.attempt);
    link->Optional("peer", host_link.peer);
    endpoint.host_link = std::move(host_link);
  }
  endpoint.mac = GetMac(o, "mac");
  endpoint.addressing = ReadAddressing(o);
  endpoint.attachments = ReadAttachments(o);
  for (Attachment& attachment : endpoint.attachments) NameRules(endpoint, attachment);
  if (const auto source = o.OptionalObject("addressSource")) {
    endpoint.address_source = source->Text();
  }
  if (const auto details = o.OptionalObject("details")) endpoint.details = details->Text();
  return endpoint;
}

}  // namespace cnm
