// mapping.h: one published port, or a range of them, as the runtime asks for it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "common/firewall/firewall.h"
#include "common/json/object.h"
#include "common/net/address.h"

namespace cnm::portmap {

/// One of runtimeConfig.portMappings: `count` ports of the host from `host_port` on lead to as many
/// of the container from `container_port` on.
struct Mapping {
  firewall::Protocol protocol = firewall::Protocol::kTcp;
  /// nullopt = every address of the host, both families; 0.0.0.0 and :: = every one of that family.
  std::optional<net::Address> host_address = {};
  uint16_t host_port = 0;
  uint16_t container_port = 0;
  uint16_t count = 1;

  /// Whether connections to the host's addresses of this family are meant.
  bool Serves(net::Family family) const {
    return !host_address || host_address->family() == family;
  }
  bool operator==(const Mapping&) const = default;
};

/// `portMappings` of runtimeConfig, whatever the case of its keys: podman and containerd differ.
/// @throws Error kDecode, kConfig with the JSON path: a port that is none ("Invalid host port
/// number: 0"), a range beyond 65535, an unknown protocol, a hostIP that is no address, two
/// mappings of one host port
std::vector<Mapping> DecodeMappings(const json::Object& runtime);

/// The host's side: "8080/tcp", "192.0.2.1:8080/tcp", "[2001:db8::1]:8000-8010/udp".
std::string ToString(const Mapping& mapping);

}  // namespace cnm::portmap
