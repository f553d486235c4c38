// record_json.cc: what the engine's records have in common as JSON; sandboxes as JSON documents.
#include "cnm/engine/record_json.h"

#include <cstdint>

#include <fmt/format.h>

#include "cnm/engine/records.h"
#include "common/base/error.h"

namespace cnm::engine {
namespace {

using json::Object;
using json::Writer;

void WriteSpec(Writer& w, const SandboxSpec& spec) {
  w.BeginObject().Member("containerID", spec.container_id);
  w.MemberUnlessEmpty("hostName", spec.host_name);
  w.MemberUnlessEmpty("domainName", spec.domain_name);
  w.MemberUnlessEmpty("hostsPath", spec.hosts_path);
  w.MemberUnlessEmpty("originHostsPath", spec.origin_hosts_path);
  w.MemberUnlessEmpty("resolvConfPath", spec.resolv_conf_path);
  w.MemberUnlessEmpty("originResolvConfPath", spec.origin_resolv_conf_path);
  w.MemberUnlessEmpty("dns", spec.dns);
  w.MemberUnlessEmpty("dnsSearch", spec.dns_search);
  w.MemberUnlessEmpty("dnsOptions", spec.dns_options);
  w.Key("extraHosts").BeginArray();
  for (const ExtraHost& host : spec.extra_hosts) {
    w.BeginObject().Member("name", host.name).Member("address", host.address).EndObject();
  }
  w.EndArray();
  if (spec.use_default_sandbox) w.Member("useDefaultSandbox", true);
  if (spec.use_external_key) w.Member("useExternalKey", true);
  if (!spec.options.empty()) w.Key("options").Raw(spec.options);
  w.EndObject();
}

SandboxSpec ReadSpec(const Object& o) {
  SandboxSpec spec;
  o.Required("containerID", spec.container_id);
  o.Optional("hostName", spec.host_name);
  o.Optional("domainName", spec.domain_name);
  o.Optional("hostsPath", spec.hosts_path);
  o.Optional("originHostsPath", spec.origin_hosts_path);
  o.Optional("resolvConfPath", spec.resolv_conf_path);
  o.Optional("originResolvConfPath", spec.origin_resolv_conf_path);
  o.Optional("dns", spec.dns);
  o.Optional("dnsSearch", spec.dns_search);
  o.Optional("dnsOptions", spec.dns_options);
  const std::vector<Object> hosts = o.Objects("extraHosts");
  spec.extra_hosts.reserve(hosts.size());
  for (const Object& host : hosts) {
    ExtraHost& extra = spec.extra_hosts.emplace_back();
    host.Required("name", extra.name);
    host.Required("address", extra.address);
  }
  o.Optional("useDefaultSandbox", spec.use_default_sandbox);
  o.Optional("useExternalKey", spec.use_external_key);
  if (const auto options = o.OptionalObject("options")) spec.options = options->Text();
  return spec;
}

}  // namespace

void BeginRecord(Writer& w, bool pending) {
  w.BeginObject().Member("schema", kEngineSchema);
  if (pending) w.Member("pending", true);
}

Object OpenRecord(std::string_view json, std::string_view what, bool& pending) {
  Object o = json::Parse(json, what);
  int64_t schema = 0;
  o.Optional("schema", schema);
  if (schema > kEngineSchema) {
    throw Error(Code::kTryAgain,
                fmt::format("{} has schema {}, this program knows {}", what, schema, kEngineSchema),
                "made by a newer cnm: use that one");
  }
  pending = false;
  o.Optional("pending", pending);
  return o;
}

void WriteTexts(Writer& w, std::string_view key, const std::map<std::string, std::string>& texts) {
  if (texts.empty()) return;
  w.Key(key).BeginObject();
  for (const auto& [name, text] : texts) w.Member(name, text);
  w.EndObject();
}

std::map<std::string, std::string> ReadTexts(const Object& o, std::string_view key) {
  std::map<std::string, std::string> texts;
  const auto object = o.OptionalObject(key);
  if (!object) return texts;
  for (const std::string& name : object->Keys()) object->Optional(name, texts[name]);
  return texts;
}

std::string Encode(const SandboxRecord& record) {
  Writer w(json::Style::kIndented);
  BeginRecord(w, record.pending);
  w.Member("id", record.id).Member("key", record.key).Member("boot", record.boot_id);
  if (record.keying) w.Member("keying", true);
  if (record.has_namespace) {
    w.Key("netns").BeginObject();
    w.Member("device", static_cast<uint64_t>(record.netns.device));
    w.Member("inode", static_cast<uint64_t>(record.netns.inode));
    w.EndObject();
  }
  w.Key("spec");
  WriteSpec(w, record.spec);
  return w.EndObject().Take();
}

SandboxRecord DecodeSandboxRecord(std::string_view json) {
  SandboxRecord record;
  const Object o = OpenRecord(json, "sandbox record", record.pending);
  o.Required("id", record.id);
  o.Required("key", record.key);
  o.Required("boot", record.boot_id);
  o.Optional("keying", record.keying);
  if (const auto netns = o.OptionalObject("netns")) {
    uint64_t device = 0;
    uint64_t inode = 0;
    netns->Optional("device", device);
    netns->Optional("inode", inode);
    record.netns = {static_cast<dev_t>(device), static_cast<ino_t>(inode)};
    record.has_namespace = true;
  }
  record.spec = ReadSpec(o.RequiredObject("spec"));
  return record;
}

}  // namespace cnm::engine
