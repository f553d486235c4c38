// mapping.cc: one published port, or a range of them, as the runtime asks for it.
#include "plugins/meta/portmap/mapping.h"

#include <algorithm>
#include <array>
#include <string_view>
#include <tuple>

#include <fmt/format.h>

#include "common/base/error.h"

namespace cnm::portmap {
namespace {

using firewall::Protocol;
using net::Family;

constexpr int64_t kLastPort = 65535;

Protocol DecodeProtocol(const json::Object& entry) {
  std::string text;
  entry.Optional("protocol", text);
  for (char& c : text) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  if (text.empty()) return Protocol::kTcp;
  for (const Protocol protocol : {Protocol::kTcp, Protocol::kUdp, Protocol::kSctp}) {
    if (text == NameOf(protocol)) return protocol;
  }
  throw Error(Code::kConfig, fmt::format("unknown protocol {:?}: want tcp, udp or sctp", text),
              entry.path() + ".protocol");
}

std::optional<net::Address> DecodeHostAddress(const json::Object& entry) {
  std::string text;
  entry.Optional("hostIP", text);
  if (text.empty()) return {};
  std::optional<net::Address> address = net::Address::Parse(text);
  if (address) return address;
  throw Error(Code::kConfig, fmt::format("hostIP {:?} is no IP address", text),
              entry.path() + ".hostIP");
}

/// `side`: "container" or "host", for the reference's words.
uint16_t DecodePort(const json::Object& entry, std::string_view key, std::string_view side) {
  int64_t port = 0;
  entry.Optional(key, port);
  if (port > 0 && port <= kLastPort) return static_cast<uint16_t>(port);
  throw Error(Code::kConfig, fmt::format("Invalid {} port number: {}", side, port),
              fmt::format("{}.{}", entry.path(), key));
}

uint16_t DecodeCount(const json::Object& entry, const Mapping& mapping) {
  constexpr std::string_view kKey = "hostPortEnd";
  if (!entry.Has(kKey)) return 1;
  const uint16_t end = DecodePort(entry, kKey, "host");
  const int count = end - mapping.host_port + 1;
  if (count < 1) {
    entry.Fail(kKey, fmt::format("{} is before hostPort {}", end, mapping.host_port));
  }
  if (mapping.container_port + count - 1 > kLastPort) {
    entry.Fail(kKey, fmt::format("{} ports from containerPort {} on go beyond {}", count,
                                 mapping.container_port, kLastPort));
  }
  return static_cast<uint16_t>(count);
}

Mapping DecodeMapping(const json::Object& entry) {
  Mapping mapping;
  mapping.container_port = DecodePort(entry, "containerPort", "container");
  mapping.host_port = DecodePort(entry, "hostPort", "host");
  mapping.count = DecodeCount(entry, mapping);
  mapping.protocol = DecodeProtocol(entry);
  mapping.host_address = DecodeHostAddress(entry);
  return mapping;
}

/// Host ports that a mapping takes on one address (unspecified = every one of its family).
struct Claim {
  Protocol protocol;
  net::Address address;
  int first;
  int last;
  size_t mapping;  // its index

  auto Order() const { return std::tie(protocol, address, first, last, mapping); }
};

std::vector<Claim> ClaimsOf(const std::vector<Mapping>& mappings) {
  const std::array<net::Address, 2> anywhere = {net::Address(), net::Address::Parse("::").value()};
  std::vector<Claim> claims;
  for (size_t i = 0; i < mappings.size(); ++i) {
    const Mapping& mapping = mappings[i];
    const int last = mapping.host_port + mapping.count - 1;
    for (const net::Address& any : anywhere) {
      if (!mapping.Serves(any.family())) continue;
      claims.push_back(
          {mapping.protocol, mapping.host_address.value_or(any), mapping.host_port, last, i});
    }
  }
  return claims;
}

/// A specific address beside a wildcard of the same port is no conflict: the specific one wins.
void RequireDistinct(const std::vector<Mapping>& mappings, const std::string& path) {
  std::vector<Claim> claims = ClaimsOf(mappings);
  std::sort(claims.begin(), claims.end(),
            [](const Claim& a, const Claim& b) { return a.Order() < b.Order(); });
  const auto clash =
      std::adjacent_find(claims.begin(), claims.end(), [](const Claim& a, const Claim& b) {
        return a.protocol == b.protocol && a.address == b.address && b.first <= a.last;
      });
  if (clash == claims.end()) return;
  const auto [one, other] = std::minmax(clash->mapping, std::next(clash)->mapping);
  throw Error(Code::kConfig, fmt::format("host port {} is mapped twice", ToString(mappings[other])),
              fmt::format("{0}[{1}], {0}[{2}]", path, one, other));
}

}  // namespace

std::vector<Mapping> DecodeMappings(const json::Object& runtime) {
  constexpr std::string_view kKey = "portMappings";
  std::vector<Mapping> mappings;
  for (const json::Object& entry : runtime.Objects(kKey)) mappings.push_back(DecodeMapping(entry));
  RequireDistinct(mappings, fmt::format("{}.{}", runtime.path(), kKey));
  return mappings;
}

std::string ToString(const Mapping& mapping) {
  std::string text;
  if (mapping.host_address) {
    const std::string address = mapping.host_address->ToString();
    text = mapping.host_address->is_v4() ? address + ":" : "[" + address + "]:";
  }
  text += std::to_string(mapping.host_port);
  if (mapping.count > 1) text += fmt::format("-{}", mapping.host_port + mapping.count - 1);
  return fmt::format("{}/{}", text, NameOf(mapping.protocol));
}

}  // namespace cnm::portmap
