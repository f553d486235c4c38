// config.h: host-local's part of a network configuration, decoded and validated.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "common/json/object.h"
#include "common/net/prefix.h"
#include "ipam/host_local/range.h"

namespace cnm::host_local {

inline constexpr char kDefaultDataDir[] = "/var/lib/cni/networks";

/// A route handed through to the result. Zero = not given.
struct Route {
  net::Prefix destination;
  std::optional<net::Address> gateway;
  uint32_t mtu = 0;       ///< bytes
  uint32_t advmss = 0;    ///< bytes
  uint32_t priority = 0;  ///< metric
  std::optional<uint32_t> table;
  std::optional<uint8_t> scope;
  bool operator==(const Route&) const = default;
};

struct Config {
  std::string network;  ///< the configuration's name
  std::string data_dir = kDefaultDataDir;
  std::string resolv_conf;           ///< path; "" = none
  std::vector<RangeSet> range_sets;  ///< one address is allocated from each; never empty
  std::vector<Route> routes;
  std::vector<net::Address> requested;  ///< in the order CNI_ARGS, args, runtimeConfig; each once
  std::vector<std::string> warnings;    ///< unknown keys and the like, for stderr at ADD and STATUS
};

/// Decodes a whole network configuration (the object with `name` and `ipam`). `args_ips` are the
/// values of CNI_ARGS' IP. Beyond the reference: `exclude`, a list of addresses and CIDRs never
/// handed out, in the ipam object (for all ranges) and in a range.
/// @throws Error kDecode wrong JSON type; kConfig anything else invalid, kOverlap overlapping
/// ranges: the message has the reference's words ("invalid range set 0: Network 192.0.2.0/31 too
/// small to allocate from"), the details begin with the JSON path
Config DecodeConfig(const json::Object& conf, std::span<const std::string> args_ips = {});

/// Only where the leases are: what DEL and GC need of a configuration that may be invalid. The
/// default when `ipam.dataDir` is missing or no string. Never throws.
std::string DecodeDataDir(const json::Object& conf) noexcept;

}  // namespace cnm::host_local
