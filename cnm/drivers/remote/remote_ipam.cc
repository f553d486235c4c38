// remote_ipam.cc: an IPAM driver that is a Docker plugin.
#include "cnm/drivers/remote/remote_ipam.h"

#include <vector>

#include <fmt/format.h>

#include "common/base/error.h"
#include "common/json/writer.h"

namespace cnm::remote {
namespace {

using json::Writer;

void WriteTexts(const std::map<std::string, std::string>& texts, Writer& w) {
  w.BeginObject();
  for (const auto& [key, value] : texts) w.Member(key, value);
  w.EndObject();
}

template <class T>
std::string Text(const std::optional<T>& value) {
  return value ? value->ToString() : std::string();
}

/// The member as a CIDR; nullopt when absent or "".
std::optional<net::Prefix> ReadPrefix(const json::Object& answer, std::string_view key) {
  std::string text;
  answer.Optional(key, text);
  if (text.empty()) return std::nullopt;
  auto prefix = net::Prefix::Parse(text);
  if (!prefix) {
    throw Error(Code::kDecode, fmt::format("{} \"{}\" is not in CIDR notation", key, text));
  }
  return prefix;
}

bool IsGatewayRequest(const std::map<std::string, std::string>& options) {
  const auto type = options.find(engine::kRequestTypeLabel);
  return type != options.end() && type->second == engine::kGatewayLabel;
}

}  // namespace

std::shared_ptr<RemoteIpam> RemoteIpam::Find(const std::string& name,
                                             const PluginSettings& settings) {
  auto plugin = Plugin::Find(name, "IpamDriver", settings);
  if (!plugin) return nullptr;
  std::shared_ptr<RemoteIpam> ipam(new RemoteIpam(*std::move(plugin)));
  ipam->ReadCapabilities();
  ipam->ReadSpaces();
  return ipam;
}

json::Object RemoteIpam::Call(std::string_view method, const std::string& body) const {
  return plugin_.Call(fmt::format("IpamDriver.{}", method), body);
}

void RemoteIpam::ReadCapabilities() {
  try {
    const json::Object answer = Call("GetCapabilities", "");
    answer.Optional("RequiresMACAddress", requires_mac_);
    answer.Optional("RequiresRequestReplay", requires_replay_);
  } catch (const Error& error) {
    if (error.code() == Code::kUnavailable) throw;  // it is gone, not old
  }
}

void RemoteIpam::ReadSpaces() {
  const json::Object answer = Call("GetDefaultAddressSpaces", "");
  answer.Optional("LocalDefaultAddressSpace", local_space_);
  answer.Optional("GlobalDefaultAddressSpace", global_space_);
}

engine::Pool RemoteIpam::RequestPool(const engine::PoolSpec& spec) {
  Writer w;
  w.BeginObject();
  w.Member("AddressSpace", spec.address_space.empty() ? local_space_ : spec.address_space);
  w.Member("Pool", Text(spec.pool)).Member("SubPool", Text(spec.sub_pool)).Key("Options");
  WriteTexts(spec.options, w);
  const json::Object answer = Call("RequestPool", w.Member("V6", spec.ipv6).EndObject().Take());
  engine::Pool pool;
  answer.Optional("PoolID", pool.id);
  const auto subnet = ReadPrefix(answer, "Pool");
  if (!subnet) throw Error(Code::kDecode, "no pool returned");
  pool.pool = *subnet;
  const auto data = answer.OptionalObject("Data");
  for (const std::string& key : data ? data->Keys() : std::vector<std::string>()) {
    data->Optional(key, pool.data[key]);
  }
  return pool;
}

void RemoteIpam::ReleasePool(const std::string& pool_id) {
  Call("ReleasePool", Writer().BeginObject().Member("PoolID", pool_id).EndObject().Take());
}

std::optional<net::Prefix> RemoteIpam::RequestAddress(
    const std::string& pool_id, const std::optional<net::Address>& address,
    const std::map<std::string, std::string>& options) {
  Writer w;
  w.BeginObject().Member("PoolID", pool_id).Member("Address", Text(address)).Key("Options");
  if (options.empty()) {
    w.Null();
  } else {
    WriteTexts(options, w);
  }
  const auto given = ReadPrefix(Call("RequestAddress", w.EndObject().Take()), "Address");
  if (!given && !IsGatewayRequest(options)) throw Error(Code::kUnavailable, "no address returned");
  return given;
}

void RemoteIpam::ReleaseAddress(const std::string& pool_id, const net::Address& address) {
  Writer w;
  w.BeginObject().Member("PoolID", pool_id).Member("Address", address.ToString()).EndObject();
  Call("ReleaseAddress", w.Take());
}

}  // namespace cnm::remote
