// labels.cc: the JSON that Docker's protocols share.
#include "cnm/engine/labels.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <utility>

#include <fmt/format.h>

#include "cnm/engine/ipam_driver.h"
#include "common/base/error.h"

namespace cnm::engine {
namespace {

constexpr json::Between kPortRange{0, UINT16_MAX};
constexpr json::Between kProtocolRange{0, UINT8_MAX};
constexpr std::string_view kBase64 =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// The member as parsed by T::Parse; nullopt when absent or "".
template <class T>
std::optional<T> DecodeText(const json::Object& object, std::string_view key,
                            std::string_view want) {
  std::string text;
  object.Optional(key, text);
  if (text.empty()) return std::nullopt;
  auto value = T::Parse(text);
  if (!value) object.Fail(key, fmt::format("\"{}\" is not {}", text, want));
  return value;
}

std::optional<net::Address> DecodeAddress(const json::Object& object, std::string_view key) {
  return DecodeText<net::Address>(object, key, "an IP address");
}

/// An address with its length, or without: then it has its pool's.
std::optional<net::Prefix> DecodePoolAddress(const json::Object& object, std::string_view key,
                                             const net::Prefix& pool) {
  std::string text;
  object.Optional(key, text);
  if (const auto plain = net::Address::Parse(text)) return net::Prefix{*plain, pool.length};
  return DecodeText<net::Prefix>(object, key, "an address in CIDR notation");
}

uint16_t DecodePort(const json::Object& object, std::string_view key) {
  uint32_t port = 0;
  object.Optional(key, port, kPortRange);
  return static_cast<uint16_t>(port);
}

uint8_t DecodeProtocol(const json::Object& object) {
  uint32_t protocol = 0;
  object.Optional("Proto", protocol, kProtocolRange);
  return static_cast<uint8_t>(protocol);
}

template <class T>
std::string Text(const std::optional<T>& value) {
  return value ? value->ToString() : std::string();
}

/// The six bytes that eight base64 digits say; nullopt for any other text.
std::optional<net::Mac> DecodeBase64Mac(std::string_view text) {
  net::Mac mac;
  if (text.size() != 8) return std::nullopt;
  for (size_t group = 0; group < 2; ++group) {
    uint32_t bits = 0;
    for (const char digit : text.substr(group * 4, 4)) {
      const size_t value = kBase64.find(digit);
      if (value == std::string_view::npos) return std::nullopt;
      bits = bits << 6U | static_cast<uint32_t>(value);
    }
    for (size_t i = 0; i < 3; ++i) {
      mac.bytes[group * 3 + i] = static_cast<uint8_t>(bits >> (16 - 8 * i));
    }
  }
  return mac;
}

PoolData DecodePool(const json::Object& object) {
  PoolData data;
  object.Optional("AddressSpace", data.address_space);
  const auto pool = DecodeText<net::Prefix>(object, "Pool", "a subnet in CIDR notation");
  if (!pool) object.Fail("Pool", "missing, want a subnet in CIDR notation");
  data.pool = pool->Subnet();
  data.gateway = DecodePoolAddress(object, "Gateway", data.pool);
  const auto aux = object.OptionalObject("AuxAddresses");
  for (const std::string& name : aux ? aux->Keys() : std::vector<std::string>()) {
    if (const auto address = DecodePoolAddress(*aux, name, data.pool)) data.aux[name] = *address;
  }
  return data;
}

}  // namespace

std::vector<ExposedPort> DecodeExposedPorts(const json::Object& options, std::string_view key) {
  std::vector<ExposedPort> ports;
  const std::vector<json::Object> elements = options.Objects(key);
  ports.reserve(elements.size());
  for (const json::Object& o : elements)
    ports.push_back({DecodeProtocol(o), DecodePort(o, "Port")});
  return ports;
}

void EncodeExposedPorts(const std::vector<ExposedPort>& ports, json::Writer& writer) {
  writer.BeginArray();
  for (const ExposedPort& port : ports) {
    writer.BeginObject();
    writer.Member("Proto", uint32_t{port.protocol});
    writer.Member("Port", uint32_t{port.port});
    writer.EndObject();
  }
  writer.EndArray();
}

std::vector<PortBinding> DecodePortBindings(const json::Object& options, std::string_view key) {
  std::vector<PortBinding> bindings;
  const std::vector<json::Object> elements = options.Objects(key);
  bindings.reserve(elements.size());
  for (const json::Object& o : elements) {
    bindings.push_back({.protocol = DecodeProtocol(o),
                        .ip = DecodeAddress(o, "IP"),
                        .port = DecodePort(o, "Port"),
                        .host_ip = DecodeAddress(o, "HostIP"),
                        .host_port = DecodePort(o, "HostPort"),
                        .host_port_end = DecodePort(o, "HostPortEnd")});
  }
  return bindings;
}

void EncodePortBindings(const std::vector<PortBinding>& bindings, json::Writer& writer) {
  writer.BeginArray();
  for (const PortBinding& binding : bindings) {
    writer.BeginObject();
    writer.Member("Proto", uint32_t{binding.protocol});
    writer.Member("IP", Text(binding.ip));
    writer.Member("Port", uint32_t{binding.port});
    writer.Member("HostIP", Text(binding.host_ip));
    writer.Member("HostPort", uint32_t{binding.host_port});
    writer.Member("HostPortEnd", uint32_t{binding.host_port_end});
    writer.EndObject();
  }
  writer.EndArray();
}

std::vector<PoolData> DecodePools(const json::Object& object, std::string_view key) {
  std::vector<PoolData> pools;
  const std::vector<json::Object> elements = object.Objects(key);
  pools.reserve(elements.size());
  for (const json::Object& o : elements) pools.push_back(DecodePool(o));
  return pools;
}

void EncodePools(const std::vector<PoolData>& pools, json::Writer& writer) {
  writer.BeginArray();
  for (const PoolData& data : pools) {
    writer.BeginObject();
    writer.Member("AddressSpace", data.address_space);
    writer.Member("Pool", data.pool.ToString());
    writer.MemberUnlessEmpty("Gateway", Text(data.gateway));
    if (!data.aux.empty()) {
      writer.Key("AuxAddresses").BeginObject();
      for (const auto& [name, address] : data.aux) writer.Member(name, address.ToString());
      writer.EndObject();
    }
    writer.EndObject();
  }
  writer.EndArray();
}

Interface DecodeInterface(const json::Object& object, std::string_view key) {
  Interface interface;
  const auto o = object.OptionalObject(key);
  if (!o) return interface;
  interface.address = DecodeText<net::Prefix>(*o, "Address", "an address in CIDR notation");
  interface.address_ipv6 =
      DecodeText<net::Prefix>(*o, "AddressIPv6", "an address in CIDR notation");
  interface.mac = DecodeText<net::Mac>(*o, "MacAddress", "a MAC address");
  return interface;
}

void EncodeInterface(const Interface& interface, json::Writer& writer) {
  writer.BeginObject();
  writer.Member("Address", Text(interface.address));
  writer.Member("AddressIPv6", Text(interface.address_ipv6));
  writer.Member("MacAddress", Text(interface.mac));
  writer.EndObject();
}

void EncodeChosenInterface(const Interface& interface, json::Writer& writer) {
  writer.BeginObject();
  writer.MemberUnlessEmpty("Address", Text(interface.address));
  writer.MemberUnlessEmpty("AddressIPv6", Text(interface.address_ipv6));
  writer.MemberUnlessEmpty("MacAddress", Text(interface.mac));
  writer.EndObject();
}

std::optional<net::Mac> DecodeMacLabel(const json::Object& options) {
  std::string text;
  options.Optional(kMacLabel, text);
  if (text.empty()) return std::nullopt;
  if (const auto mac = net::Mac::Parse(text)) return mac;
  if (const auto mac = DecodeBase64Mac(text)) return mac;
  options.Fail(kMacLabel, fmt::format("\"{}\" is not a MAC address", text));
}

std::string EncodeMacLabel(const net::Mac& mac) {
  std::string text;
  text.reserve(8);
  for (size_t group = 0; group < 2; ++group) {
    uint32_t bits = 0;
    for (size_t i = 0; i < 3; ++i) bits = bits << 8U | mac.bytes[group * 3 + i];
    for (size_t i = 0; i < 4; ++i) text += kBase64[bits >> (18 - 6 * i) & 63U];
  }
  return text;
}

void DecodeNetworkOptions(const json::Object& options, NetworkConfig& network) {
  options.Optional(kEnableIpv6Label, network.enable_ipv6);
  options.Optional(kInternalLabel, network.internal);
  const auto generic = options.OptionalObject(kGenericLabel);
  if (generic && !generic->Keys().empty()) network.options = generic->Text();
}

void EncodeNetworkOptions(const NetworkConfig& network, json::Writer& writer) {
  writer.BeginObject();
  writer.Member(kEnableIpv6Label, network.enable_ipv6);
  writer.Key(kGenericLabel).Raw(network.options.empty() ? "{}" : network.options);
  if (network.internal) writer.Member(kInternalLabel, true);
  writer.EndObject();
}

}  // namespace cnm::engine
