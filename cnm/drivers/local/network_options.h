// network_options.h: what a bridge network of the Container Network Model can be asked to be.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "cnm/engine/values.h"

namespace cnm::local {

/// The options of one network. The member initialisers are the defaults.
struct NetworkOptions {
  std::string network;     ///< "cnm.network"; "" = a network of its own
  std::string bridge;      ///< the bridge's name; "" = derived from the network's id
  uint32_t mtu = 0;        ///< 0 = the kernel's default
  bool masquerade = true;  ///< what leaves the network gets the host's address
  bool icc = true;         ///< endpoints of the network reach one another
  bool bare = false;       ///< no gateway address on the bridge (inhibit_ipv4)
  bool ipv6 = false;
  bool internal = false;                     ///< nothing goes in or out
  std::optional<net::Address> binding = {};  ///< where ports are published by default
  std::optional<net::Prefix> address = {};   ///< the bridge's own IPv4 address
  std::optional<net::Prefix> fixed = {};     ///< the part of it that endpoints get
  std::optional<net::Prefix> fixed_ipv6 = {};
  std::optional<net::Address> gateway = {};  ///< that endpoints are told, unlike the bridge's
  std::optional<net::Address> gateway_ipv6 = {};
  bool operator==(const NetworkOptions&) const = default;
};

/// Reads Docker's labels ("com.docker.network.bridge.enable_icc") and libnetwork's keys
/// ("EnableICC"), texts all of them; a label wins. Unknown keys are other people's.
/// @throws Error kConfig "failed to parse Mtu value", "invalid type for Mtu value", "invalid MTU
/// number: -1", and for addresses that do not fit one another (libnetwork.md §10.1)
NetworkOptions DecodeNetworkOptions(const engine::NetworkConfig& config);

}  // namespace cnm::local
