// attachment_record.cc: an attachment as part of an endpoint's record.
#include "cnm/attachment_record.h"

#include <string>
#include <utility>
#include <vector>

namespace cnm {
namespace {

using firewall::Forwarding;
using firewall::Passage;
using firewall::PortMapping;
using firewall::Protocol;
using firewall::Publication;
using json::Object;
using json::Writer;

template <class T>
T Parsed(std::optional<T> value, const Object& object, std::string_view key) {
  if (!value) object.Fail(key, "not understood");
  return *std::move(value);
}

std::vector<std::string> ReadStrings(const Object& o, std::string_view key) {
  std::vector<std::string> strings;
  o.Optional(key, strings);
  return strings;
}

void Write(Writer& w, const PortMapping& mapping) {
  w.BeginObject().Member("protocol", uint32_t{static_cast<uint8_t>(mapping.protocol)});
  if (mapping.host_address) w.Member("hostIP", mapping.host_address->ToString());
  w.Member("hostPort", uint32_t{mapping.host_port});
  w.Member("target", mapping.target.ToString()).Member("port", uint32_t{mapping.target_port});
  if (mapping.count != 1) w.Member("count", uint32_t{mapping.count});
  w.EndObject();
}

PortMapping ReadMapping(const Object& o) {
  PortMapping mapping;
  uint32_t number = 0;
  o.Optional("protocol", number, {0, UINT8_MAX});
  mapping.protocol = static_cast<Protocol>(number);
  mapping.host_address = FindAddress(o, "hostIP");
  o.Optional("hostPort", number, {0, UINT16_MAX});
  mapping.host_port = static_cast<uint16_t>(number);
  mapping.target = GetPrefix(o, "target");
  o.Optional("port", number, {0, UINT16_MAX});
  mapping.target_port = static_cast<uint16_t>(number);
  number = 1;
  o.Optional("count", number, {1, UINT16_MAX});
  mapping.count = static_cast<uint16_t>(number);
  return mapping;
}

void Write(Writer& w, const Publication& publication) {
  if (publication.mappings.empty()) return;
  w.Key("publication").BeginObject().Key("mappings").BeginArray();
  for (const PortMapping& mapping : publication.mappings) Write(w, mapping);
  w.EndArray();
  w.Member("masqueradeLocal", publication.masquerade_local);
  w.Member("masqueradeAll", publication.masquerade_all);
  w.MemberUnlessEmpty("conditionsV4", publication.conditions_v4);
  w.MemberUnlessEmpty("conditionsV6", publication.conditions_v6);
  w.Member("markBit", uint32_t{publication.mark_bit});
  w.MemberUnlessEmpty("markChain", publication.mark_chain);
  w.EndObject();
}

Publication ReadPublication(const Object& o) {
  Publication publication;
  for (const Object& mapping : o.Objects("mappings")) {
    publication.mappings.push_back(ReadMapping(mapping));
  }
  o.Optional("masqueradeLocal", publication.masquerade_local);
  o.Optional("masqueradeAll", publication.masquerade_all);
  publication.conditions_v4 = ReadStrings(o, "conditionsV4");
  publication.conditions_v6 = ReadStrings(o, "conditionsV6");
  uint32_t bit = publication.mark_bit;
  o.Optional("markBit", bit, {0, 31});
  publication.mark_bit = static_cast<uint8_t>(bit);
  o.Optional("markChain", publication.mark_chain);
  return publication;
}

void WriteAddresses(Writer& w, std::string_view key, const std::vector<net::Address>& addresses) {
  if (addresses.empty()) return;
  w.Key(key).BeginArray();
  for (const net::Address& address : addresses) w.String(address.ToString());
  w.EndArray();
}

std::vector<net::Address> ReadAddresses(const Object& o, std::string_view key) {
  const std::vector<std::string> texts = ReadStrings(o, key);
  std::vector<net::Address> addresses;
  addresses.reserve(texts.size());
  for (const std::string& text : texts) {
    addresses.push_back(Parsed(net::Address::Parse(text), o, key));
  }
  return addresses;
}

void Write(Writer& w, const Forwarding& forwarding) {
  if (forwarding.empty()) return;
  w.Key("forwarding").BeginObject();
  WriteAddresses(w, "addresses", forwarding.addresses);
  WriteAddresses(w, "published", forwarding.published);
  if (!forwarding.subnets.empty()) {
    w.Key("subnets").BeginArray();
    for (const net::Prefix& subnet : forwarding.subnets) w.String(subnet.ToString());
    w.EndArray();
  }
  w.Member("adminChain", forwarding.admin_chain).Member("zone", forwarding.zone).EndObject();
}

Forwarding ReadForwarding(const Object& o) {
  Forwarding forwarding;
  forwarding.addresses = ReadAddresses(o, "addresses");
  forwarding.published = ReadAddresses(o, "published");
  for (const std::string& text : ReadStrings(o, "subnets")) {
    forwarding.subnets.push_back(Parsed(net::Prefix::Parse(text), o, "subnets"));
  }
  o.Optional("adminChain", forwarding.admin_chain);
  o.Optional("zone", forwarding.zone);
  return forwarding;
}

void Write(Writer& w, const std::vector<Passage>& passages) {
  if (passages.empty()) return;
  w.Key("passages").BeginArray();
  for (const Passage& passage : passages) {
    w.BeginObject().Member("bridge", passage.bridge);
    w.Member("protocol", uint32_t{static_cast<uint8_t>(passage.protocol)});
    w.Member("from", passage.from.ToString()).Member("to", passage.to.ToString());
    w.Member("port", uint32_t{passage.port}).EndObject();
  }
  w.EndArray();
}

Passage ReadPassage(const Object& o) {
  Passage passage;
  uint32_t number = 0;
  o.Required("bridge", passage.bridge);
  o.Optional("protocol", number, {0, UINT8_MAX});
  passage.protocol = static_cast<Protocol>(number);
  passage.from = Parsed(FindAddress(o, "from"), o, "from");
  passage.to = Parsed(FindAddress(o, "to"), o, "to");
  o.Optional("port", number, {0, UINT16_MAX});
  passage.port = static_cast<uint16_t>(number);
  return passage;
}

void Write(Writer& w, const firewall::Rules& rules) {
  if (!rules.masquerades.empty()) {
    w.Key("masquerade").BeginArray();
    for (const auto& masquerade : rules.masquerades) w.String(masquerade.source.ToString());
    w.EndArray();
  }
  if (const auto& guard = rules.spoof_guard) {
    w.Key("spoofGuard").BeginObject().Member("link", guard->link);
    w.Member("mac", guard->mac.ToString()).EndObject();
  }
  Write(w, rules.publication);
  Write(w, rules.forwarding);
  if (const auto& isolation = rules.isolation) {
    w.Key("isolation").BeginObject().Member("bridge", isolation->bridge);
    w.Member("within", isolation->within);
    if (isolation->internal) w.Member("internal", true);
    w.EndObject();
  }
  Write(w, rules.passages);
}

firewall::Rules ReadRules(const Object& o) {
  firewall::Rules rules;
  for (const std::string& source : ReadStrings(o, "masquerade")) {
    rules.masquerades.push_back({Parsed(net::Prefix::Parse(source), o, "masquerade")});
  }
  if (const auto guard = o.OptionalObject("spoofGuard")) {
    firewall::SpoofGuard value{.link = {}, .mac = GetMac(*guard, "mac")};
    guard->Required("link", value.link);
    rules.spoof_guard = std::move(value);
  }
  if (const auto publication = o.OptionalObject("publication")) {
    rules.publication = ReadPublication(*publication);
  }
  if (const auto forwarding = o.OptionalObject("forwarding")) {
    rules.forwarding = ReadForwarding(*forwarding);
  }
  if (const auto isolation = o.OptionalObject("isolation")) {
    firewall::Isolation value;
    isolation->Required("bridge", value.bridge);
    isolation->Optional("within", value.within);
    isolation->Optional("internal", value.internal);
    rules.isolation = std::move(value);
  }
  for (const Object& passage : o.Objects("passages")) {
    rules.passages.push_back(ReadPassage(passage));
  }
  return rules;
}

}  // namespace

net::Prefix GetPrefix(const Object& o, std::string_view key) {
  std::string text;
  o.Required(key, text);
  return Parsed(net::Prefix::Parse(text), o, key);
}

net::Mac GetMac(const Object& o, std::string_view key) {
  std::string text;
  o.Required(key, text);
  return Parsed(net::Mac::Parse(text), o, key);
}

std::optional<net::Address> FindAddress(const Object& o, std::string_view key) {
  std::string text;
  if (!o.Optional(key, text)) return std::nullopt;
  return Parsed(net::Address::Parse(text), o, key);
}

void Write(Writer& w, const Attachment& attachment) {
  w.BeginObject().Member("plugin", attachment.plugin);
  w.MemberUnlessEmpty("backend", attachment.backend);
  if (attachment.follows_host) w.Member("followsHost", true);
  Write(w, attachment.rules);
  w.MemberUnlessEmpty("links", attachment.links);
  w.MemberUnlessEmpty("files", attachment.files);
  if (!attachment.sysctls.empty()) {
    w.Key("sysctls").BeginArray();
    for (const HostSysctl& sysctl : attachment.sysctls) {
      w.BeginObject().Member("name", sysctl.name).Member("value", sysctl.value).EndObject();
    }
    w.EndArray();
  }
  if (!attachment.state.empty()) w.Key("state").Raw(attachment.state);
  w.EndObject();
}

Attachment ReadAttachment(const Object& o) {
  Attachment attachment;
  o.Required("plugin", attachment.plugin);
  o.Optional("backend", attachment.backend);
  o.Optional("followsHost", attachment.follows_host);
  attachment.rules = ReadRules(o);
  attachment.links = ReadStrings(o, "links");
  attachment.files = ReadStrings(o, "files");
  for (const Object& item : o.Objects("sysctls")) {
    HostSysctl sysctl;
    item.Required("name", sysctl.name);
    item.Required("value", sysctl.value);
    attachment.sysctls.push_back(std::move(sysctl));
  }
  if (const auto state = o.OptionalObject("state")) attachment.state = state->Text();
  return attachment;
}

}  // namespace cnm
