// body.cc: the JSON bodies of the REST API's requests.
#include "cnm/api/body.h"

#include <algorithm>
#include <array>
#include <map>
#include <optional>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "cnm/engine/labels.h"
#include "cnm/engine/option_names.h"
#include "common/base/error.h"
#include "common/json/object.h"
#include "common/json/writer.h"

namespace cnm::api {
namespace {

using TextMap = std::map<std::string, std::string>;

/// Decodes a body by `decode`; what is wrong with it is the client's fault.
template <class Decode>
auto Decoded(std::string_view body, const Decode& decode) {
  try {
    // Said as clients of the reference know it from its JSON library.
    if (body.find_first_not_of(" \t\r\n") == std::string_view::npos) {
      throw Error(Code::kDecode, "unexpected end of JSON input");
    }
    return decode(json::Parse(body, "JSON"));
  } catch (Error& error) {
    throw error.AddContext("Invalid body");
  }
}

TextMap TextMapIn(const json::Object& object, std::string_view key) {
  TextMap map;
  const auto member = object.OptionalObject(key);
  if (!member) return map;
  for (const auto& [name, value] : member->Members()) map[name] = value.String();
  return map;
}

/// Texts that Go's strconv.ParseBool takes.
bool BooleanIn(const json::Object& object, const TextMap& map, const char* key) {
  constexpr std::array kTrue = {"1", "t", "T", "true", "TRUE", "True"};
  constexpr std::array kFalse = {"", "0", "f", "F", "false", "FALSE", "False"};
  const auto found = map.find(key);
  if (found == map.end()) return false;
  const auto is = [&](const char* text) { return found->second == text; };
  if (std::any_of(kTrue.begin(), kTrue.end(), is)) return true;
  if (std::any_of(kFalse.begin(), kFalse.end(), is)) return false;
  object.Fail("network_opts", fmt::format("{}: \"{}\" is not a boolean", key, found->second));
}

bool IsBridgeName(std::string_view key) {
  return key == "BridgeName" || key == "com.docker.network.bridge.name";
}

/// The driver's options: what the client gave under the generic label, driver_opts, and §1.4's.
void WriteGeneric(const std::optional<json::Object>& given, const TextMap& driver_options,
                  const engine::NetworkSpec& spec, json::Writer& w) {
  bool has_name = false;
  bool has_permission = false;
  const auto note = [&](std::string_view key) {
    has_name = has_name || IsBridgeName(key);
    has_permission = has_permission || key == "AllowNonDefaultBridge";
  };
  w.BeginObject();
  if (given) {
    for (const auto& [key, value] : given->Members()) {
      if (driver_options.contains(key)) continue;
      note(key);
      w.Key(key).Raw(value.Text());
    }
  }
  for (const auto& [key, value] : driver_options) {
    note(key);
    w.Member(key, value);
  }
  if (spec.type == "bridge" && !has_name) w.Member("BridgeName", spec.name);
  if (spec.type == "bridge" && !has_permission) w.Member("AllowNonDefaultBridge", "true");
  w.EndObject();
}

/// The network's labels, with the driver's options completed.
std::string NetworkOptions(const json::Object& body, const engine::NetworkSpec& spec) {
  const TextMap driver_options = TextMapIn(body, "driver_opts");
  json::Writer w;
  w.BeginObject();
  std::optional<json::Object> generic;
  if (const auto options = body.OptionalObject("options")) {
    generic = options->OptionalObject(engine::kGenericLabel);
    for (const auto& [key, value] : options->Members()) {
      if (key != engine::kGenericLabel) w.Key(key).Raw(value.Text());
    }
  }
  w.Key(engine::kGenericLabel);
  WriteGeneric(generic, driver_options, spec, w);
  return w.EndObject().Take();
}

std::vector<engine::PoolConfig> PoolsIn(const json::Object& body, std::string_view key) {
  std::vector<engine::PoolConfig> pools;
  for (const json::Object& o : body.Objects(key)) {
    engine::PoolConfig& pool = pools.emplace_back();
    o.Optional("PreferredPool", pool.preferred_pool);
    o.Optional("SubPool", pool.sub_pool);
    o.Optional("Gateway", pool.gateway);
    pool.aux_addresses = TextMapIn(o, "AuxAddresses");
  }
  return pools;
}

/// What would silently have no effect: misspelt options, pools that are not used.
void CheckNames(const json::Object& body, const engine::NetworkSpec& spec) {
  if (const auto options = body.OptionalObject("driver_opts")) {
    engine::CheckDriverOptions(*options, spec.type);
  }
  if (const auto labels = body.OptionalObject("options")) {
    engine::CheckNetworkLabels(*labels);
    const auto generic = labels->OptionalObject(engine::kGenericLabel);
    if (generic) engine::CheckDriverOptions(*generic, spec.type);
  }
  if (const auto labels = body.OptionalObject("network_opts")) engine::CheckNetworkLabels(*labels);
  if (const auto options = body.OptionalObject("ipam_options")) {
    engine::CheckIpamOptions(*options, spec.ipam);
  }
  if (!spec.ipv6.empty() && !spec.enable_ipv6) {
    body.Fail("ipv6_configuration", fmt::format("without network_opts {{\"{}\": \"true\"}} no "
                                                "endpoint gets an address of it",
                                                engine::kEnableIpv6Label));
  }
}

engine::NetworkSpec NetworkIn(const json::Object& body, std::string_view default_driver) {
  engine::NetworkSpec spec;
  body.Optional("name", spec.name);
  body.Optional("id", spec.id);
  body.Optional("network_type", spec.type);
  if (spec.type.empty()) spec.type = default_driver;
  spec.options = NetworkOptions(body, spec);
  const TextMap network_options = TextMapIn(body, "network_opts");
  spec.enable_ipv6 = BooleanIn(body, network_options, engine::kEnableIpv6Label);
  spec.internal = BooleanIn(body, network_options, engine::kInternalLabel);
  engine::NetworkConfig labels;
  if (const auto options = body.OptionalObject("options")) {
    engine::DecodeNetworkOptions(*options, labels);
  }
  spec.enable_ipv6 = spec.enable_ipv6 || labels.enable_ipv6;
  spec.internal = spec.internal || labels.internal;
  body.Optional("ipam_driver", spec.ipam);
  spec.ipam_options = TextMapIn(body, "ipam_options");
  spec.ipv4 = PoolsIn(body, "ipv4_configuration");
  spec.ipv6 = PoolsIn(body, "ipv6_configuration");
  CheckNames(body, spec);
  return spec;
}

/// An address without length is one of the network's pool: the pool knows its length.
std::optional<net::Prefix> AddressIn(const json::Object& body, std::string_view key) {
  std::string text;
  body.Optional(key, text);
  if (text.empty()) return std::nullopt;
  if (const auto plain = net::Address::Parse(text)) return net::Prefix{*plain, plain->bits()};
  const auto prefix = net::Prefix::Parse(text);
  if (!prefix) body.Fail(key, fmt::format("\"{}\" is not an IP address", text));
  return prefix;
}

EndpointBody EndpointIn(const json::Object& body) {
  EndpointBody endpoint;
  body.Optional("name", endpoint.spec.name);
  body.Optional("network_name", endpoint.network);
  endpoint.spec.exposed_ports = engine::DecodeExposedPorts(body, "exposed_ports");
  endpoint.spec.port_bindings = engine::DecodePortBindings(body, "port_mapping");
  body.Optional("my_aliases", endpoint.spec.aliases);
  endpoint.spec.interface.address = AddressIn(body, "address");
  endpoint.spec.interface.address_ipv6 = AddressIn(body, "address_ipv6");
  std::string mac;
  body.Optional("mac_address", mac);
  if (mac.empty()) return endpoint;
  endpoint.spec.interface.mac = net::Mac::Parse(mac);
  if (!endpoint.spec.interface.mac) {
    body.Fail("mac_address", fmt::format("\"{}\" is not a MAC address", mac));
  }
  return endpoint;
}

JoinBody JoinIn(const json::Object& body) {
  JoinBody join;
  body.Optional("sandbox_id", join.sandbox_id);
  std::vector<std::string> aliases;
  body.Optional("aliases", aliases);
  for (const std::string& pair : aliases) {
    const size_t colon = pair.find(':');
    if (colon == std::string::npos || colon == 0 || colon + 1 == pair.size()) {
      body.Fail("aliases", fmt::format("\"{}\" is not TARGET:ALIAS", pair));
    }
    join.spec.aliases[pair.substr(colon + 1)] = pair.substr(0, colon);
  }
  int64_t priority = 0;
  body.Optional("priority", priority, json::Between{INT32_MIN, INT32_MAX});
  join.spec.priority = static_cast<int>(priority);
  return join;
}

engine::SandboxSpec SandboxIn(const json::Object& body) {
  engine::SandboxSpec spec;
  body.Optional("container_id", spec.container_id);
  body.Optional("host_name", spec.host_name);
  body.Optional("domain_name", spec.domain_name);
  body.Optional("hosts_path", spec.hosts_path);
  body.Optional("resolv_conf_path", spec.resolv_conf_path);
  body.Optional("dns", spec.dns);
  body.Optional("dns_search", spec.dns_search);
  body.Optional("dns_options", spec.dns_options);
  body.Optional("use_default_sandbox", spec.use_default_sandbox);
  body.Optional("use_external_key", spec.use_external_key);
  if (const auto options = body.OptionalObject("options")) spec.options = options->Text();
  for (const json::Object& o : body.Objects("extra_hosts")) {
    engine::ExtraHost& host = spec.extra_hosts.emplace_back();
    o.Optional("name", host.name);
    o.Optional("address", host.address);
  }
  return spec;
}

}  // namespace

engine::NetworkSpec DecodeNetworkBody(std::string_view body, std::string_view default_driver) {
  return Decoded(body, [&](const json::Object& o) { return NetworkIn(o, default_driver); });
}

EndpointBody DecodeEndpointBody(std::string_view body) {
  return Decoded(body, EndpointIn);
}

JoinBody DecodeJoinBody(std::string_view body) {
  return Decoded(body, JoinIn);
}

engine::SandboxSpec DecodeSandboxBody(std::string_view body) {
  return Decoded(body, SandboxIn);
}

bool DecodeForce(std::string_view body) {
  if (body.find_first_not_of(" \t\r\n") == std::string_view::npos) return false;
  return Decoded(body, [](const json::Object& o) {
    bool force = false;
    std::string name;  // said for people who read along; the path says which service
    o.Optional("name", name);
    o.Optional("force", force);
    return force;
  });
}

}  // namespace cnm::api
