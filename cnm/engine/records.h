// records.h: networks, endpoints and sandboxes as they are recorded: what an engine needs to go on
// with them, or to undo what a killed one left half done.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "cnm/engine/engine.h"
#include "cnm/engine/values.h"
#include "common/netns/netns.h"

namespace cnm::engine {

/// Where records are: networks in the durable store, the others in the one until reboot; by id.
inline constexpr char kNetworkRecords[] = "engine-networks";
inline constexpr char kEndpointRecords[] = "engine-endpoints";
inline constexpr char kSandboxRecords[] = "engine-sandboxes";

/// The schema number in every record; one of a newer schema is left alone.
inline constexpr int64_t kEngineSchema = 1;

/// A pool that a network holds.
struct PoolHold {
  std::string id;  ///< the IPAM driver's
  PoolData data;
  std::optional<net::Prefix> sub_pool = {};  ///< that addresses were to come from
  bool gateway_requested = false;  ///< else the IPAM driver chose it together with the pool
  bool operator==(const PoolHold&) const = default;
};

/// A network. While `pending` it is being made or deleted; found so after a start it is deleted.
struct NetworkRecord {
  std::string name;
  std::string type;
  std::string ipam;  ///< "" = the driver's networks have no pools
  std::map<std::string, std::string> ipam_options = {};
  NetworkConfig config = {};
  std::vector<PoolHold> ipv4 = {};
  std::vector<PoolHold> ipv6 = {};
  int64_t created_ns = 0;  ///< since 1970; 0 = not recorded
  bool pending = true;
};

/// An endpoint, and its membership in a sandbox. `pending` as a network's; `moving`: its join or
/// leave has begun and not ended, so that after a start it is left.
struct EndpointRecord {
  std::string name;
  std::string id;
  std::string network_id;
  std::string boot_id = {};  ///< of the boot it was made in
  std::vector<ExposedPort> exposed_ports = {};
  std::vector<PortBinding> port_bindings = {};
  std::string options = {};
  std::vector<std::string> aliases = {};
  Interface interface = {};
  std::string pool = {};       ///< the pool of `interface.address`; "" = not from the IPAM
  std::string pool_ipv6 = {};  ///< of `interface.address_ipv6`
  bool pending = true;

  std::string sandbox_id = {};  ///< "" = not joined
  bool moving = false;
  JoinSpec join_spec = {};
  JoinInfo join = {};
  std::string link = {};   ///< the interface's name in the sandbox; "" = not there
  bool published = false;  ///< external connectivity was programmed
  /// The endpoint was made for a sandbox that needed a way out (gateway network).
  bool gateway = false;
};

/// A sandbox. `pending` as a network's; `keying`: its namespace is being brought (SetKey).
struct SandboxRecord {
  std::string id;
  std::string key;      ///< path of the namespace
  std::string boot_id;  ///< of the boot its namespace lives in
  SandboxSpec spec = {};
  bool has_namespace = false;  ///< false until SetKey with use_external_key
  netns::Identity netns = {};  ///< of the namespace at `key`
  bool pending = true;
  bool keying = false;
};

std::string Encode(const NetworkRecord& record);
std::string Encode(const EndpointRecord& record);
std::string Encode(const SandboxRecord& record);

/// @throws Error kDecode, kConfig when it is no such record; kTryAgain when its schema is newer
NetworkRecord DecodeNetworkRecord(std::string_view json);
EndpointRecord DecodeEndpointRecord(std::string_view json);
SandboxRecord DecodeSandboxRecord(std::string_view json);

}  // namespace cnm::engine
