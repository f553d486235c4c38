// ipam_driver.h: where networks get their pools and endpoints their addresses (libnetwork.md B.2).
#pragma once

#include <map>
#include <optional>
#include <string>

#include "common/net/prefix.h"

namespace cnm::engine {

/// A pool that is wanted. All optional: a driver has predefined ones.
struct PoolSpec {
  std::string address_space;  ///< "" = the driver's local default
  std::optional<net::Prefix> pool = {};
  std::optional<net::Prefix> sub_pool = {};
  std::map<std::string, std::string> options = {};
  bool ipv6 = false;
};

/// A pool as it was given.
struct Pool {
  std::string id;  ///< the driver's own text
  net::Prefix pool;
  /// What else the driver says; "com.docker.network.gateway" is a gateway it chose.
  std::map<std::string, std::string> data = {};
};

inline constexpr char kGatewayLabel[] = "com.docker.network.gateway";
inline constexpr char kRequestTypeLabel[] = "RequestAddressType";
inline constexpr char kMacLabel[] = "com.docker.network.endpoint.macaddress";
/// Of our own IPAM and bridge driver: the cnm network that a pool or a network is of.
inline constexpr char kNetworkOption[] = "cnm.network";
/// "true": upward from the last address given, wrapping.
inline constexpr char kSerialLabel[] = "com.docker.network.ipam.serial";

/// All @throws Error: kConfig for what is no pool or address, kOverlap, kInUse naming the holder,
/// kExhausted, kNotFound "invalid pool id X".
class IpamDriver {
 public:
  virtual ~IpamDriver() = default;
  virtual std::string name() const = 0;  ///< "default", "null", a plugin's
  /// Whether RequestAddress must be told the MAC of the interface.
  virtual bool requires_mac() const { return false; }
  /// Whether pools and addresses in use must be requested again after a start.
  virtual bool requires_replay() const { return false; }

  virtual std::string LocalSpace() = 0;
  virtual std::string GlobalSpace() = 0;

  virtual Pool RequestPool(const PoolSpec& spec) = 0;
  virtual void ReleasePool(const std::string& pool_id) = 0;
  /// Releases the use of the pool that the request of this name was given (pool_request.h): done
  /// again, or of a request that was given nothing, it changes nothing. A driver that knows no
  /// names releases the pool.
  virtual void ReleaseRequest(const std::string& pool_id, const std::string& /*request*/) {
    ReleasePool(pool_id);
  }
  /// Whether that use has not been released yet, as far as the driver can tell.
  virtual bool HoldsRequest(const std::string& /*pool_id*/, const std::string& /*request*/) {
    return true;
  }
  /// @returns the address with its pool's prefix length; nullopt where the driver gives none (null)
  virtual std::optional<net::Prefix> RequestAddress(
      const std::string& pool_id, const std::optional<net::Address>& address,
      const std::map<std::string, std::string>& options) = 0;
  /// A free address is released without complaint.
  virtual void ReleaseAddress(const std::string& pool_id, const net::Address& address) = 0;
};

}  // namespace cnm::engine
