// config.h: the bandwidth plugin's configuration.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "common/json/object.h"
#include "common/json/writer.h"
#include "common/net/prefix.h"

namespace cnm::bandwidth {

/// What one direction may carry. Both zero = as much as it can.
struct Limit {
  uint64_t rate = 0;   ///< bits a second
  uint64_t burst = 0;  ///< bits at once after a pause

  bool set() const { return rate != 0; }
  bool operator==(const Limit&) const = default;
};

/// The container's view: ingress arrives at it, egress leaves it. Specification: reference BW-1,
/// BW-2; the subnets are an extension (containernetworking/plugins#921).
struct Config {
  Limit ingress;
  Limit egress;
  std::vector<net::Prefix> shaped;  ///< if any, only traffic from and to these is limited
  std::vector<net::Prefix>
      unshaped;  ///< if any, traffic from and to these is not; excludes the above

  bool any() const { return ingress.set() || egress.set(); }
  bool operator==(const Config&) const = default;
};

/// Top-level rates and bursts, if there are any, else those of runtimeConfig.bandwidth. Subnets are
/// taken from where the rates are, else from the top level.
/// @throws Error kConfig in the reference's words, or with the JSON path; kDecode
Config DecodeConfig(const json::Object& conf);

/// Writes the members that DecodeConfig reads at the top level.
void Encode(const Config& config, json::Writer& w);

}  // namespace cnm::bandwidth
