// values.h: the words of the Container Network Model, as every driver and front door speaks them.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "common/firewall/firewall.h"
#include "common/net/mac.h"
#include "common/net/prefix.h"

namespace cnm::engine {

/// Where an object is known: on this host, or on every host of a cluster.
enum class Scope : uint8_t { kLocal, kGlobal };

/// A port that a container listens on. `protocol` is an IP protocol number (6, 17, 132, 1).
struct ExposedPort {
  uint8_t protocol = 6;
  uint16_t port = 0;
  bool operator==(const ExposedPort&) const = default;
};

/// A port to publish, and where it was published (libnetwork's types.PortBinding). Zero and absent
/// stand for "any" in a request.
struct PortBinding {
  uint8_t protocol = 6;
  std::optional<net::Address> ip = {};  ///< the container's
  uint16_t port = 0;                    ///< the container's
  std::optional<net::Address> host_ip = {};
  uint16_t host_port = 0;  ///< first of the range to choose from, or the one chosen
  uint16_t host_port_end = 0;
  bool operator==(const PortBinding&) const = default;
};

/// One pool of a network as drivers are told of it.
struct PoolData {
  std::string address_space;
  net::Prefix pool;                             ///< host bits zero
  std::optional<net::Prefix> gateway = {};      ///< with the pool's length
  std::map<std::string, net::Prefix> aux = {};  ///< auxiliary addresses by name
  bool operator==(const PoolData&) const = default;
};

/// What a driver is told of a network. `options` is the JSON object under
/// "com.docker.network.generic"; "" is none.
struct NetworkConfig {
  std::string id;  ///< 64 hex digits from us and Docker; any text from others
  std::string options;
  bool enable_ipv6 = false;
  bool internal = false;
  std::vector<PoolData> ipv4 = {};
  std::vector<PoolData> ipv6 = {};
  std::string name = {};  ///< as people call it; "" where it is not told: Docker's door
  bool operator==(const NetworkConfig&) const = default;
};

/// Addresses and MAC of an endpoint's interface; what is absent is for the driver to choose.
struct Interface {
  std::optional<net::Mac> mac = {};
  std::optional<net::Prefix> address = {};
  std::optional<net::Prefix> address_ipv6 = {};
  bool empty() const { return !mac && !address && !address_ipv6; }
  bool operator==(const Interface&) const = default;
};

/// What a driver is told of an endpoint. `options` are all its labels as a JSON object, those that
/// have a member here included, because remote drivers get them as they are; "" is none.
struct EndpointConfig {
  std::string network_id;
  std::string id;
  Interface interface = {};
  std::vector<ExposedPort> exposed_ports = {};
  std::vector<PortBinding> port_bindings = {};
  std::string options = {};
};

/// A route that comes with a join. Without `next_hop` the destination is on the link.
struct StaticRoute {
  net::Prefix destination;
  std::optional<net::Address> next_hop = {};
  bool operator==(const StaticRoute&) const = default;
};

/// What a driver answers to a join: the link that waits for the sandbox, and how the sandbox is to
/// use it.
struct JoinInfo {
  std::string src_name;       ///< the link's name where it waits; "" = no link
  std::string dst_prefix;     ///< "eth": the sandbox names it eth0, eth1, ...
  std::string dst_name = {};  ///< an exact name instead; "" = by the prefix
  std::optional<net::Address> gateway = {};
  std::optional<net::Address> gateway_ipv6 = {};
  std::vector<StaticRoute> routes = {};
  /// The endpoint wants no default route from elsewhere either.
  bool disable_gateway_service = false;
  bool in_sandbox = false;  ///< it waits there already, not on the host
  bool operator==(const JoinInfo&) const = default;
};

}  // namespace cnm::engine
