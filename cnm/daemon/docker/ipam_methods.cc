// ipam_methods.cc: IpamDriver.*: Docker's calls to an address allocator (libnetwork.md B.2).
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include <fmt/format.h>

#include "cnm/daemon/docker/methods.h"
#include "cnm/engine/option_names.h"
#include "common/base/error.h"
#include "common/json/writer.h"
#include "common/net/address.h"
#include "common/net/prefix.h"

namespace cnm::docker {
namespace {

using Texts = std::map<std::string, std::string>;

Texts DecodeOptions(const json::Object& request) {
  Texts texts;
  const auto options = request.OptionalObject("Options");
  if (!options) return texts;
  for (const std::string& key : options->Keys()) options->Optional(key, texts[key]);
  return texts;
}

void EncodeData(const Texts& data, json::Writer& writer) {
  writer.Key("Data").BeginObject();
  for (const auto& [key, value] : data) writer.Member(key, value);
  writer.EndObject();
}

/// CIDR text; nullopt when absent or empty.
std::optional<net::Prefix> OptionalPrefix(const json::Object& request, std::string_view key) {
  std::string text;
  request.Optional(key, text);
  if (text.empty()) return std::nullopt;
  const auto prefix = net::Prefix::Parse(text);
  if (!prefix) request.Fail(key, fmt::format("{} is no address with a prefix length", text));
  return prefix;
}

/// An address, also one with a prefix length, as some versions of Docker release gateways.
std::optional<net::Address> OptionalAddress(const json::Object& request, std::string_view key) {
  std::string text;
  request.Optional(key, text);
  if (text.empty()) return std::nullopt;
  if (const auto address = net::Address::Parse(text)) return address;
  const auto prefix = net::Prefix::Parse(text);
  if (!prefix) request.Fail(key, fmt::format("{} is no IP address", text));
  return prefix->address;
}

/// Replay: Docker asks again, when it starts, for what it knows of. So it finds pools whose record
/// was lost, and we learn which addresses it still counts as given.
std::string GetCapabilities(const Backend& backend, const json::Object& /*request*/) {
  json::Writer writer;
  writer.BeginObject().Member("RequiresMACAddress", backend.ipam->requires_mac());
  return writer.Member("RequiresRequestReplay", true).EndObject().Take();
}

std::string GetDefaultAddressSpaces(const Backend& backend, const json::Object& /*request*/) {
  json::Writer writer;
  writer.BeginObject().Member("LocalDefaultAddressSpace", backend.ipam->LocalSpace());
  writer.Member("GlobalDefaultAddressSpace", backend.ipam->GlobalSpace());
  return writer.EndObject().Take();
}

std::string RequestPool(const Backend& backend, const json::Object& request) {
  engine::PoolSpec spec;
  request.Optional("AddressSpace", spec.address_space);
  spec.pool = OptionalPrefix(request, "Pool");
  spec.sub_pool = OptionalPrefix(request, "SubPool");
  spec.options = DecodeOptions(request);
  if (const auto options = request.OptionalObject("Options")) engine::CheckOwnOptions(*options);
  request.Optional("V6", spec.ipv6);
  const engine::Pool pool = backend.ipam->RequestPool(spec);
  json::Writer writer;
  writer.BeginObject().Member("PoolID", pool.id).Member("Pool", pool.pool.ToString());
  EncodeData(pool.data, writer);
  return writer.EndObject().Take();
}

std::string ReleasePool(const Backend& backend, const json::Object& request) {
  backend.ipam->ReleasePool(RequiredText(request, "PoolID"));
  return "{}";
}

std::string RequestAddress(const Backend& backend, const json::Object& request) {
  const auto given = backend.ipam->RequestAddress(
      RequiredText(request, "PoolID"), OptionalAddress(request, "Address"), DecodeOptions(request));
  json::Writer writer;
  writer.BeginObject().Member("Address", given ? given->ToString() : std::string());
  EncodeData({}, writer);
  return writer.EndObject().Take();
}

std::string ReleaseAddress(const Backend& backend, const json::Object& request) {
  const std::string pool = RequiredText(request, "PoolID");
  const auto address = OptionalAddress(request, "Address");
  if (!address) request.Fail("Address", "is empty");
  backend.ipam->ReleaseAddress(pool, *address);
  return "{}";
}

struct Named {
  std::string_view name;
  Method method;
};
constexpr Named kMethods[] = {
    {"GetCapabilities", GetCapabilities}, {"GetDefaultAddressSpaces", GetDefaultAddressSpaces},
    {"RequestPool", RequestPool},         {"ReleasePool", ReleasePool},
    {"RequestAddress", RequestAddress},   {"ReleaseAddress", ReleaseAddress},
};

}  // namespace

Method FindIpamMethod(std::string_view name) {
  constexpr std::string_view kInterface = "IpamDriver.";
  if (!name.starts_with(kInterface)) return nullptr;
  name.remove_prefix(kInterface.size());
  for (const Named& candidate : kMethods) {
    if (candidate.name == name) return candidate.method;
  }
  return nullptr;
}

}  // namespace cnm::docker
