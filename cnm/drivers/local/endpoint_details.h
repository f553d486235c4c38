// endpoint_details.h: what the local driver keeps with an endpoint's record.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "cnm/endpoint.h"
#include "cnm/engine/values.h"

namespace cnm::local {

/// The plugin that an endpoint's published ports are recorded under.
inline constexpr char kPortsPlugin[] = "ports";

struct EndpointDetails {
  std::string network_id;
  int64_t created = 0;  ///< s since 1970
  bool mac_given = false;
  std::vector<engine::ExposedPort> exposed = {};
  std::vector<engine::PortBinding> bindings = {};  ///< as asked for
  bool operator==(const EndpointDetails&) const = default;
};

/// As a JSON object, and back. An endpoint without details has empty ones.
std::string Encode(const EndpointDetails& details);
EndpointDetails DetailsOf(const Endpoint& endpoint);

/// The bindings as they were published, a JSON object for the ports attachment's state, and back;
/// empty when nothing is published.
std::string EncodePublished(const std::vector<engine::PortBinding>& bindings);
std::vector<engine::PortBinding> PublishedBy(const Endpoint& endpoint);

/// The addresses and the MAC as an interface's.
engine::Interface InterfaceOf(const Endpoint& endpoint);

}  // namespace cnm::local
