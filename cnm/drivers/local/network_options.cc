// network_options.cc: decoding a network's options.
#include "cnm/drivers/local/network_options.h"

#include <array>
#include <charconv>
#include <string_view>
#include <system_error>

#include <fmt/format.h>

#include "cnm/engine/option_names.h"
#include "cnm/pools/lease_network.h"
#include "common/base/error.h"
#include "common/json/object.h"
#include "common/net/link_name.h"

namespace cnm::local {
namespace {

using Names = engine::OptionNames;

[[noreturn]] void FailToParse(std::string_view name, std::string_view text) {
  throw Error(Code::kConfig, fmt::format("failed to parse {} value", name),
              fmt::format("it is {:?}", text));
}

/// The option's text under this name; nullopt when it is absent.
std::optional<std::string> FindText(const json::Object& o, std::string_view name) {
  if (name.empty() || !o.Has(name)) return std::nullopt;
  std::string text;
  try {
    o.Optional(name, text);
  } catch (const Error& e) {
    throw Error(Code::kConfig, fmt::format("invalid type for {} value", name), e.message());
  }
  return text;
}

/// As Go's ParseBool.
std::optional<bool> ParseBool(std::string_view text) {
  for (const std::string_view yes : {"1", "t", "T", "TRUE", "true", "True"}) {
    if (text == yes) return true;
  }
  for (const std::string_view no : {"0", "f", "F", "FALSE", "false", "False"}) {
    if (text == no) return false;
  }
  return std::nullopt;
}

std::optional<int> ParseInt(std::string_view text) {
  int number = 0;
  const char* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, number);
  if (error != std::errc() || stop != end) return std::nullopt;
  return number;
}

/// Reads the option by `parse`, by its key and then by its label. An empty text is no value.
template <class Value>
bool Read(const json::Object& o, const Names& names,
          std::optional<Value> (*parse)(std::string_view), std::optional<Value>& out) {
  bool found = false;
  for (const std::string_view name : {names.key, names.label}) {
    const std::optional<std::string> text = FindText(o, name);
    if (!text || text->empty()) continue;
    out = parse(*text);
    if (!out) FailToParse(name, *text);
    found = true;
  }
  return found;
}

void ReadFlag(const json::Object& o, const Names& names, bool& out) {
  std::optional<bool> value;
  if (Read(o, names, ParseBool, value)) out = *value;
}

void ReadMtu(const json::Object& o, NetworkOptions& options) {
  std::optional<int> mtu;
  if (!Read(o, engine::kMtuNames, ParseInt, mtu)) return;
  if (*mtu < 0 || *mtu > 65535) {
    throw Error(Code::kConfig, fmt::format("invalid MTU number: {}", *mtu));
  }
  options.mtu = static_cast<uint32_t>(*mtu);
}

void ReadBridge(const json::Object& o, NetworkOptions& options) {
  for (const std::string_view name : {engine::kBridgeNames.key, engine::kBridgeNames.label}) {
    if (auto text = FindText(o, name); text && !text->empty()) options.bridge = *std::move(text);
  }
  if (options.bridge.empty() || net::IsLinkName(options.bridge)) return;
  throw Error(Code::kConfig, fmt::format("{:?} is no link name", options.bridge),
              "want 1 to 15 bytes without '/', ':', white space and control characters");
}

/// Whether the subnet `inner` lies within the one of `outer`.
bool Lies(const net::Prefix& inner, const net::Prefix& outer) {
  return inner.length >= outer.length && outer.Contains(inner.address);
}

void CheckAddresses(const NetworkOptions& options) {
  const bool bad_subnet =
      options.fixed && options.address && !Lies(*options.fixed, *options.address);
  if (bad_subnet) {
    throw Error(Code::kConfig, "container subnet must be a subset of bridge network",
                fmt::format("FixedCIDR {}, AddressIPv4 {}", options.fixed->ToString(),
                            options.address->ToString()));
  }
  const bool bad_gateway =
      options.gateway && options.address && !options.address->Contains(*options.gateway);
  const bool bad_ipv6 =
      options.gateway_ipv6 &&
      (!options.fixed_ipv6 || !options.fixed_ipv6->Contains(*options.gateway_ipv6));
  if (bad_gateway || bad_ipv6) {
    throw Error(Code::kConfig, "default gateway ip must be part of the network",
                bad_gateway ? "DefaultGatewayIPv4" : "DefaultGatewayIPv6");
  }
}

}  // namespace

NetworkOptions DecodeNetworkOptions(const engine::NetworkConfig& config) {
  NetworkOptions options{.ipv6 = config.enable_ipv6, .internal = config.internal};
  const json::Object o =
      json::Parse(config.options.empty() ? "{}" : config.options, "network options");
  if (auto network = FindText(o, pools::kNetworkOption)) options.network = *std::move(network);
  ReadBridge(o, options);
  ReadMtu(o, options);
  ReadFlag(o, engine::kMasqueradeNames, options.masquerade);
  ReadFlag(o, engine::kIccNames, options.icc);
  ReadFlag(o, engine::kBareNames, options.bare);
  ReadFlag(o, engine::kIpv6Names, options.ipv6);
  ReadFlag(o, engine::kInternalNames, options.internal);
  Read(o, engine::kBindingNames, net::Address::Parse, options.binding);
  Read(o, engine::kAddressNames, net::Prefix::Parse, options.address);
  Read(o, engine::kFixedNames, net::Prefix::Parse, options.fixed);
  Read(o, engine::kFixedIpv6Names, net::Prefix::Parse, options.fixed_ipv6);
  Read(o, engine::kGatewayNames, net::Address::Parse, options.gateway);
  Read(o, engine::kGatewayIpv6Names, net::Address::Parse, options.gateway_ipv6);
  CheckAddresses(options);
  return options;
}

}  // namespace cnm::local
