// result.h: what an ADD gives, as one value for all versions of the protocol.
//
// Theory of operation: inside there is only this Result, which holds what the newest version can
// say. Text of any version is decoded into it and encoded from it; converting between two versions
// is decoding one and encoding the other.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "cnm/address_source.h"
#include "common/json/object.h"
#include "common/net/prefix.h"

namespace cnm::cni {

/// A link that exists after ADD. Zero or empty = not given.
struct ResultInterface {
  std::string name;
  std::string mac;      ///< as text: other plugins' links may have other than 6 bytes
  std::string sandbox;  ///< CNI_NETNS exactly as given; "" = the host
  uint32_t mtu = 0;
  std::string socket_path;
  std::string pci_id;
  bool operator==(const ResultInterface&) const = default;
};

/// An address that exists after ADD.
struct ResultAddress {
  net::Prefix address;
  std::optional<net::Address> gateway;
  std::optional<int> interface_index;  ///< into Result::interfaces; absent in the result of an IPAM
  bool operator==(const ResultAddress&) const = default;
};

/// CNI SPEC "Result types"; reference RS-1.
struct Result {
  std::vector<ResultInterface> interfaces;
  std::vector<ResultAddress> ips;
  std::vector<RouteSpec> routes;
  DnsSettings dns;
  bool operator==(const Result&) const = default;
};

/// The result as JSON of that version, four spaces a level, without a final newline. Versions
/// before 0.3.0 keep the first address of each family and of the routes only destination and
/// gateway.
/// @throws Error kIncompatibleVersion "unsupported CNI result version "X""; kConfig "cannot
/// convert: no valid IP addresses" when a version before 0.3.0 is asked for and there is no address
std::string PrintResult(const Result& result, std::string_view version);

/// Reads a result of any version. Without its own cniVersion (absent, null or "") it is of version
/// `assumed`.
/// @throws Error kDecode "$.ips[0].address: ..."; kIncompatibleVersion
Result DecodeResult(const json::Object& object, std::string_view assumed);

/// `prevResult` of a configuration of version `config_version`; nullopt when absent. It must be of
/// the same result family (reference IN-4).
/// @throws Error "could not parse prevResult: ..."
std::optional<Result> DecodePrevResult(const json::Object& config, std::string_view config_version);

/// An object with nameservers, domain, search, options.
DnsSettings DecodeDns(const json::Object& object);

}  // namespace cnm::cni
