// labels.h: the JSON that Docker's protocols share: labels in options, and the values that plugins,
// the daemon and the REST API write alike (libnetwork.md §10.4, §17, B.1).
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "cnm/engine/values.h"
#include "common/json/object.h"
#include "common/json/writer.h"

namespace cnm::engine {

/// Network options: the object that the network's driver is given.
inline constexpr char kGenericLabel[] = "com.docker.network.generic";
inline constexpr char kEnableIpv6Label[] = "com.docker.network.enable_ipv6";
inline constexpr char kInternalLabel[] = "com.docker.network.internal";
/// Endpoint options: ports to publish, ports that are exposed.
inline constexpr char kPortMapLabel[] = "com.docker.network.portmap";
inline constexpr char kExposedPortsLabel[] = "com.docker.network.endpoint.exposedports";

/// The decoders below read the member `key` of `object` (the port lists: of options, or of a REST
/// body) and give an empty value when it is absent or null. Empty texts are absent values.
/// All @throws Error kDecode for a wrong JSON type, kConfig "$.IPv4Data[0].Pool: ..." for a text
/// that is no address.

/// [{"Proto":6,"Port":80}]
std::vector<ExposedPort> DecodeExposedPorts(const json::Object& options,
                                            std::string_view key = kExposedPortsLabel);
void EncodeExposedPorts(const std::vector<ExposedPort>& ports, json::Writer& writer);

/// [{"Proto":6,"IP":"","Port":80,"HostIP":"","HostPort":8091,"HostPortEnd":8091}]
std::vector<PortBinding> DecodePortBindings(const json::Object& options,
                                            std::string_view key = kPortMapLabel);
void EncodePortBindings(const std::vector<PortBinding>& bindings, json::Writer& writer);

/// [{"AddressSpace":"x","Pool":"10.60.0.0/24","Gateway":"10.60.0.1/24","AuxAddresses":{"a":"CIDR"}}]
/// Host bits of a pool are cleared; an address without length gets its pool's.
std::vector<PoolData> DecodePools(const json::Object& object, std::string_view key);
void EncodePools(const std::vector<PoolData>& pools, json::Writer& writer);

/// {"Address":"10.60.0.2/24","AddressIPv6":"","MacAddress":""}
Interface DecodeInterface(const json::Object& object, std::string_view key);
/// Writes all three members, "" for what is absent: what an endpoint has, to a driver.
void EncodeInterface(const Interface& interface, json::Writer& writer);
/// Writes the present ones alone: what a driver chose. Nothing at all is {}.
void EncodeChosenInterface(const Interface& interface, json::Writer& writer);

/// The MAC under "com.docker.network.endpoint.macaddress": base64 of its six bytes as Docker writes
/// it, or its text.
std::optional<net::Mac> DecodeMacLabel(const json::Object& options);
/// Base64 of the six bytes.
std::string EncodeMacLabel(const net::Mac& mac);

/// The members of a network's options that values.h has members for; `id` and pools are not among
/// them. {"com.docker.network.enable_ipv6":true,"com.docker.network.generic":{"myopt":"1"}}
void DecodeNetworkOptions(const json::Object& options, NetworkConfig& network);
void EncodeNetworkOptions(const NetworkConfig& network, json::Writer& writer);

}  // namespace cnm::engine
