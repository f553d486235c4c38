// endpoint.h: an endpoint as it is recorded: the journal of everything that was made for it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "cnm/address_source.h"
#include "cnm/host.h"
#include "cnm/sandbox.h"
#include "common/firewall/firewall.h"
#include "common/net/mac.h"

namespace cnm {

/// Where an endpoint is in its life. A pending one whose lock nobody holds was abandoned by a
/// killed process.
enum class EndpointState {
  kPending,  ///< being made, or being removed because its runtime asked
  kReady,
  kCondemned,  ///< was ready; being removed as garbage
};

/// The three words that name an endpoint. For API and Docker endpoints the container id is the
/// endpoint id.
struct EndpointKey {
  std::string network;
  std::string container_id;
  std::string ifname;

  bool operator==(const EndpointKey&) const = default;
};

/// The link on the host that carries an endpoint.
struct HostLink {
  std::string name;
  int ifindex = 0;  ///< 0 until it is made
  net::Mac mac;
  uint32_t attempt = 0;  ///< of the name's hash (HostLinkName)

  bool operator==(const HostLink&) const = default;
};

/// One endpoint. What a later process needs to undo all of it is here, written before it is made.
struct Endpoint {
  std::string owner;  ///< OwnerOf(key)
  EndpointKey key;
  std::string driver;
  std::string door;     ///< which front door made it: "cni"
  std::string runtime;  ///< the executable that asked for it
  EndpointState state = EndpointState::kPending;
  HostIdentity host;
  Sandbox sandbox;
  std::optional<HostLink> host_link;  ///< none for drivers without a link on the host
  net::Mac mac;                       ///< of the link in the sandbox
  Addressing addressing;
  std::string address_source;  ///< AddressSource::Journal(); "" = layer 2
  std::string firewall;        ///< the backend that holds `rules`; "" = none
  firewall::Rules rules;

  bool operator==(const Endpoint&) const = default;
};

}  // namespace cnm
